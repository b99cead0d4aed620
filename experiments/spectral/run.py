"""The papers' claim: clustering filtered signals recovers a block model as well as the eigenvectors do.

    python3 experiments/spectral/run.py      (from the project's root; table.md and recovery.png beside this file)

Block models of 10,000 nodes and mean degree 16, epsilon from 0.1 to 0.9 of the detectability threshold, k = 20 and
100, twenty graphs each: the adjusted Rand index against the planted blocks of exact spectral clustering, of
compressive spectral clustering in the paper's form (interpolate) and by default (nearest), and of accelerated
spectral clustering (filtered). Means with 95 % intervals (Student's t over the graphs). Ten minutes of one core.
"""

import argparse
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import drive  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
METHODS = {
    "exact": ["--method", "exact", "--eigen-tolerance", "1e-4"],
    "interpolate": ["--method", "compressive", "--assign", "interpolate"],
    "nearest": ["--method", "compressive", "--assign", "nearest"],
    "filtered": ["--method", "filtered"],
}
RATIOS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
CLUSTERS = [20, 100]
NODES, DEGREE, SEEDS = 10000, 16, 20


def scores(parsimony, work, clusters, ratio, seed):
    """ARI of every method on one graph."""
    graph, truth, labels = work / "graph.mtx", work / "truth.txt", work / "labels.txt"
    drive.run(parsimony, "generate", "sbm", "--nodes", NODES, "--clusters", clusters, "--degree", DEGREE, "--epsilon-ratio", ratio,
         "--seed", seed, "--output", graph, "--labels", truth, "--quiet")
    found = {}
    for method, flags in METHODS.items():
        # Near the threshold the methods need not converge.
        drive.run(parsimony, "cluster", graph, "--clusters", clusters, "--seed", seed, "--threads", 1, "--output", labels,
                  "--quiet", *flags, allowed=(0, drive.NOT_CONVERGED))
        found[method] = drive.report(parsimony, "score", labels, "--truth", truth, "--json")["agreement"]["adjusted_rand"]
    return found


def row(parsimony, clusters, ratio):
    """One line of the table."""
    with tempfile.TemporaryDirectory() as folder:
        found = [scores(parsimony, pathlib.Path(folder), clusters, ratio, seed) for seed in range(SEEDS)]
    cells = [drive.mean(graph[m] for graph in found) for m in METHODS]
    for method in list(METHODS)[1:]:
        difference = drive.mean(graph[method] - graph["exact"] for graph in found)
        cells.append(difference if difference.startswith("-") else "+" + difference)
    return f"| {clusters} | {ratio} | " + " | ".join(cells) + " |"


def draw(rows):
    figure, axes = drive.plots().subplots(1, len(CLUSTERS), figsize=(11, 4.2), sharey=True)
    for axis, clusters in zip(axes, CLUSTERS):
        cells = [[cell.strip() for cell in line.strip("|").split("|")] for (k, _), line in rows.items() if k == clusters]
        for column, method in enumerate(METHODS):
            points = [[float(part) for part in line[2 + column].split("±")] for line in cells]
            axis.errorbar([float(line[1]) for line in cells], [p[0] for p in points], [p[1] for p in points], label=method,
                          capsize=3, marker=".")
        axis.set_title(f"{NODES:,} nodes, k = {clusters}, mean degree {DEGREE}")
        axis.set_xlabel("ε / ε_c")
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("adjusted Rand index")
    axes[0].legend()
    figure.tight_layout()
    figure.savefig(HERE / "recovery.png", dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    drive.add_flags(parser, threads=False)
    parser.add_argument("--keep", action="store_true", help="the rows that table.md has are not computed again")
    options = parser.parse_args()
    table = HERE / "table.md"
    old = table.read_text(encoding="utf-8").splitlines() if options.keep and table.exists() else []
    head = [f"Mean adjusted Rand index of {SEEDS} block models, ± half of the 95 % interval; then the mean difference from exact on",
            "the same graphs, with its own interval.", "",
            "| k | ε / ε_c | " + " | ".join(METHODS) + " | " + " | ".join(f"{m} − exact" for m in list(METHODS)[1:]) + " |",
            "|---" * (2 + 2 * len(METHODS) - 1) + "|"]
    rows = {}
    for clusters in CLUSTERS:
        for ratio in RATIOS:
            kept = [line for line in old if line.startswith(f"| {clusters} | {ratio} |")]
            rows[clusters, ratio] = kept[0] if kept else row(options.parsimony, clusters, ratio)
            print(rows[clusters, ratio], flush=True)
            drive.write(table, [*head, *rows.values()])
    draw(rows)


if __name__ == "__main__":
    main()
