"""The number of clusters that `parsimony cluster --clusters auto` finds where it is known; prints a Markdown table.

    run.py PARSIMONY > table.md        PARSIMONY: the command, built in the release preset; needs scikit-learn

Block models of mean degree 16 at a quarter of the detectability threshold, a fresh graph for each seed; real graphs in
the folder of the data sets, and the 10-nearest-neighbour graph of scikit-learn's digits. The range is the default, 2 to 200 at most.
The cost is that of `--clusters auto` for a range of 20 candidates and for the default range, beside the same method given the
number: seconds of whole commands, least of ten taken in turns.
"""

import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import drive  # noqa: E402

DATA = drive.GRAPHS
BLOCKS, NODES, SEEDS = [5, 20, 50, 100], 20000, range(100, 120)


def run(*arguments):
    return drive.measure(sys.argv[1], *arguments, "--quiet", allowed=(0, drive.NOT_CONVERGED))


def choose(graph, *more):
    report = run("cluster", graph, "--clusters", "auto", "--method", "compressive", "--json", *more).report()
    figures = report["figures"]
    curve = list(zip(*(figures["choice_" + name] for name in ("clusters", "stability", "standard_error", "gap"))))
    return report["options"]["clusters"], curve


def seconds(*commands):
    """The smallest of ten times for each command; they take turns, so that all see the same machine."""
    best = [float("inf")] * len(commands)
    for _ in range(10):
        for place, arguments in enumerate(commands):
            best[place] = min(best[place], run("cluster", *arguments, "--json").wall)
    return best


def block_model(folder, nodes, blocks, seed):
    path = pathlib.Path(folder) / f"sbm-{nodes}-{blocks}-{seed}.npz"
    run("generate", "sbm", "--nodes", nodes, "--clusters", blocks, "--seed", seed, "--output", path)
    return path


def digits(folder):
    import scipy.io
    from sklearn.datasets import load_digits
    from sklearn.neighbors import kneighbors_graph

    graph = kneighbors_graph(load_digits(return_X_y=True)[0], 10)
    path = pathlib.Path(folder) / "digits.mtx"
    scipy.io.mmwrite(path, graph.maximum(graph.T), symmetry="symmetric", field="pattern")
    return path


def main():
    with tempfile.TemporaryDirectory() as folder:
        print(f"Block models, N = {NODES}, degree 16, a quarter of the threshold, seeds {SEEDS[0]} to {SEEDS[-1]}.\n")
        print("| k | right | within 2 % | found |\n|---|---|---|---|")
        for k in BLOCKS:
            found = [choose(block_model(folder, NODES, k, seed), "--seed", seed)[0] for seed in SEEDS]
            right, near = sum(f == k for f in found), sum(abs(f - k) <= 0.02 * k for f in found)
            print(f"| {k} | {right} of {len(SEEDS)} | {near} of {len(SEEDS)} | {sorted(set(found))} |", flush=True)
        print("\nResults on other graphs (k: stability ± standard error, gap of the four most stable).\n")
        print("| graph | classes | found | curve |\n|---|---|---|---|")
        for name, path, classes in [
            ("email-Eu-core", DATA / "email-Eu-core.txt", 42),
            ("Pubmed", DATA / "pubmed.edges", 3),
            ("digits, 10 nearest neighbours", digits(folder), 10),
        ]:
            chosen, curve = choose(path)
            top = sorted(curve, key=lambda c: -c[1])[:4]
            text = ", ".join(f"{c[0]:.0f}: {c[1]:.3f} ± {c[2]:.3f}, {c[3]:.4f}" for c in top)
            print(f"| {name} | {classes} | {chosen} | {text} |", flush=True)
        costs(folder)


def costs(folder):
    print("\nCost compared with the same run for a given number; seconds of the whole command, the smallest of ten.\n")
    print("| N | k | method | given | 20 candidates | ratio | default range | ratio |\n|---|---|---|---|---|---|---|---|")
    for nodes, k in [(20000, 20), (100000, 50)]:
        graph = block_model(folder, nodes, k, 0)
        for method in ("compressive", "filtered", "exact", "auto"):
            auto = [graph, "--clusters", "auto", "--method", method]
            given, narrow, wide = seconds([graph, "--clusters", k, "--method", method],
                                          [*auto, "--min-clusters", k - 9, "--max-clusters", k + 10], auto)
            print(f"| {nodes} | {k} | {method} | {given:.2f} | {narrow:.2f} | {narrow / given:.2f} | {wide:.2f} | "
                  f"{wide / given:.2f} |", flush=True)


if __name__ == "__main__":
    main()
