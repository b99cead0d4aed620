"""Cuts an image of 240 × 240 pixels into segments: seconds and peak memory beside scikit-learn, as a table.

    PYTHONPATH=build/release/python python bench/python/segmentation.py [SEGMENTS] [REPEATS]

The graph joins each pixel with its neighbours, weighted by the likeness of their colours, as scikit-learn's example of
segmentation does; its SpectralClustering runs out of memory on the points (issue 8740 of scikit-learn) with the default
affinity, which is an n × n matrix. Each method has a process of its own, which may take 8 GiB. Memory is what the call adds to the peak of a
process that has imported the packages and made the graph. The normalised cut is that of the graph, the sum over the segments
of cut / volume, which spectral clustering makes small. Within is the mean squared distance of the colours of the
pixels to the mean of their segment, in grey values, which the segments should make small.
"""

import subprocess
import sys

SETUP = """
import os, resource, sys, time, warnings
resource.setrlimit(resource.RLIMIT_AS, (2**33, 2**33))
warnings.simplefilter("ignore")
import numpy as np
from scipy.sparse import coo_array
from sklearn.datasets import load_sample_image
import parsimony_ml as pm
k, side = {segments}, 240
photo = load_sample_image("china.jpg")[90:90 + side, 200:200 + side].astype(np.float64)
index = np.arange(side * side).reshape(side, side)
pairs = [(index[:, 1:], index[:, :-1]), (index[1:], index[:-1])]
rows, columns = (np.concatenate([pair[i].ravel() for pair in pairs]) for i in (0, 1))
flat = photo.reshape(-1, 3)
distance = ((flat[rows] - flat[columns])**2).sum(1)
weights = np.exp(-distance / distance.mean()) + 1e-3
half = coo_array((weights, (rows, columns)), shape=(side**2, side**2))
graph = (half + half.T).tocsr()
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before, begin, wall = peak(), time.process_time(), time.perf_counter()
"""

CALLS = {
    "parsimony, `auto`": "labels = pm.cluster(graph, k).labels",
    "parsimony, `method=\"compressive\"`": "labels = pm.cluster(graph, k, method='compressive').labels",
    "parsimony, `method=\"exact\"`": "labels = pm.cluster(graph, k, method='exact').labels",
    "parsimony, `method=\"exact\", refine=\"moves\"`": "labels = pm.cluster(graph, k, method='exact', refine='moves').labels",
    "scikit-learn, affinity of the graph": "from sklearn.cluster import SpectralClustering\n"
    "labels = SpectralClustering(k, affinity='precomputed', assign_labels='cluster_qr', random_state=0).fit_predict(graph)",
    "parsimony, pixels as points": "labels = pm.cluster(np.column_stack([flat, 2 * np.argwhere(index >= 0)]), k).labels",
    "scikit-learn, pixels as points, 10 neighbours": "from sklearn.cluster import SpectralClustering\n"
    "labels = SpectralClustering(k, affinity='nearest_neighbors', n_neighbors=10, random_state=0).fit_predict("
    "np.column_stack([flat, 2 * np.argwhere(index >= 0)]))",
    "scikit-learn, pixels as points, default": "from sklearn.cluster import SpectralClustering\n"
    "labels = SpectralClustering(k, random_state=0).fit_predict(np.column_stack([flat, 2 * np.argwhere(index >= 0)]))",
}

REPORT = """
seconds, wall, grown = time.process_time() - begin, time.perf_counter() - wall, peak() - before
means = np.stack([np.bincount(labels, flat[:, c], k) for c in range(3)], 1) / np.maximum(np.bincount(labels, minlength=k), 1)[:, None]
cut = pm.score(graph, labels)["normalized_cut"]
print(seconds, wall, grown, ((flat - means[labels])**2).sum(1).mean(), np.unique(labels).size, cut)
"""


def main() -> None:
    segments = int(sys.argv[1]) if len(sys.argv) > 1 else 11
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    print("| method | CPU s | wall s | MiB | segments | normalised cut | within |\n|---|---|---|---|---|---|---|")
    for name, call in CALLS.items():
        best = None
        for _ in range(repeats):
            code = SETUP.format(segments=segments) + call + REPORT
            try:
                done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
            except subprocess.TimeoutExpired:
                failure = "> 600 s, stopped"
                break
            if done.returncode != 0:
                failure = (done.stderr.strip().splitlines() or [f"ended by signal {-done.returncode}"])[-1]
                break
            found = [float(word) for word in done.stdout.split()]
            best = found if best is None or found[0] < best[0] else best
        if best is None:
            print(f"| {name} | {failure} | | | | | |", flush=True)
        else:
            print(f"| {name} | {best[0]:.2f} | {best[1]:.2f} | {best[2]:.0f} | {best[4]:.0f} | {best[5]:.4f} | {best[3]:.0f} |", flush=True)


if __name__ == "__main__":
    main()
