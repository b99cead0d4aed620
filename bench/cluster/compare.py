"""Parsimony beside SciPy, scikit-learn and igraph on the same graphs in one run; prints and writes Markdown tables.

    compare.py --all                                    the graphs and methods of the README, DBLP and other real ones included
    compare.py --sbm 10000,20 --seeds 0 1 2             block models of N,K[,DEGREE[,EPSILON_RATIO]]
    compare.py --lfr 10000,0.3 --methods parsimony-nearest leiden
                                                        LFR graphs of N,MIXING[,MEAN_DEGREE[,MAX_DEGREE[,MAX_COMMUNITY]]]
    compare.py --graph g.txt.gz --clusters 50 250 --methods parsimony-nearest arpack --limit 900
    compare.py --graph g.txt --truth labels.txt         with as many clusters as the truth has, unless --clusters says more

Every run is a process of its own. See README.md beside this file for what is timed.
"""

import argparse
import array
import ast
import gzip
import pathlib
import statistics
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import drive  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
DATA = drive.GRAPHS
DBLP = DATA / "com-dblp.ungraph.txt.gz"
OURS = {
    "parsimony-nearest": ["--method", "compressive", "--assign", "nearest"],
    "parsimony-filter": ["--method", "compressive", "--assign", "filter"],
    "parsimony-interpolate": ["--method", "compressive", "--assign", "interpolate"],
    "parsimony-filtered": ["--method", "filtered"],
    "parsimony-exact": ["--method", "exact"],
    "parsimony-auto-fast": ["--method", "auto", "--effort", "fast"],
    "parsimony-auto": ["--method", "auto", "--effort", "normal"],
    "parsimony-auto-thorough": ["--method", "auto", "--effort", "thorough"],
}
FIXED = ["arpack", "arpack-regularised", "sklearn", "sklearn-lobpcg"]
FREE = ["leiden", "louvain", "leiden-scan"]  # they find their own number of clusters
COLUMNS = ["found", "seconds", "wall", "MiB", "ARI", "NMI", "modularity", "normalised cut", "mean conductance",
           "largest cluster"]
LONG = 60  # seconds; a longer run is not repeated


def measure(options, case, method, clusters, seed, work):
    """One row of the tables."""
    labels = work / f"{method}.npy"
    labels.unlink(missing_ok=True)
    if method in OURS:
        command = [options.parsimony, "cluster", case["graph"], "--clusters", clusters, "--seed", seed, "--json",
                   *OURS[method], "--threads", options.threads, "--output", labels]
    else:
        command = [sys.executable, HERE / "peers.py", method, case["npz"], clusters, seed, labels]
        if method == "leiden-scan":
            command.append(case["truth_order"])
    allowed = (0, drive.NOT_CONVERGED) if method in OURS else (0,)  # not converged: the labels are there
    times, walls, peaks = [], [], []
    row = {"graph": case["name"], "k": clusters, "seed": seed, "method": method}
    for _ in range(options.repeat):
        done = drive.execute(command, options.limit, options.threads, allowed)
        peaks.append(done.memory)
        row["MiB"] = f"{max(peaks):.0f}"
        if done.status != "ok":
            row["seconds"] = f"> {options.limit:.0f}, stopped" if done.status == "> limit" else done.status
            return row
        # The peers' own time leaves reading out; ours is the whole process, reading, scoring and writing included.
        times.append(done.wall if method in OURS else done.report()["seconds"])
        walls.append(done.wall)
        if done.wall > LONG:
            break
    row |= {"seconds": statistics.median(times), "wall": statistics.median(walls)}
    # In the .npz, and in an .npy of labels, nodes are numbers from 0 in the order of the sorted ids.
    score = drive.report(options.parsimony, "score", labels, "--graph", case["npz"], "--json")
    sizes = score["scores"]["sizes"]
    row |= {"found": score["clusters"], "modularity": score["scores"]["modularity"],
            "normalised cut": score["scores"]["normalized_cut"], "mean conductance": score["scores"]["mean_conductance"],
            "largest cluster": f"{100 * max(sizes) / sum(sizes):.1f} %"}
    if case.get("truth"):
        named = work / "named.txt"
        named.write_text("".join(f"{node}\t{label}\n" for node, label in zip(case["ids"], load(labels))))
        agreement = drive.report(options.parsimony, "score", named, "--truth", case["truth"], "--json", "--quiet")["agreement"]
        row |= {"ARI": agreement["adjusted_rand"], "NMI": agreement["normalized_mutual_information"]}
    return row


