"""Points with known clusters: data.py N SEED POINTS.npy LABELS.npy

50 clusters of 32 dimensions. 25 are Gaussian, with a standard deviation of .2 to .4 in every direction. 25 are curves:
rings, pairs of moons, spirals of one and a half turns, each in a random plane, with Gaussian noise of .05 in all 32
dimensions; the moons of a pair are two clusters, and two rings or spirals of one plane are too. Centres are uniform in
a cube of side 8.
"""

import sys

import numpy as np

DIMENSIONS = 32
CLUSTERS = 50


def plane(rng):
    basis, _ = np.linalg.qr(rng.standard_normal((DIMENSIONS, 2)))
    return basis.T


def ring(rng, count, radius):
    angle = rng.uniform(0, 2 * np.pi, count)
    return radius * np.c_[np.cos(angle), np.sin(angle)]


def moon(rng, count, which):
    angle = rng.uniform(0, np.pi, count)
    points = np.c_[np.cos(angle), np.sin(angle)]
    return points if which == 0 else np.c_[1 - points[:, 0], 0.5 - points[:, 1]]


def spiral(rng, count, which):
    turn = 3 * np.pi * np.sqrt(rng.uniform(0.05, 1, count))
    angle = turn + which * np.pi
    return turn[:, None] / 4 * np.c_[np.cos(angle), np.sin(angle)]


def curves(rng, sizes):
    """25 clusters: seven pairs of rings, three of moons, two of spirals, and one ring alone."""
    shapes = []
    for kind in ["rings"] * 7 + ["moons"] * 3 + ["spirals"] * 2 + ["ring"]:
        basis, centre = plane(rng), rng.uniform(-4, 4, DIMENSIONS)
        for which in range(1 if kind == "ring" else 2):
            count = sizes[len(shapes)]
            flat = {"rings": lambda: ring(rng, count, 1 + which), "ring": lambda: ring(rng, count, 1.5),
                    "moons": lambda: 1.5 * moon(rng, count, which), "spirals": lambda: spiral(rng, count, which)}[kind]()
            shapes.append(centre + flat @ basis + 0.05 * rng.standard_normal((count, DIMENSIONS)))
    return shapes


def make(n, seed):
    rng = np.random.default_rng(seed)
    sizes = np.full(CLUSTERS, n // CLUSTERS)
    sizes[: n % CLUSTERS] += 1
    clusters = curves(rng, sizes[:25])
    for size in sizes[25:]:
        centre, deviation = rng.uniform(-4, 4, DIMENSIONS), rng.uniform(0.2, 0.4)
        clusters.append(centre + deviation * rng.standard_normal((size, DIMENSIONS)))
    order = rng.permutation(n)
    points = np.concatenate(clusters).astype(np.float32)[order]
    labels = np.repeat(np.arange(CLUSTERS, dtype=np.int32), sizes)[order]
    return points, labels


if __name__ == "__main__":
    count, seed, points_path, labels_path = sys.argv[1:]
    points, labels = make(int(count), int(seed))
    np.save(points_path, points)
    np.save(labels_path, labels)
