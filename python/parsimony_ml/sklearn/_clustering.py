"""Spectral clustering of points and of graphs, with the interface of sklearn.cluster.SpectralClustering."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from .. import _core
from .._call import make_call
from .._clustering import Clustering
from .._errors import InvalidArgumentError
from .._graphs import as_graph
from .._points import PointModel
from ._callbacks import CallbackSupportMixin, FitTasks, with_callbacks
from ._parameters import options_of, seed_of

_AFFINITIES = ("nearest_neighbors", "precomputed", "precomputed_nearest_neighbors")


def _has_points(self: SpectralClustering) -> bool:
    return bool(self.affinity == "nearest_neighbors")


class SpectralClustering(CallbackSupportMixin, ClusterMixin, BaseEstimator):
    """Exactly k clusters of points, by the graph of their nearest neighbours, or of a graph.

    It takes the place of ``sklearn.cluster.SpectralClustering``, which makes an n × n matrix by default; here the default
    affinity is "nearest_neighbors", and a million points fit. It has ``predict``, and ``n_clusters="auto"``. Parameters
    that belong to eigensolvers and kernels of scikit-learn are not there.

    Args:
        n_clusters (int or "auto", default 8): "auto": the most stable number, see
            :func:`parsimony_ml.choose_n_clusters`.
        affinity ({"nearest_neighbors", "precomputed", "precomputed_nearest_neighbors"}): "precomputed": X is a
            symmetric matrix of weights, best a sparse one; the diagonal does not count.
            "precomputed_nearest_neighbors": X need not be symmetric; the mean of it and its transpose is taken, as in
            scikit-learn.
        n_neighbors (int, default 10): Neighbours of a point, at most n - 1.
        method ({"auto", "compressive", "filtered", "exact"} or None): None: the library's choice, "compressive" for
            points and "auto" for graphs.
        metric: {"euclidean", "cosine", "manhattan"}.
        n_init (int or "auto"): Runs of k-means; the best is kept.
        options (dict or None): More options of :func:`parsimony_ml.cluster`, by their names there.
        random_state: Seed: int, RandomState instance or None.
        n_jobs, progress, max_memory: As for :func:`parsimony_ml.cluster`. Callbacks of scikit-learn
            (``set_callbacks``, from 1.9 on) hear of the stages of ``fit``, too.

    Attributes:
        labels_: ndarray of shape (n_samples,), int32.
        n_clusters_: int.
        clustering_ (parsimony_ml.Clustering): The whole result: graph, scores, λ_k, report.
        n_features_in_, feature_names_in_: As in scikit-learn.
    """

    def __init__(
        self,
        n_clusters: Any = 8,
        *,
        affinity: Any = "nearest_neighbors",
        n_neighbors: Any = 10,
        method: Any = None,
        metric: Any = "euclidean",
        n_init: Any = "auto",
        options: Any = None,
        random_state: Any = None,
        n_jobs: Any = None,
        progress: Any = None,
        max_memory: Any = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.affinity = affinity
        self.n_neighbors = n_neighbors
        self.method = method
        self.metric = metric
        self.n_init = n_init
        self.options = options
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.progress = progress
        self.max_memory = max_memory

    @with_callbacks
    def fit(self, X: Any, y: Any = None) -> SpectralClustering:
        """Clusters the rows of X, or with a precomputed affinity the nodes of X."""
        if not isinstance(self.affinity, str) or self.affinity not in _AFFINITIES:
            raise InvalidArgumentError(
                f"affinity: must be one of {', '.join(map(repr, _AFFINITIES))}, not {self.affinity!r}"
            )
        tasks = FitTasks(self, X, y, self.progress)
        call = make_call(self.n_jobs, tasks.progress, self.max_memory, neighbors="n_neighbors", restarts="n_init")
        given = options_of(self, clusters="n_clusters", neighbors="n_neighbors", restarts="n_init", seed="random_state")
        given |= {"clusters": self.n_clusters, "seed": seed_of(self.random_state)}
        if self.method is not None:
            given["method"] = self.method
        if self.n_init != "auto":
            given["restarts"] = self.n_init
        self.clustering_ = self._fit_points(X, given, call) if _has_points(self) else self._fit_graph(X, given, call)
        self.labels_ = self.clustering_.labels
        self.n_clusters_ = self.clustering_.n_clusters
        tasks.done()
        return self

    def _fit_points(self, X: Any, given: dict[str, Any], call: _core.Call) -> Clustering:
        X = validate_data(self, X, dtype=[np.float32, np.float64], order="C", ensure_min_samples=2)
        given["metric"] = self.metric
        # scikit-learn's checks, and its users, fit a few points with the default number of neighbours.
        few = isinstance(self.n_neighbors, (int, np.integer)) and self.n_neighbors >= len(X)
        given["neighbors"] = len(X) - 1 if few else self.n_neighbors
        result, graph = _core.cluster_points(X, given, None, call)
        found = Clustering(result, graph, None)
        self._model = PointModel(X, found)
        return found

    def _fit_graph(self, X: Any, given: dict[str, Any], call: _core.Call) -> Clustering:
        from scipy.sparse import csr_array, issparse

        X = validate_data(
            self,
            X,
            accept_sparse=["csr", "csc", "coo"],
            dtype=[np.float32, np.float64],
            ensure_min_samples=2,
            ensure_non_negative=True,
        )
        graph = X if issparse(X) else csr_array(X)
        named = as_graph(graph, call, symmetrize=self.affinity == "precomputed_nearest_neighbors")
        return Clustering(_core.cluster_graph(named.graph, given, None, call), *named)

    @available_if(_has_points)
    def predict(self, X: Any) -> Any:
        """The clusters of new points, by a vote of their nearest neighbours among the fitted ones. A point that was
        fitted keeps its cluster."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=[np.float32, np.float64], order="C")
        return self._model.assign(X, n_jobs=self.n_jobs, progress=self.progress, max_memory=self.max_memory)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        precomputed = not _has_points(self)
        tags.input_tags.sparse = precomputed
        tags.input_tags.pairwise = precomputed
        tags.input_tags.positive_only = precomputed
        return tags
