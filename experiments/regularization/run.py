"""The choice of tau: scores of `parsimony cluster` over tau / mean degree on real graphs, as a Markdown table.

    python3 experiments/regularization/run.py > experiments/regularization/table.md     (from the project's root)
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import drive  # noqa: E402

DATA = drive.GRAPHS
GRAPHS = [  # file, clusters, truth
    ("com-dblp.ungraph.txt.gz", 50, None),
    ("com-dblp.ungraph.txt.gz", 250, None),
    ("email-Eu-core.txt", 42, "email-Eu-core-department-labels.txt"),
    ("pubmed.edges", 3, "pubmed.labels"),
    ("polblogs.graph", 2, None),
    ("lfr/lfr-mu0.1.edges.gz", 585, "lfr/lfr-mu0.1.labels.gz"),
    ("lfr/lfr-mu0.3.edges.gz", 585, "lfr/lfr-mu0.3.labels.gz"),
    ("wing.graph", 20, None),
    ("4elt.graph", 16, None),
]
RATIOS = [0, 0.25, 1]
SEEDS = range(5)


def call(*words):
    return drive.report(drive.PARSIMONY, *words)


def main():
    print("tau in units of the mean degree; means over five seeds; the default's choice is marked *\n")
    print("| graph | k | tau | modularity | normalised cut | largest cluster | ARI |\n|---|---|---|---|---|---|---|")
    labels = drive.ROOT / "build/regularization.txt"
    for name, clusters, truth in GRAPHS:
        drive.existing(DATA / name)
        automatic = call("cluster", DATA / name, "--clusters", clusters, "--method", "compressive", "--json",
                         "--output", labels)
        mean_degree = 2 * automatic["graph"]["edges"] / automatic["graph"]["nodes"]
        chosen = automatic["options"]["regularization"]
        for ratio in RATIOS:
            sums = [0.0] * 4
            for seed in SEEDS:
                tau = ratio * mean_degree
                call("cluster", DATA / name, "--clusters", clusters, "--method", "compressive",
                     "--regularization", tau, "--seed", seed, "--json",
                     "--output", labels)
                found = call("score", labels, "--graph", DATA / name, "--json", *(["--truth", DATA / truth] if truth else []))
                scores = found["scores"]
                row = [scores["modularity"], scores["normalized_cut"], max(scores["sizes"]) / sum(scores["sizes"]),
                       found["agreement"]["adjusted_rand"] if truth else 0]
                sums = [a + b / len(SEEDS) for a, b in zip(sums, row)]
            mark = " *" if abs(chosen - tau) < 1e-6 * (1 + tau) else ""
            ari = f"{sums[3]:.3f}" if truth else ""
            graph = name.split("/")[-1].split(".edges")[0].split(".graph")[0].split(".ungraph")[0].split(".txt")[0]
            print(f"| {graph} | {clusters} | {ratio}{mark} | {sums[0]:.3f} | {sums[1]:.2f} | {100 * sums[2]:.1f} % | {ari} |",
                  flush=True)


if __name__ == "__main__":
    main()
