"""Clusters scikit-learn's example data sets: ARI and CPU seconds beside scikit-learn and Leiden, as a table.

    PYTHONPATH=build/release/python python bench/python/compare.py [REPEATS]

with the packages of tests/python/requirements.txt. Each method gets the data once for each repeat, in turn. The table has
the median CPU seconds of all threads, which a busy machine changes less than wall time. Leiden chooses its own number of
clusters; so does HDBSCAN, which also leaves points out.
"""

import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import igraph as ig
import numpy as np
from scipy.sparse import triu
from sklearn import cluster, datasets
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

import parsimony_ml as pm

Method = Callable[[Any, int], Any]


def texts(count: int = 4000, topics: int = 10) -> tuple[Any, Any]:
    """Sparse features like those of newsgroups: documents of words of a topic and words that all topics share."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, topics, count)
    own = rng.integers(0, 150, (count, 12)) + 150 * truth[:, None]
    shared = rng.zipf(1.4, (count, 40)).clip(max=2000) + 10**4
    words = [" ".join(f"w{word}" for word in row) for row in np.hstack([own, shared])]
    return TruncatedSVD(50, random_state=0).fit_transform(TfidfVectorizer(sublinear_tf=True).fit_transform(words)), truth


def data_sets() -> Iterator[tuple[str, Any, Any, int]]:
    """Names, points, truth, number of clusters: those of scikit-learn's comparison of clustering, and two larger ones."""
    n = 2000
    yield "circles", *datasets.make_circles(n, factor=0.5, noise=0.05, random_state=30), 2
    yield "moons", *datasets.make_moons(n, noise=0.05, random_state=30), 2
    yield "varied", *datasets.make_blobs(n, cluster_std=[1.0, 2.5, 0.5], random_state=170), 3
    X, y = datasets.make_blobs(n, random_state=170)
    yield "anisotropic", X @ np.array([[0.6, -0.6], [-0.4, 0.8]]), y, 3
    yield "blobs", *datasets.make_blobs(n, random_state=30), 3
    yield "no structure", np.random.default_rng(30).random((n, 2)), np.zeros(n, int), 3
    yield "digits", *datasets.load_digits(return_X_y=True), 10
    yield "texts", *texts(), 10


def leiden(X: Any, k: int) -> Any:
    upper = triu(pm.knn_graph(X)).tocoo()
    graph = ig.Graph(X.shape[0], np.column_stack([upper.row, upper.col]))
    return graph.community_leiden("modularity", weights=upper.data, n_iterations=5).membership


def spectral(X: Any, k: int) -> Any:
    model = cluster.SpectralClustering(k, affinity="nearest_neighbors", n_neighbors=10, random_state=0)
    return model.fit_predict(X)


METHODS: dict[str, Method] = {
    "parsimony": lambda X, k: pm.cluster(X, k).labels,
    "SpectralClustering": spectral,
    "KMeans": lambda X, k: cluster.KMeans(k, n_init=10, random_state=0).fit_predict(X),
    "HDBSCAN": lambda X, k: cluster.HDBSCAN(min_cluster_size=15, copy=True).fit_predict(X),
    "Leiden": leiden,
}


def main() -> None:
    warnings.simplefilter("ignore")
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print("| data | " + " | ".join(METHODS) + " |\n|---" + "|---" * len(METHODS) + "|")
    for name, X, truth, k in data_sets():
        X = StandardScaler().fit_transform(X) if name not in ("digits", "texts") else X
        seconds: dict[str, list[float]] = {method: [] for method in METHODS}
        score = {}
        for _ in range(repeats):
            for method, run in METHODS.items():
                begin = time.process_time()
                labels = run(X, k)
                seconds[method].append(time.process_time() - begin)
                score[method] = adjusted_rand_score(truth, labels)
        cells = [f"{score[method]:.3f}, {statistics.median(seconds[method]):.2f} s" for method in METHODS]
        print(f"| {name}, {len(X)} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
