"""Points far from the origin, and in other units: clusters beside scikit-learn's on the centred data, and neighbours beside
distances of float64.

    python bench/points/shifted.py [--parsimony build/release/cli/parsimony]

Writes results/shifted.md. Needs NumPy, SciPy and scikit-learn (bench/requirements.txt). Scikit-learn gets the data as they are
before the shift, so that its digits are not at stake; Parsimony gets the file that a user has. Neighbours are those of
`knn-graph`; the oracle sorts explicit differences of the shifted float64 or int64 values, and pairs within 1e-6 of the
distance to the last neighbour count as ties.
"""

import argparse
import pathlib
import sys
import tempfile
import warnings

import numpy as np
import scipy.sparse
from sklearn.cluster import SpectralClustering
from sklearn.datasets import load_digits, make_moons
from sklearn.metrics import adjusted_rand_score

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import drive  # noqa: E402

HERE = pathlib.Path(__file__).parent
NEIGHBORS = 10
TIES = 1e-6


def sets():
    """(name, points before the shift, truth, shifted copies by name)."""
    rng = np.random.default_rng(0)
    offsets = {f"+ 1e{power}": 10.0**power for power in (6, 7, 8, 9, 10, 11, 12)}
    truth = np.repeat(np.arange(6), 300)
    blobs = rng.normal(0, 1, (6, 8))[truth] * 6 + rng.normal(size=(1800, 8))
    moons, sides = make_moons(1500, noise=0.06, random_state=0)
    digits, digit = load_digits(return_X_y=True)
    seconds = np.concatenate([60 * i + rng.uniform(0, 25, 300) for i in range(4)])[:, None]
    times = np.repeat(np.arange(4), 300)
    metres = np.concatenate([rng.normal(0, 2, (300, 2)) + [40 * (i % 3), 40 * (i // 3)] for i in range(6)])
    yield "six Gaussian groups, 8 columns", blobs, truth, {
        "as they are": blobs, "x 1e-6": blobs * 1e-6, "x 1e6": blobs * 1e6,
        **{name: blobs + offset for name, offset in offsets.items()},
        "- 1e9, each column another": blobs - 1e9 * np.arange(8)}
    yield "two moons", moons, sides, {
        "as they are": moons, "x 1e-6": moons * 1e-6, "x 1e6": moons * 1e6,
        **{name: moons + offset for name, offset in offsets.items()}}
    yield "digits, 64 columns", digits, digit, {
        "as they are": digits, "x 1e-6": digits * 1e-6, **{name: digits + offset for name, offset in offsets.items()},
        "int64 + 1e12": digits.astype("i8") + 10**12}
    milliseconds = np.round(1000 * seconds).astype("i8")
    yield "four bursts in time", milliseconds - milliseconds.min(), times, {
        "seconds since 1970, float64": 1.7e9 + milliseconds / 1000, "milliseconds, int64": 1_700_000_000_000 + milliseconds,
        "microseconds, int64": 1_700_000_000_000_000 + 1000 * milliseconds}
    yield "six places, UTM", metres, truth, {
        "metres, float64": metres + [5e5, 5.4e6], "centimetres, int64": np.round(100 * (metres + [5e5, 5.4e6])).astype("i8")}


def wrong_neighbors(points, graph):
    """Counts the edges between points that are not neighbours, and the neighbours without an edge."""
    exact = points if points.dtype.kind == "i" else points.astype(np.longdouble)
    squares = np.zeros((len(points), len(points)))
    for column in exact.T:
        squares += (column[:, None] - column[None, :]).astype(float) ** 2
    np.fill_diagonal(squares, np.inf)
    last = np.sqrt(np.partition(squares, NEIGHBORS - 1, axis=1)[:, NEIGHBORS - 1])
    distances = np.sqrt(squares)
    linked = graph.toarray() != 0
    near = distances < last[:, None] * (1 - TIES)
    far = distances > last[:, None] * (1 + TIES)
    return int((linked & far & far.T).sum() // 2), int(((near | near.T) & ~linked).sum() // 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    drive.add_flags(parser, threads=False)
    parser.add_argument("--output", type=pathlib.Path, default=HERE / "results/shifted.md")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    lines = ["# Points far from the origin\n", "`python bench/points/shifted.py`: adjusted Rand index (ARI) against the truth; "
             "scikit-learn's SpectralClustering(affinity=\"nearest_neighbors\", n_neighbors=10) has the data before the shift.\n",
             "| data | copy | ARI | scikit-learn, not shifted | false neighbours | missing |", "|---|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for data, plain, truth, copies in sets():
            k = len(set(truth))
            centred = plain - plain.mean(axis=0)
            peer = SpectralClustering(k, affinity="nearest_neighbors", n_neighbors=NEIGHBORS, random_state=1).fit_predict(centred)
            for copy, points in copies.items():
                np.save(folder / "points.npy", points)
                drive.run(arguments.parsimony, "cluster", folder / "points.npy", "--clusters", k, "--seed", 1, "-o", folder / "labels.npy", "-q")
                drive.run(arguments.parsimony, "knn-graph", folder / "points.npy", "--neighbors", NEIGHBORS, "-o", folder / "graph.npz", "-q")
                false, missing = wrong_neighbors(points, scipy.sparse.load_npz(folder / "graph.npz"))
                ours = adjusted_rand_score(truth, np.load(folder / "labels.npy"))
                lines.append(f"| {data} | {copy} | {ours:.4f} | {adjusted_rand_score(truth, peer):.4f} | {false} | {missing} |")
                print(lines[-1], flush=True)
    drive.write(arguments.output, lines)


if __name__ == "__main__":
    main()
