"""Parsimony beside SciPy and scikit-learn on the same graphs in one run; prints and writes a Markdown table.

    compare.py                                          a block model of 100,000 nodes, and DBLP where it is there
    compare.py --sbm 10000,20 --seeds 0 1 2             block models of N,K[,DEGREE[,EPSILON_RATIO]]
    compare.py --graph g.txt.gz --clusters 50 250 --methods parsimony-nearest arpack --limit 900

Every run is a process of its own. See README.md beside this file for what is timed.
"""

import argparse
import json
import os
import pathlib
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DBLP = ROOT.parent / "shared/data/graphs/com-dblp.ungraph.txt.gz"
OURS = ["parsimony-nearest", "parsimony-filter", "parsimony-interpolate"]
PEERS = ["arpack", "arpack-regularised", "sklearn", "sklearn-lobpcg"]
COLUMNS = ["seconds", "wall", "MiB", "ARI", "NMI", "modularity", "normalised cut", "mean conductance", "largest cluster"]


def run(command, limit, threads):
    """(status, stdout, wall seconds, peak MiB): status is "ok", "> limit" or how it failed."""
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads))
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begin = time.perf_counter()
        child = subprocess.Popen(command, stdout=out, stderr=err, env=environment, start_new_session=True)
        late = threading.Event()

        def stop():
            late.set()
            os.killpg(child.pid, signal.SIGKILL)

        timer = threading.Timer(limit, stop)
        timer.start()
        _, status, usage = os.wait4(child.pid, 0)
        timer.cancel()
        wall = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        text, message = out.read().decode(), err.read().decode()
    if late.is_set():
        return "> limit", "", wall, usage.ru_maxrss / 1024
    if status != 0:
        reason = (message.strip().splitlines() or ["no message"])[-1]
        return f"exit {child.returncode}: {reason}", "", wall, usage.ru_maxrss / 1024
    return "ok", text, wall, usage.ru_maxrss / 1024


def measure(options, case, method, clusters, seed, work):
    """One row of the table."""
    labels = work / f"{method}.npy"
    labels.unlink(missing_ok=True)
    if method in OURS:
        command = [options.parsimony, "cluster", case["graph"], "--clusters", clusters, "--seed", seed, "--json",
                   "--method", "compressive", "--assign", method.removeprefix("parsimony-"),
                   "--threads", options.threads, "--output", labels]
    else:
        command = [sys.executable, HERE / "peers.py", method, case["npz"], clusters, seed, labels]
    status, text, wall, peak = run([str(word) for word in command], options.limit, options.threads)
    row = {"graph": case["name"], "k": clusters, "seed": seed, "method": method}
    if status != "ok":
        row["seconds"] = f"> {options.limit:.0f}, stopped" if status == "> limit" else status
        row["MiB"] = f"{peak:.0f}"
        return row
    # The peers' own time leaves reading out; ours is the whole process, reading, scoring and writing included.
    row["seconds"] = wall if method in OURS else json.loads(text)["seconds"]
    row["wall"] = wall
    row["MiB"] = f"{peak:.0f}"
    # In the .npz, and in an .npy of labels, nodes are numbers from 0 in the order of the sorted ids.
    command = [options.parsimony, "score", labels, "--graph", case["npz"], "--json"]
    if case.get("truth"):
        command += ["--truth", case["truth"]]
    score = json.loads(subprocess.run([str(word) for word in command], check=True, capture_output=True).stdout)
    sizes = score["scores"]["sizes"]
    row |= {"modularity": score["scores"]["modularity"], "normalised cut": score["scores"]["normalized_cut"],
            "mean conductance": score["scores"]["mean_conductance"],
            "largest cluster": f"{100 * max(sizes) / sum(sizes):.1f} %"}
    if case.get("truth"):
        row |= {"ARI": score["agreement"]["adjusted_rand"], "NMI": score["agreement"]["normalized_mutual_information"]}
    return row


def in_order(labels, target):
    """The labels of a text file (numeric id, cluster) without their ids, in the order of these."""
    lines = labels.read_text().splitlines()
    rows = sorted((line.split() for line in lines if line and line[0] not in "#%"), key=lambda row: int(row[0]))
    target.write_text("".join(row[1] + "\n" for row in rows))
    return target


def cases(options, seed, work):
    """The graphs of one seed, each as the file that Parsimony reads and the .npz that the peers read."""
    for text in options.sbm:
        nodes, clusters, degree, ratio = (text.split(",") + ["16", "0.25"][max(0, text.count(",") - 1):])[:4]
        graph, truth = work / "sbm.mtx", work / "truth.txt"
        subprocess.run([options.parsimony, "generate", "sbm", "--nodes", nodes, "--clusters", clusters, "--degree", degree,
                        "--epsilon-ratio", ratio, "--seed", str(seed), "--output", graph, "--labels", truth, "--quiet"], check=True)
        name = f"SBM N={nodes} c={degree} ε={ratio} ε_c"
        yield {"name": name, "graph": graph, "truth": in_order(truth, work / "order.txt"), "clusters": [int(clusters)]}
    for path in options.graph:
        truth = in_order(options.truth, work / "order.txt") if options.truth else None
        yield {"name": path.name.split(".")[0], "graph": path, "truth": truth, "clusters": options.clusters}


def cell(value):
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 100 else f"{value:.1f}"
    return str(value)


def processor():
    for line in open("/proc/cpuinfo", encoding="utf-8"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sbm", action="append", default=[], metavar="N,K[,DEGREE[,RATIO]]")
    parser.add_argument("--graph", action="append", default=[], type=pathlib.Path)
    parser.add_argument("--truth", type=pathlib.Path, help="clusters of all nodes of the one --graph")
    parser.add_argument("--clusters", nargs="+", type=int, default=[50], help="of every --graph")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--methods", nargs="+", choices=OURS + PEERS, default=OURS + ["arpack", "arpack-regularised"])
    parser.add_argument("--limit", type=float, default=900, help="seconds that one run may take (default 900)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--parsimony", type=pathlib.Path, default=ROOT / "build/release/cli/parsimony")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "build/bench.md", help="the table, in Markdown")
    options = parser.parse_args(arguments)
    if not options.sbm and not options.graph:
        options.sbm = ["100000,100"]
        options.graph = [DBLP] if DBLP.exists() else []
    return options


def main():
    options = parse(sys.argv[1:])
    names = ["graph", "k", "seed", "method", *COLUMNS]
    version = subprocess.run([options.parsimony, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    lines = [f"{version}, {processor()}, {options.threads} threads, {time.strftime('%Y-%m-%d')}", "",
             "| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    print("\n".join(lines), flush=True)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        for seed in options.seeds:
            for case in cases(options, seed, work):
                case["npz"] = work / "graph.npz"
                subprocess.run([options.parsimony, "convert", case["graph"], case["npz"], "--quiet"], check=True)
                for clusters in case["clusters"]:
                    for method in options.methods:
                        row = measure(options, case, method, clusters, seed, work)
                        lines.append("| " + " | ".join(cell(row.get(name, "")) for name in names) + " |")
                        print(lines[-1], flush=True)
                        options.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
