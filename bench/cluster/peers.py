"""One peer on one graph: peers.py METHOD GRAPH.npz CLUSTERS SEED LABELS.npy [TRUTH.txt], prints {"seconds": …} of the work alone.

Reading the graph, building a library's own form of it and importing the libraries are not timed. The methods are spectral
clustering as SciPy and scikit-learn users write it, and igraph's community detection, with the libraries' defaults. The
latter find their own number of clusters; leiden-scan is given the truth and keeps the best of its resolutions.
"""

import json
import sys
import time

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

RESOLUTIONS = 2.0 ** np.arange(-2, 7.5, 0.5)


def arpack(graph, clusters, seed, tau=0.0):
    """ARPACK on (D + tau)^(-1/2) W (D + tau)^(-1/2), rows of the eigenvectors normalised, k-means."""
    from sklearn.cluster import KMeans

    def run():
        scale = np.asarray(graph.sum(axis=1)).ravel() + tau
        scale = 1 / np.sqrt(np.where(scale > 0, scale, 1))
        operator = scipy.sparse.diags(scale) @ graph @ scipy.sparse.diags(scale)
        start = np.random.default_rng(seed).standard_normal(graph.shape[0])
        _, vectors = scipy.sparse.linalg.eigsh(operator, k=clusters, which="LA", v0=start)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-300)
        return KMeans(clusters, n_init=10, random_state=seed).fit_predict(vectors)

    return run


def arpack_regularised(graph, clusters, seed):
    return arpack(graph, clusters, seed, tau=graph.sum() / graph.shape[0])


def scikit(solver):
    from sklearn.cluster import SpectralClustering

    def prepare(graph, clusters, seed):
        model = SpectralClustering(clusters, affinity="precomputed", eigen_solver=solver, random_state=seed)
        return lambda: model.fit_predict(graph)

    return prepare


def igraph_form(graph, seed):
    """The graph as igraph has it, and its weights (None: all 1)."""
    import random

    import igraph

    random.seed(seed)  # where igraph draws from
    upper = scipy.sparse.triu(graph, k=1).tocoo()
    weights = None if np.all(upper.data == 1) else upper.data.tolist()
    edges = np.column_stack([upper.row, upper.col])
    return igraph.Graph(n=graph.shape[0], edges=edges), weights


def leiden(graph, _clusters, seed):
    form, weights = igraph_form(graph, seed)
    return lambda: form.community_leiden(objective_function="modularity", weights=weights, n_iterations=2).membership


def louvain(graph, _clusters, seed):
    form, weights = igraph_form(graph, seed)
    return lambda: form.community_multilevel(weights=weights).membership


def leiden_scan(graph, _clusters, seed, truth):
    from sklearn.metrics import adjusted_rand_score

    form, weights = igraph_form(graph, seed)
    known = truth >= 0

    def run():
        found = [np.array(form.community_leiden(objective_function="modularity", weights=weights, n_iterations=2,
                                                resolution=resolution).membership) for resolution in RESOLUTIONS]
        return max(found, key=lambda labels: adjusted_rand_score(truth[known], labels[known]))

    return run


METHODS = {
    "arpack": lambda: arpack,
    "arpack-regularised": lambda: arpack_regularised,
    "sklearn": lambda: scikit(None),
    "sklearn-lobpcg": lambda: scikit("lobpcg"),
    "leiden": lambda: leiden,
    "louvain": lambda: louvain,
    "leiden-scan": lambda: leiden_scan,
}


def main():
    method, graph_path, clusters, seed, labels_path, *truth_path = sys.argv[1:]
    graph = scipy.sparse.load_npz(graph_path).tocsr().astype(np.float64)
    # scikit-learn's solvers want 32-bit indices.
    graph = scipy.sparse.csr_matrix((graph.data, graph.indices.astype(np.int32), graph.indptr.astype(np.int32)), graph.shape)
    work = METHODS[method]()(graph, int(clusters), int(seed), *(np.loadtxt(path, dtype=int) for path in truth_path))
    begin = time.perf_counter()
    labels = work()
    seconds = time.perf_counter() - begin
    np.save(labels_path, np.asarray(labels, dtype=np.int32))
    print(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    main()
