"""Processor time of `parsimony cluster` over the size of graphs with hubs, and of other graphs that are hard in their way.

    hubs.py                                       10^4, 10^5 and 10^6 nodes: writes results/hubs.md
    hubs.py --sizes 1000 10000 --families star --methods auto --output /tmp/hubs.md

Seconds are processor seconds of the whole process with one thread, reading the text and writing the labels included. The
exponent is the slope of the least-squares line through the logarithms of seconds and nodes. A run that ends at its limit of
iterations is marked *, and one that was stopped after --limit seconds is a dash.
"""

import argparse
import math
import pathlib
import random
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import drive

METHODS = ["auto", "compressive", "filtered", "exact"]


def star(n):
    return ((0, v) for v in range(1, n))


def path(n):
    return ((v, v + 1) for v in range(n - 1))


def tree(n):
    return (((v - 1) // 2, v) for v in range(1, n))


def friendship(n):
    """Triangles that share one node."""
    for v in range(1, n - 1, 2):
        yield from ((0, v), (0, v + 1), (v, v + 1))


def three_hubs(n):
    """The complete bipartite graph of 3 and n - 3 nodes."""
    return ((hub, v) for v in range(3, n) for hub in range(3))


def ten_hubs(n):
    """Ten hubs, and nodes that three of them have as neighbours."""
    draw = random.Random(1)
    return ((hub, v) for v in range(10, n) for hub in draw.sample(range(10), 3))


def clique_and_star(n):
    """A clique of √n nodes, one of which has all other nodes as neighbours."""
    size = math.isqrt(n)
    yield from ((a, b) for a in range(size) for b in range(a + 1, size))
    yield from ((0, v) for v in range(size, n))


def blocks(n):
    """Ten clusters of mean degree 8, a fifth of it to other clusters: for comparison."""
    draw = random.Random(1)
    for _ in range(4 * n):
        a = draw.randrange(n)
        b = draw.randrange(n // 10) * 10 + a % 10 if draw.random() < 0.8 else draw.randrange(n)
        if b < n and a != b:
            yield a, b


FAMILIES = [star, path, tree, friendship, three_hubs, ten_hubs, clique_and_star, blocks]


def write(family, n, folder):
    graph = folder / "graph.txt"
    with open(graph, "w") as file:
        file.writelines(f"{a} {b}\n" for a, b in family(n))
    return graph


def slope(points):
    """Of the least-squares line through the logarithms; None of fewer than two points."""
    logs = [(math.log(x), math.log(y)) for x, y in points if y > 0]
    if len(logs) < 2:
        return None
    mean_x, mean_y = (sum(column) / len(logs) for column in zip(*logs))
    return sum((x - mean_x) * (y - mean_y) for x, y in logs) / sum((x - mean_x) ** 2 for x, _ in logs)


def measure(options, graph, method, folder):
    """The seconds of a run, and the mark of how it ended; no seconds where it was stopped."""
    run = drive.execute([options.parsimony, "cluster", graph, "--clusters", options.clusters, "--method", method, "--threads", 1,
                         "-q", "--output", folder / "labels.txt"], limit=options.limit)
    if run.status == "> limit":
        return None, "–"
    if run.status != "ok" and not run.status.startswith(f"exit {drive.NOT_CONVERGED}:"):
        sys.exit(f"hubs.py: {run.status}")
    return run.cpu, f"{run.cpu:.2f}" + ("" if run.status == "ok" else "*")


def main():
    names = [family.__name__ for family in FAMILIES]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parsimony", type=pathlib.Path, default=drive.PARSIMONY)
    parser.add_argument("--families", nargs="+", choices=names, default=names)
    parser.add_argument("--sizes", nargs="+", type=int, default=[10**4, 10**5, 10**6])
    parser.add_argument("--methods", nargs="+", default=METHODS)
    parser.add_argument("--clusters", type=int, default=10)
    parser.add_argument("--limit", type=float, default=600)
    parser.add_argument("--output", type=pathlib.Path, default=drive.ROOT / "bench/cluster/results/hubs.md")
    options = parser.parse_args()
    lines = ["# Time over size on graphs with hubs", "", "By `bench/cluster/hubs.py`, which says what the columns are.", "",
             "| graph | method | " + " | ".join(f"{n:,}" for n in options.sizes) + " | exponent |",
             "|---|---|" + "---|" * (len(options.sizes) + 1)]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for family in FAMILIES:
            if family.__name__ not in options.families:
                continue
            points, cells = ({method: [] for method in options.methods} for _ in range(2))
            for n in options.sizes:
                graph = write(family, n, folder)
                for method in options.methods:
                    seconds, cell = measure(options, graph, method, folder)
                    cells[method].append(cell)
                    if seconds is not None:
                        points[method].append((n, seconds))
            for method in options.methods:
                exponent = slope(points[method])
                lines.append(f"| {family.__name__.replace('_', ' ')} | {method} | {' | '.join(cells[method])} "
                             f"| {'–' if exponent is None else f'{exponent:.2f}'} |")
                print(lines[-1], flush=True)
    options.output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
