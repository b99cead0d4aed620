"""The effect of --refine on each spectral method: scores and processor seconds, as a Markdown table.

    python3 experiments/refine/run.py > experiments/refine/table.md     (from the project's root)
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import drive  # noqa: E402

DATA = drive.GRAPHS
WORK = drive.ROOT / "build/refine"
WAYS = [("compressive", "none"), ("compressive", "lloyd"), ("compressive", "moves"), ("filtered", "none"),
        ("filtered", "moves"), ("exact", "none"), ("exact", "moves")]
GRAPHS = [  # name, file, clusters, truth; exact is left out where it takes long
    ("email-Eu-core", "email-Eu-core.txt", 42, "email-Eu-core-department-labels.txt", WAYS),
    ("pubmed", "pubmed.edges", 3, "pubmed.labels", WAYS),
    ("com-dblp", "com-dblp.ungraph.txt.gz", 50, None, WAYS[:5]),
]
BLOCKS = [(10000, 20, 0.3), (10000, 20, 0.5), (10000, 20, 0.7), (20000, 20, 0.5)]  # nodes, clusters, eps / eps_c
SEEDS = range(2)


def call(*words):
    """The report on stdout, and the processor seconds of the command, which the load of other programs does not change."""
    done = drive.measure(drive.PARSIMONY, *words)
    return (done.report() if done.output else None), done.cpu


def measure(name, clusters, ways, inputs):
    for method, refine in ways:
        rows = []
        for seed, (graph, truth) in inputs:
            labels = WORK / "labels.txt"
            _, seconds = call("cluster", graph, "--clusters", clusters, "--method", method, "--refine", refine, "--seed",
                              seed, "--threads", 1, "--json", "--output", labels)
            found, _ = call("score", labels, "--graph", graph, "--json", *(["--truth", truth] if truth else []))
            rows.append((found["agreement"]["adjusted_rand"] if truth else None, found["scores"]["modularity"],
                         found["scores"]["normalized_cut"], seconds))
        mean = [sum(row[c] for row in rows) / len(rows) if rows[0][c] is not None else None for c in range(4)]
        ari = "" if mean[0] is None else f"{mean[0]:.3f}"
        print(f"| {name} | {clusters} | {method} | {refine} | {ari} | {mean[1]:.4f} | {mean[2]:.2f} | {mean[3]:.2f} |",
              flush=True)


def main():
    WORK.mkdir(parents=True, exist_ok=True)
    print("Means over two seeds (of graph and method); processor seconds of the whole command on one thread.\n")
    print("| graph | k | method | refine | ARI | modularity | normalised cut | seconds |\n|---|---|---|---|---|---|---|---|")
    for nodes, clusters, ratio in BLOCKS:
        inputs = []
        for seed in SEEDS:
            graph, truth = WORK / f"sbm-{nodes}-{ratio}-{seed}.mtx", WORK / f"sbm-{nodes}-{ratio}-{seed}.txt"
            call("generate", "sbm", "--nodes", nodes, "--clusters", clusters, "--epsilon-ratio", ratio, "--seed", seed,
                 "--output", graph, "--labels", truth, "--quiet")
            inputs.append((seed, (graph, truth)))
        measure(f"SBM {nodes}, {ratio} ε_c", clusters, WAYS, inputs)
    for name, file, clusters, truth, ways in GRAPHS:
        drive.existing(DATA / file)
        measure(name, clusters, ways, [(seed, (DATA / file, truth and DATA / truth)) for seed in SEEDS])


if __name__ == "__main__":
    main()