def load(path):
    """A 1-D .npy of int32, without numpy."""
    with open(path, "rb") as file:
        header = ast.literal_eval(file.read(int.from_bytes(file.read(10)[8:10], "little")).decode())
        values = array.array("i", file.read())
    assert header["descr"] == "<i4" and len(values) == header["shape"][0]
    return values


def prepare(options, case, work):
    """Adds to the case the .npz that the peers read, the ids of its nodes in order, and the truth in that order."""
    case["npz"] = work / "graph.npz"
    drive.run(options.parsimony, "convert", case["graph"], case["npz"], "--quiet")
    if not case.get("truth"):
        return
    everything = drive.run(options.parsimony, "cluster", case["graph"], "--clusters", 1, "--quiet")
    case["ids"] = [line.split("\t")[0] for line in everything.splitlines()]
    with (gzip.open if str(case["truth"]).endswith(".gz") else open)(case["truth"], "rt", encoding="utf-8") as file:
        rows = dict(line.split()[:2] for line in file if line.strip() and line[0] not in "#%")
    names = sorted(set(rows.values()))
    number = {name: i for i, name in enumerate(names)}
    case["truth_order"] = work / "order.txt"
    case["truth_order"].write_text("".join(f"{number[rows[node]] if node in rows else -1}\n" for node in case["ids"]))
    case["clusters"] = case["clusters"] or [len({rows[node] for node in case["ids"] if node in rows})]


def digits(work):
    graph, truth = work / "digits.mtx", work / "digits.txt"
    drive.run(sys.executable, HERE / "digits.py", graph, truth)
    return {"name": "digits, 10 neighbours", "graph": graph, "truth": truth, "clusters": None}


def cases(options, seed, work):
    """The graphs of one seed, with the file that Parsimony reads. clusters None: as many as the truth has."""
    common = ["--seed", seed, "--output", work / "graph.mtx", "--labels", work / "truth.txt", "--quiet"]
    made = {"graph": work / "graph.mtx", "truth": work / "truth.txt", "clusters": None}
    for text in options.sbm:
        nodes, clusters, degree, ratio = (text.split(",") + ["16", "0.25"][max(0, text.count(",") - 1):])[:4]
        drive.run(options.parsimony, "generate", "sbm", "--nodes", nodes, "--clusters", clusters, "--degree", degree,
            "--epsilon-ratio", ratio, *common)
        yield made | {"name": f"SBM N={nodes} c={degree} ε={ratio} ε_c"}
    for text in options.lfr:
        flags = ["--nodes", "--mixing", "--mean-degree", "--max-degree", "--max-community"]
        values = text.split(",")
        drive.run(options.parsimony, "generate", "lfr", *(word for pair in zip(flags, values) for word in pair), *common)
        yield made | {"name": f"LFR N={values[0]} μ={values[1]}" + (f" c={values[2]}" if len(values) > 2 else "")}
    if options.digits:
        yield digits(work)
    for i, path in enumerate(options.graph):
        truth = options.truth[i] if i < len(options.truth) and str(options.truth[i]) != "-" else None
        name = path.name.removesuffix(".gz").removesuffix(".zst").rsplit(".", 1)[0].removesuffix(".ungraph")
        yield {"name": name, "graph": path, "truth": truth, "clusters": options.clusters or (None if truth else [50])}


def suite(options):
    """The graphs of --all: two models, easy and hard, and the real graphs whose files exist."""
    options.sbm += ["100000,100", "20000,20,16,0.5"]
    options.lfr += ["100000,0.3"]
    options.digits = True
    for graph, truth in [("email-Eu-core.txt", "email-Eu-core-department-labels.txt"), ("pubmed.edges", "pubmed.labels"),
                         ("lfr/lfr-mu0.1.edges.gz", "lfr/lfr-mu0.1.labels.gz"),
                         ("lfr/lfr-mu0.3.edges.gz", "lfr/lfr-mu0.3.labels.gz"), (DBLP.name, None)]:
        if (DATA / graph).exists():
            options.graph.append(DATA / graph)
            options.truth.append(DATA / truth if truth else "-")
    options.methods = options.methods or [
        "parsimony-nearest", "parsimony-filtered", "parsimony-exact", "parsimony-auto-fast", "parsimony-auto",
        "parsimony-auto-thorough", "arpack", "sklearn", "leiden", "louvain", "leiden-scan"]


