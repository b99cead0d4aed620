"""Clusters of points: digits beside scikit-learn, then 57,600 and a million points in 50 clusters.

    python bench/points/run.py [--parsimony build/release/cli/parsimony] [--sizes 57600 1000000]

Writes results/points.md. Needs NumPy and scikit-learn (bench/requirements.txt). Every figure is of whole commands as a
user runs them; seconds and memory are those of the child process.
"""

import argparse
import pathlib
import statistics
import sys
import tempfile
import time
import warnings

import numpy as np
from sklearn.cluster import SpectralClustering
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import drive  # noqa: E402

import data  # noqa: E402

HERE = pathlib.Path(__file__).parent
SEEDS = range(5)


def mean_and_spread(values):
    return f"{statistics.mean(values):.4f} ± {statistics.stdev(values):.4f}"


def digits(parsimony, folder):
    points, truth = load_digits(return_X_y=True)
    path, labels = folder / "digits.npy", folder / "digits-labels.npy"
    np.save(path, points.astype(np.float32))
    lines = ["| | ARI, mean and standard deviation over 5 seeds | seconds |", "|---|---|---|"]
    warnings.simplefilter("ignore")
    scores, seconds = [], []
    for seed in SEEDS:
        begin = time.perf_counter()
        model = SpectralClustering(10, affinity="nearest_neighbors", n_neighbors=10, random_state=seed)
        scores.append(adjusted_rand_score(truth, model.fit_predict(points)))
        seconds.append(time.perf_counter() - begin)
    lines.append(f"| scikit-learn SpectralClustering | {mean_and_spread(scores)} | {statistics.median(seconds):.2f} |")
    for weights in ["binary", "gaussian", "self-tuning"]:
        scores, seconds = [], []
        for seed in SEEDS:
            done = drive.measure(parsimony, "cluster", path, "--clusters", 10, "--weights", weights, "--seed", seed,
                                 "--output", labels)
            scores.append(adjusted_rand_score(truth, np.load(labels)))
            seconds.append(done.wall)
        default = " (default)" if weights == "self-tuning" else ""
        lines.append(f"| parsimony, {weights}{default} | {mean_and_spread(scores)} | {statistics.median(seconds):.2f} |")
    return lines


def stages(report):
    return {stage["name"]: stage["seconds"] for stage in report["stages"]}


def large(parsimony, folder, sizes):
    rows, timing, held = [], [], []
    for n in sizes:
        points, truth = data.make(n, 1)
        path, labels, model = folder / "points.npy", folder / "labels.npy", folder / "model.npz"
        np.save(path, points)
        done = drive.measure(parsimony, "cluster", path, "--clusters", 50, "--output", labels, "--json")
        report, joint = done.report(), np.load(labels)
        figures = report["figures"]
        rows.append(f"| {n:,} | {report['options']['search']} | {figures['cells']:,} | {figures['probes']:,} "
                    f"| {figures.get('recall', 1):.4f} ± {figures.get('recall_standard_error', 0):.4f} "
                    f"| {adjusted_rand_score(truth, joint):.4f} | {done.wall:.2f} | {done.memory:,.0f} |")
        spent = stages(report)
        timing.append((n, spent))

        rng = np.random.default_rng(2)
        chosen = rng.permutation(n)
        kept, left = chosen[: n * 9 // 10], chosen[n * 9 // 10:]
        np.save(path, points[kept])
        drive.run(parsimony, "cluster", path, "--clusters", 50, "--output", labels, "--save-model", model)
        fitted = adjusted_rand_score(truth[kept], np.load(labels))
        np.save(path, points[left])
        done = drive.measure(parsimony, "assign", model, path, "--output", labels)
        assigned, together = (adjusted_rand_score(truth[left], ours) for ours in (np.load(labels), joint[left]))
        held.append(f"| {n:,} | {fitted:.4f} | {assigned:.4f} | {together:.4f} | {abs(assigned - together):.4f} "
                    f"| {done.wall:.2f} | {done.memory:,.0f} |")
    names = list(dict.fromkeys(name for _, spent in timing for name in spent))
    lines = ["| points | search | cells | searched for a point | recall, standard error | ARI | seconds | peak MiB |",
             "|---|---|---|---|---|---|---|---|", *rows, "", "Seconds of the stages:", "",
             "| points | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for n, spent in timing:
        lines.append(f"| {n:,} | " + " | ".join(f"{spent[name]:.2f}" if name in spent else "" for name in names) + " |")
    return lines, ["| points | ARI of the 90 % clustered | of the 10 % assigned | of the same, clustered with the others "
                   "| difference | seconds to assign | peak MiB |", "|---|---|---|---|---|---|---|", *held]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    drive.add_flags(parser, threads=False)
    parser.add_argument("--sizes", type=int, nargs="+", default=[57600, 1000000])
    parser.add_argument("--output", type=pathlib.Path, default=HERE / "results/points.md")
    arguments = parser.parse_args()
    info = drive.report(arguments.parsimony, "info", "--json")
    with tempfile.TemporaryDirectory() as folder:
        small = digits(arguments.parsimony, pathlib.Path(folder))
        table, held = large(arguments.parsimony, pathlib.Path(folder), arguments.sizes)
    text = [f"# Clusters of points\n\n`python bench/points/run.py`, {info['threads']} threads, {info['simd_target']}, whole "
            "commands with their files read and written.\n",
            "## Digits: 1797 points of 64 dimensions, 10 clusters\n", *small,
            "\n## 50 clusters in 32 dimensions, half Gaussian, half rings, moons and spirals (data.py)\n", *table,
            "\n## A tenth held out\n", *held]
    drive.write(arguments.output, text)
    print(*text, sep="\n")


if __name__ == "__main__":
    main()
