"""Inputs as people have them, each with its right value: runs the command on files that other tools write.

    tests/cases/kinds.py build/dev/cli/parsimony [NAME…]     (all kinds, or those whose names begin so)

Every input is made here. A kind fails if the command answers another question than the file asks, in silence: nodes that
merge, a header that becomes a node, labels that shift, points read as edges, noise read at half. Exit status 77: no NumPy.
"""

import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import traceback
import zlib

try:
    import numpy as np
except ImportError:  # Debian's interpreter has Debian's NumPy
    debian = "/usr/bin/python3"
    if sys.executable != debian and os.path.exists(debian):
        os.execv(debian, [debian, *sys.argv])
    sys.exit(77)

COMMAND = ""
KINDS = []
# Two cliques of six nodes and an edge between them.
EDGES = [(a + first, b + first) for first in (0, 6) for a in range(6) for b in range(a + 1, 6)] + [(0, 6)]


def kind(function):
    KINDS.append(function)
    return function


def run(*arguments, status=0):
    done = subprocess.run([COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert done.returncode == status, f"{arguments}: exit status {done.returncode}, not {status}\n{done.stderr}"
    return done


def write(name, lines):
    pathlib.Path(name).write_text("".join(f"{line}\n" for line in lines))
    return name


def edges_of(*arguments):
    """The edges that the command reads, as tuples of text, and its messages."""
    done = run("convert", *arguments, "-", "--output-format", "edge-list", "-q")
    return [tuple(line.split("\t")) for line in done.stdout.splitlines() if not line.startswith("#")], done.stderr


def size_of(*arguments):
    edges, messages = edges_of(*arguments)
    return len({node for edge in edges for node in edge[:2]}), len(edges), messages


def clusters_of(*arguments):
    lines = run("cluster", *arguments, "-q").stdout.splitlines()
    return dict(line.rsplit("\t", 1) for line in lines)


def same_partition(a, b):
    pairs = set(zip(a, b))
    return len(pairs) == len(set(a)) == len(set(b))


def score(*arguments):
    return json.loads(run("score", *arguments, "--json").stdout)


@kind
def ids_keep_leading_zeros():
    nodes = {node for edge in edges_of(write("zeros.txt", ["007 8", "7 9", "08 7"]))[0] for node in edge[:2]}
    assert nodes == {"007", "08", "7", "8", "9"}, nodes


@kind
def headers_of_csv_are_no_edges():
    for header in ("source,target", '"from","to"'):
        nodes, edges, messages = size_of(write("header.csv", [header] + [f"{a},{b}" for a, b in EDGES]))
        assert (nodes, edges) == (12, 31) and "header" in messages, (nodes, edges, messages)


@kind
def quotes_of_csv_are_not_in_ids():
    names = ["New York", "Los Angeles", 'the "big" one', "a,b"] + [f"n{i}" for i in range(8)]
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    write("quoted.csv", [f"{quoted[a]},{quoted[b]}" for a, b in EDGES])
    found = clusters_of("quoted.csv", "--clusters", 2)
    assert {"New York", "Los Angeles", "n7"} <= {name.strip('"') for name in found} and len(found) == 12, found


@kind
def decimal_commas_are_weights():
    edges, _ = edges_of(write("comma.csv", [f"{a};{b};0,5" for a, b in EDGES]))
    assert len(edges) == 31 and {float(edge[2]) for edge in edges} == {0.5}, edges


@kind
def comments_between_edges_are_counted():
    edges, messages = edges_of(write("tags.txt", ["a b", "#tag c", "b c", "#tag d", "c d"]))
    assert len(edges) == 3 and "2 lines" in messages, messages


@kind
def times_are_said_and_left_out():
    write("times.txt", [f"{a} {b} {1082040961 + 60 * i}" for i, (a, b) in enumerate(EDGES)])
    assert "time" in size_of("times.txt")[2]
    assert size_of("times.txt", "--unweighted")[:2] == (12, 31)
    write("ratings.csv", [f"{a},{b},{i % 9 + 1},{1289241911.5 + i}" for i, (a, b) in enumerate(EDGES)])
    assert size_of("ratings.csv", "--columns", "1,2")[:2] == (12, 31)


@kind
def points_in_text_are_no_edges():
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(0, 1, (60, 2)), rng.normal(40, 1, (60, 2))])
    np.savetxt("points.csv", points, delimiter=",")
    assert "--points" in run("cluster", "points.csv", "--clusters", 2, status=1).stderr
    found = clusters_of("points.csv", "--points", "--clusters", 2)
    assert same_partition(list(found.values()), [i // 60 for i in range(120)])


@kind
def labels_with_a_header_do_not_shift():
    write("plain.txt", [f"{a} {b}" for a, b in EDGES])
    labels = [i // 6 for i in range(12)]
    write("labels.txt", labels)
    write("pandas.csv", ["cluster", *labels])
    modularity = score("labels.txt", "--graph", "plain.txt")["scores"]["modularity"]
    assert abs(modularity - 0.467742) < 1e-6, modularity
    assert score("pandas.csv", "--graph", "plain.txt")["scores"]["modularity"] == modularity
    assert abs(score("pandas.csv", "--truth", "labels.txt")["agreement"]["adjusted_rand"] - 1) < 1e-12
    run("score", write("short.txt", labels[:9]), "--graph", "plain.txt", status=1)


@kind
def bipartite_files_have_two_sets_of_nodes():
    pairs = [(1, 1), (1, 2), (2, 1), (2, 2), (3, 3), (1, 3)]
    edges, _ = edges_of(write("konect.txt", ["% bip unweighted", "% 6 3 3", *[f"{a} {b}" for a, b in pairs]]))
    assert len(edges) == 6 and len({node for edge in edges for node in edge[:2]}) == 6, edges
    write("tall.mtx", ["%%MatrixMarket matrix coordinate pattern general", "4 3 6", *[f"{a} {b}" for a, b in pairs]])
    assert size_of("tall.mtx")[0] == 7


@kind
def banners_with_one_percent_sign_are_read():
    lines = ["%MatrixMarket matrix coordinate pattern symmetric", "12 12 31"] + [f"{b + 1} {a + 1}" for a, b in EDGES]
    assert size_of(write("repository.mtx", lines))[:2] == (12, 31)
    assert size_of(write("repository.edges", lines))[:2] == (12, 31)


@kind
def outputs_of_unknown_endings_are_refused():
    write("plain.txt", [f"{a} {b}" for a, b in EDGES])
    for name in ("out.npy", "out.bz2", "out.json"):
        assert ".mtx" in run("convert", "plain.txt", name, status=2).stderr
        assert not pathlib.Path(name).exists()
    assert ".csv" in run("cluster", "plain.txt", "--clusters", 2, "--output", "labels.npz", status=2).stderr


@kind
def formats_of_other_tools_are_read_or_named():
    pajek = ["*Vertices 3", '1 "a b"', '2 "c"', '3 "d"', "*Edges", "1 2 0.5", "2 3 1"]
    assert size_of(write("net.net", pajek))[:2] == (3, 2)
    gml = ["graph [", ' node [ id 0 label "a" ]', ' node [ id 1 label "b" ]', " edge [ source 0 target 1 ]", "]"]
    assert size_of(write("net.gml", gml))[:2] == (2, 1)
    fortran = ["%%MatrixMarket matrix coordinate real symmetric", "3 3 2", "2 1 1.5D+00", "3 2 2.0d0"]
    assert {float(edge[2]) for edge in edges_of(write("fortran.mtx", fortran))[0]} == {1.5, 2.0}
    assert "DIMACS" in run("convert", write("net.col", ["p edge 3 2", "e 1 2", "e 2 3"]), "o.npz", status=1).stderr
    assert "DOT" in run("convert", write("net.dot", ["graph {", " a -- b;", "}"]), "o.npz", status=1).stderr


@kind
def square_arrays_are_points_only_with_a_warning():
    rng = np.random.default_rng(0)
    same = np.equal.outer(np.arange(40) // 20, np.arange(40) // 20)
    affinity = np.where(same, 1.0, 0.02) * rng.uniform(0.5, 1, (40, 40))
    affinity = (affinity + affinity.T) / 2
    np.save("affinity.npy", affinity)
    assert "--affinity" in run("cluster", "affinity.npy", "--clusters", 2, "-q").stderr
    found = clusters_of("affinity.npy", "--affinity", "--clusters", 2)
    assert same_partition(list(found.values()), [i // 20 for i in range(40)])


@kind
def points_keep_their_digits():
    rng = np.random.default_rng(0)
    times = np.concatenate([1.7e9 + rng.uniform(0, 5, 40), 1.7e9 + 60 + rng.uniform(0, 5, 40)])[:, None]
    groups = np.concatenate([rng.normal(0, 0.01, (60, 2)), rng.normal(1, 0.01, (60, 2))])
    arrays = {"times": times, "milliseconds": (1000 * times).astype("i8"), "utm": groups + [5e5, 5e6],
              "half": (groups * 8).astype("f2"), **{f"offset{p}": groups + 10.0**p for p in (6, 9, 12)}}
    for name, points in arrays.items():
        np.save(f"{name}.npy", points)
        found = clusters_of(f"{name}.npy", "--clusters", 2, "--seed", 1)
        assert same_partition(list(found.values()), [i >= len(points) // 2 for i in range(len(points))]), name
    np.savez("points.npz", data=groups)
    assert len(clusters_of("points.npz", "--clusters", 2)) == 120


@kind
def equal_rows_are_searched_once():
    for points in (np.ones((20000, 8), "f4"), np.eye(8, dtype="f4")[np.arange(8000) % 8]):
        np.save("equal.npy", points)
        run("knn-graph", "equal.npy", "-o", "equal.npz", "-q")


@kind
def small_components_leave_the_clusters_to_the_large():
    rng = np.random.default_rng(0)
    block = np.arange(120) // 30
    mates = np.equal.outer(block, block)
    upper = np.triu(rng.uniform(size=(120, 120)) < np.where(mates, 0.5, 0.02), 1)
    large = [f"{a} {b}" for a, b in zip(*np.nonzero(upper))]
    pairs = [f"{1000 + 2 * i} {1001 + 2 * i}" for i in range(200)]
    write("pairs.txt", large + pairs)
    for method in ("auto", "exact", "compressive", "filtered"):
        found = clusters_of("pairs.txt", "--clusters", 4, "--method", method)
        assert same_partition([found[str(i)] for i in range(120)], block.tolist()), method


@kind
def edges_are_not_cut_where_components_suffice():
    write("isolated.mtx", ["%%MatrixMarket matrix coordinate pattern symmetric", "4 4 1", "2 1"])
    found = clusters_of("isolated.mtx", "--clusters", 2)
    assert found["1"] == found["2"] and len(set(found.values())) == 2, found


@kind
def hubs_take_linear_time():
    write("star.txt", [f"0 {i}" for i in range(1, 20001)])
    for method in ("auto", "exact", "compressive", "filtered"):
        assert len(clusters_of("star.txt", "--clusters", 2, "--method", method)) == 20001


def picture(side=192):
    y, x = np.mgrid[:side, :side]
    return 128 + 60 * np.sin(x / 25) * np.cos(y / 35)


def write_pgm(name, pixels):
    pixels = np.clip(np.round(pixels), 0, 255).astype("u1")
    header = f"P5 {pixels.shape[1]} {pixels.shape[0]} 255\n".encode()
    pathlib.Path(name).write_bytes(header + pixels.tobytes())


@kind
def noise_of_clipped_and_framed_pictures():
    noise = 20 * np.random.default_rng(0).normal(size=(192, 192))
    dark, framed = picture(), picture() + noise
    dark[:24] = 0
    framed[:12] = framed[-12:] = 0
    bright = picture()
    bright[:48, :48] = 255
    for name, pixels in {"dark": dark + noise, "bright": bright + noise, "framed": framed}.items():
        write_pgm("noisy.pgm", pixels)
        sigma = json.loads(run("operator", "denoise", "noisy.pgm", "-o", "out.pgm", "--json").stdout)["sigma"][0]
        assert abs(sigma - 20) < 1.6, (name, sigma)
    write_pgm("constant.pgm", np.full((64, 64), 90))
    run("operator", "denoise", "constant.pgm", "-o", "out.pgm")


@kind
def masks_are_cut_at_half():
    rng = np.random.default_rng(0)
    known = rng.uniform(size=(192, 192)) < 0.5
    write_pgm("holes.pgm", np.where(known, picture(), 0))
    blurred = np.where(known, rng.integers(245, 256, known.shape), rng.integers(0, 12, known.shape))
    results = {}
    for name, mask, more in (("clean", 255 * known, ()), ("jpeg", blurred, ()),
                             ("inverted", 255 * ~known, ("--missing", "white"))):
        write_pgm("mask.pgm", mask)
        run("operator", "inpaint", "holes.pgm", "--mask", "mask.pgm", "-o", "out.pgm", *more)
        results[name] = pathlib.Path("out.pgm").read_bytes()
    assert results["clean"] == results["jpeg"] == results["inverted"]


@kind
def tags_of_png_are_carried_over():
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    pixels = np.clip(picture(64) + 10 * np.random.default_rng(0).normal(size=(64, 64)), 0, 255).astype("u1")
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    tags = chunk(b"gAMA", struct.pack(">I", 100000)) + chunk(b"pHYs", struct.pack(">IIB", 2835, 2835, 1))
    pathlib.Path("tags.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 0, 0, 0, 0)) + tags
        + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    run("operator", "denoise", "tags.png", "-o", "out.png")
    out = pathlib.Path("out.png").read_bytes()
    assert b"gAMA" + struct.pack(">I", 100000) in out and b"pHYs" + struct.pack(">IIB", 2835, 2835, 1) in out


@kind
def arrays_of_any_shape_are_images():
    noisy = picture(64) + 10 * np.random.default_rng(0).normal(size=(64, 64))
    for pixels in (noisy.astype("f2"), noisy[:, :, None], noisy[None], np.repeat(noisy[:, :, None], 3, 2)):
        np.save("image.npy", pixels)
        run("operator", "denoise", "image.npy", "-o", "out.npy")
    pathlib.Path("image.gif").write_bytes(b"GIF89a" + bytes(40))
    assert "GIF" in run("operator", "denoise", "image.gif", "-o", "out.png", status=1).stderr


def main():
    global COMMAND
    COMMAND = pathlib.Path(sys.argv[1]).resolve()
    chosen = [k for k in KINDS if not sys.argv[2:] or k.__name__.startswith(tuple(sys.argv[2:]))]
    failed = 0
    for function in chosen:
        with tempfile.TemporaryDirectory() as folder:
            here = pathlib.Path.cwd()
            try:
                os.chdir(folder)
                function()
                print(f"right  {function.__name__}")
            except Exception:
                failed += 1
                print(f"WRONG  {function.__name__}\n{traceback.format_exc(limit=2)}")
            finally:
                os.chdir(here)
    print(f"{len(chosen) - failed} of {len(chosen)} kinds are right")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
