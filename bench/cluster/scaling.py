"""Time and memory of `parsimony cluster` over the size of a block model, and the bandwidth of its filters.

    scaling.py                                  10^4 to 4·10^6 nodes: some minutes; writes results/scaling.md
                                                and the picture of docs/images
    scaling.py --sizes 10000 100000 --output /tmp/scaling.md --picture /tmp/scaling.png

Two series of block models of mean degree 16: k = 100, and k = √N. Seconds and memory are those of the whole process,
reading the .npz and writing the labels included. The bandwidth of the two filter stages is the bytes of their cost model
(every gathered row a miss) over their seconds, beside the triad of stream_bench: the mean of just before and just after each
row, since a machine that is shared gives more or less from one minute to the next.
"""

import argparse
import math
import pathlib
import statistics
import sys
import tempfile

import compare
from compare import drive

FILTERS = ["lambda_k", "features"]


def triad(options):
    """GB/s of the triad with as many threads, the median of five; None where stream_bench is not built."""
    program = options.parsimony.parent.parent / "bench/stream_bench"
    if not program.exists():
        print(f"scaling.py: {program} is not built: no bandwidth to compare with", file=sys.stderr)
        return None
    report = drive.report(program, f"--benchmark_filter=threads:{options.threads}/", "--benchmark_repetitions=5",
                          "--benchmark_format=json")
    runs = [run["bytes_per_second"] for run in report["benchmarks"] if run["run_type"] == "iteration"]
    return statistics.median(runs) / 1e9


def measure(options, name, graph, truth, clusters, work):
    """One row of the table: the run of median time, and the triad around it."""
    before = triad(options)
    labels = work / "labels.npy"
    command = [options.parsimony, "cluster", graph, "--clusters", clusters, "--method", options.method, "--json", "--quiet",
               "--threads", options.threads, "--output", labels]
    runs = []
    for _ in range(options.repeat):
        done = drive.execute(command, options.limit, options.threads, (0, drive.NOT_CONVERGED))
        if done.status != "ok":
            return {"graph": name, "k": clusters, "seconds": done.status, "MiB": done.memory}
        runs.append(done)
    median = sorted(runs, key=lambda run: run.wall)[len(runs) // 2]
    record = median.report()
    row = {"graph": name, "k": clusters, "seconds": median.wall, "MiB": median.memory}
    for stage in record["report"]["stages"] if "report" in record else record["stages"]:
        if stage["name"] in FILTERS and stage["bytes"] > 0:
            row[stage["name"] + " s"] = stage["seconds"]
            row[stage["name"] + " GB/s"] = stage["bytes"] / stage["seconds"] / 1e9
    if before:
        row["triad GB/s"] = (before + triad(options)) / 2
        for stage in FILTERS:
            if f"{stage} GB/s" in row:
                row[f"{stage} of triad"] = f"{100 * row[f'{stage} GB/s'] / row['triad GB/s']:.0f} %"
    if truth:
        score = drive.report(options.parsimony, "score", labels, "--truth", truth, "--json")
        row["ARI"] = score["agreement"]["adjusted_rand"]
    return row


def draw(rows, series, path):
    figure, axes = drive.plots().subplots(1, 2, figsize=(10, 4.2), constrained_layout=True)
    for axis, quantity, unit in zip(axes, ["seconds", "MiB"], ["seconds, whole command", "peak MiB, whole command"]):
        for (name, _), color, marker in zip(series, ["#1c7894", "#d6526b"], "os"):
            points = [(row["nodes"], row[quantity]) for row in rows if row.get("series") == name and "ARI" in row]
            if points:
                axis.loglog(*zip(*points), marker=marker, color=color, label=name)
        if axis.lines:
            (first, value), last = [(x[0], y[0]) for x, y in [axis.lines[0].get_data()]][0], axis.lines[0].get_xdata()[-1]
            axis.loglog([first, last], [value, value * last / first], color="0.7", linestyle="--", label="in proportion to N",
                        zorder=0)
        axis.set_xlabel("nodes N")
        axis.set_ylabel(unit)
        axis.grid(True, which="major", color="0.9")
        axis.legend(frameon=False)
    figure.suptitle("Block models of mean degree 16")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", type=int, default=[10_000, 100_000, 1_000_000, 4_000_000])
    parser.add_argument("--method", default="compressive", help="of parsimony cluster")
    parser.add_argument("--repeat", type=int, default=1, help="runs, of which that of median time is kept")
    parser.add_argument("--limit", type=float, default=300, help="seconds that one run may take (default 300)")
    drive.add_flags(parser)
    parser.add_argument("--output", type=pathlib.Path, default=compare.HERE / "results/scaling.md")
    parser.add_argument("--picture", type=pathlib.Path, default=drive.ROOT / "docs/images" / "scaling.png")
    options = parser.parse_args()

    rows = []
    series = [("k = 100", lambda nodes: 100), ("k = √N", lambda nodes: round(math.sqrt(nodes)))]
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        for nodes in options.sizes:
            for name, rule in series:
                if rows and rows[-1].get("nodes") == nodes and rows[-1]["k"] == rule(nodes):
                    rows.append(rows[-1] | {"series": name})  # the same graph in both
                    continue
                graph, truth = work / "graph.npz", work / "truth.npy"
                drive.run(options.parsimony, "generate", "sbm", "--nodes", nodes, "--clusters", rule(nodes), "--seed", 1,
                            "--output", graph, "--labels", truth, "--quiet")
                row = measure(options, f"SBM N={nodes}", graph, truth, rule(nodes), work)
                rows.append(row | {"series": name, "nodes": nodes})
                print(rows[-1], flush=True)
        if compare.DBLP.exists():
            graph = work / "dblp.npz"
            drive.run(options.parsimony, "convert", compare.DBLP, graph, "--quiet")
            rows.append(measure(options, "com-dblp", graph, None, 50, work))
    names = ["graph", "k", "seconds", "MiB", "ARI", *(f"{stage} {unit}" for stage in FILTERS for unit in ["s", "GB/s"])]
    if any("triad GB/s" in row for row in rows):
        names += ["triad GB/s", *(f"{stage} of triad" for stage in FILTERS)]
    head = drive.head(options.parsimony, options.threads)
    unique = [row for i, row in enumerate(rows) if i == 0 or (row["graph"], row["k"]) != (rows[i - 1]["graph"], rows[i - 1]["k"])]
    lines = [head, "", *drive.table(names, unique)]
    print(*lines, sep="\n")
    drive.write(options.output, lines)
    draw(rows, series, options.picture)


if __name__ == "__main__":
    main()