def summary(rows):
    """One line a graph and k, one column a method: seconds, peak memory and ARI (modularity without a truth), means over seeds."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    lines = []
    for graph, k in dict.fromkeys((row["graph"], row["k"]) for row in rows):
        line = {"graph": graph, "k": k}
        for method in methods:
            runs = [row for row in rows if (row["graph"], row["k"], row["method"]) == (graph, k, method)]
            done = [row for row in runs if "found" in row]
            if len(done) < len(runs) or not done:
                line[method] = runs[0]["seconds"] if runs else ""
                continue
            quality = "ARI" if "ARI" in done[0] else "modularity"
            mean = {name: statistics.fmean(float(row[name]) for row in done) for name in ["seconds", "MiB", "found", quality]}
            found = "" if round(mean["found"]) == k else f", {mean['found']:.0f} clusters"
            line[method] = f"{mean['seconds']:.2f} s, {mean['MiB']:.0f} MiB, {quality} {mean[quality]:.3f}{found}"
        lines.append(line)
    return drive.table(["graph", "k", *methods], lines)


def known(options, methods):
    """The methods that this build of the command has; the others are named."""
    help_text = drive.run(options.parsimony, "cluster", "--help")
    here = next(line for line in help_text.splitlines() if line.strip().startswith("--method "))
    effort = "--effort" in help_text
    out = []
    for method in methods:
        words = OURS.get(method, ["--method", "compressive"])
        if words[1] in here and (effort or "--effort" not in words):
            out.append(method)
        else:
            print(f"compare.py: {options.parsimony} has no {' '.join(words)}: {method} is left out", file=sys.stderr)
    return out


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="the tables of the README")
    parser.add_argument("--sbm", action="append", default=[], metavar="N,K[,DEGREE[,RATIO]]")
    parser.add_argument("--lfr", action="append", default=[], metavar="N,MIXING[,MEAN[,MAX[,COMMUNITY]]]")
    parser.add_argument("--digits", action="store_true", help="10 nearest neighbours of scikit-learn's digits")
    parser.add_argument("--graph", action="append", default=[], type=pathlib.Path)
    parser.add_argument("--truth", action="append", default=[], type=pathlib.Path,
                        help="clusters of the nodes of the --graph of the same place; - for none")
    parser.add_argument("--clusters", nargs="+", type=int, help="of every --graph (default: of its truth, or 50)")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--repeat", type=int, default=1, metavar="N",
                        help=f"runs of the same seed, of which the median time is kept; once where one takes more than {LONG} s")
    parser.add_argument("--methods", nargs="+", choices=[*OURS, *FIXED, *FREE])
    parser.add_argument("--limit", type=float, default=900, help="seconds that one run may take (default 900)")
    drive.add_flags(parser)
    parser.add_argument("--output", type=pathlib.Path, default=drive.ROOT / "build/bench.md", help="the tables, in Markdown")
    options = parser.parse_args(arguments)
    if options.all:
        suite(options)
    elif not (options.sbm or options.lfr or options.graph or options.digits):
        options.sbm = ["100000,100"]
        options.graph = [DBLP] if DBLP.exists() else []
    options.methods = known(options, options.methods or [
        "parsimony-nearest", "parsimony-filter", "parsimony-interpolate", "arpack", "arpack-regularised", "leiden"])
    return options


def main():
    options = parse(sys.argv[1:])
    names = ["graph", "k", "seed", "method", *COLUMNS]
    head = drive.head(options.parsimony, options.threads)
    rows = []
    print(head, "", *drive.table(names), sep="\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        for seed in options.seeds:
            for case in cases(options, seed, work):
                prepare(options, case, work)
                for clusters in case["clusters"]:
                    for method in options.methods:
                        if method == "leiden-scan" and not case.get("truth"):
                            continue
                        rows.append(measure(options, case, method, clusters, seed, work))
                        print(drive.table(names, rows)[-1], flush=True)
                        text = [head, "", *summary(rows), "", *drive.table(names, rows)]
                        drive.write(options.output, text)
    print("", *summary(rows), sep="\n")


if __name__ == "__main__":
    main()
