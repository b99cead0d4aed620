"""One peer on one graph: peers.py METHOD GRAPH.npz CLUSTERS SEED LABELS.npy, prints {"seconds": …} of the work alone.

Reading the graph and importing the libraries are not timed. The methods are spectral clustering as SciPy and
scikit-learn users write it, with the libraries' defaults.
"""

import json
import sys
import time

import numpy as np
import scipy.sparse
import scipy.sparse.linalg
from sklearn.cluster import KMeans, SpectralClustering


def arpack(graph, clusters, seed, tau=0.0):
    """ARPACK on (D + tau)^(-1/2) W (D + tau)^(-1/2), rows of the eigenvectors normalised, k-means."""
    scale = np.asarray(graph.sum(axis=1)).ravel() + tau
    scale = 1 / np.sqrt(np.where(scale > 0, scale, 1))
    operator = scipy.sparse.diags(scale) @ graph @ scipy.sparse.diags(scale)
    start = np.random.default_rng(seed).standard_normal(graph.shape[0])
    _, vectors = scipy.sparse.linalg.eigsh(operator, k=clusters, which="LA", v0=start)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-300)
    return KMeans(clusters, n_init=10, random_state=seed).fit_predict(vectors)


def arpack_regularised(graph, clusters, seed):
    return arpack(graph, clusters, seed, tau=graph.sum() / graph.shape[0])


def scikit(solver):
    def run(graph, clusters, seed):
        model = SpectralClustering(clusters, affinity="precomputed", eigen_solver=solver, random_state=seed)
        return model.fit_predict(graph)

    return run


METHODS = {
    "arpack": arpack,
    "arpack-regularised": arpack_regularised,
    "sklearn": scikit(None),
    "sklearn-lobpcg": scikit("lobpcg"),
}

if __name__ == "__main__":
    method, graph_path, clusters, seed, labels_path = sys.argv[1:]
    graph = scipy.sparse.load_npz(graph_path).tocsr().astype(np.float64)
    # scikit-learn's solvers want 32-bit indices.
    graph = scipy.sparse.csr_matrix((graph.data, graph.indices.astype(np.int32), graph.indptr.astype(np.int32)), graph.shape)
    begin = time.perf_counter()
    labels = METHODS[method](graph, int(clusters), int(seed))
    seconds = time.perf_counter() - begin
    np.save(labels_path, labels.astype(np.int32))
    print(json.dumps({"seconds": seconds}))
