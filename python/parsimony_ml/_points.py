"""Graphs of points, and the clusters of new points."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import _core
from ._arrays import to_points
from ._call import Progress, make_call, seed_of, with_named
from ._clustering import Clustering
from ._counts import count_of
from ._errors import InvalidArgumentError
from ._graphs import to_csr_array
from ._options import with_options

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    RandomState = int | np.random.Generator | np.random.RandomState | None


@with_options("knn_graph")
def knn_graph(
    points: Any,
    neighbors: int = 10,
    *,
    random_state: RandomState = 0,
    n_jobs: int | None = None,
    progress: bool | Progress | None = None,
    max_memory: int | str | None = None,
    **options: Any,
) -> csr_array:
    """The graph of the nearest neighbours of points: a symmetric scipy.sparse.csr_array of weights in (0, 1].

    Args:
        points: n × d, one point a row: an array, a DataFrame or a CPU tensor; float32 and float64 are used where they
            lie.
        neighbors: Nearest neighbours of a point; raise it if clusters fall into pieces.
        random_state, n_jobs, progress, max_memory: As for :func:`cluster`.
        **options: See the table below.

    Exact up to 46,000 points, then approximate with a measured recall. O(n √n d) time, 8 n neighbors bytes.
    """
    call = make_call(n_jobs, progress, max_memory)
    given = with_named(options, neighbors=neighbors, seed=seed_of(random_state))
    graph, _ = _core.knn_graph(to_points(points), given, call)
    return to_csr_array(graph)


class PointModel:
    """Points with their clusters, to which new points are assigned.

    Args:
        points: The points that were clustered; the model holds a copy, in float32.
        clustering: The result of :func:`cluster` on them, or on a graph of them: then with 10 neighbours, Euclidean.

    Models can be pickled, and saved for the command's ``assign``.
    """

    def __init__(self, points: Any, clustering: Clustering) -> None:
        if not isinstance(clustering, Clustering):
            raise InvalidArgumentError(f"clustering: must be a result of cluster(), not {type(clustering).__name__}")
        array = to_points(points)
        if len(array) != len(clustering):
            raise InvalidArgumentError(f"points: has {count_of(len(array), 'row')} for a clustering of {len(clustering)}")
        ran = clustering.report["options"]
        given = {name: ran[name] for name in ("neighbors", "metric") if name in ran}
        self._core = _core.make_model(array, clustering.labels, clustering.n_clusters, given, make_call())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> PointModel:
        """The model of a file that :meth:`save` or the command's ``cluster --save-model`` wrote."""
        self = cls.__new__(cls)
        self._core = _core.load_model(os.fspath(path), make_call())
        return self

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a .npz archive, under a temporary name that is then changed."""
        self._core.save(os.fspath(path), make_call())

    @property
    def n_clusters(self) -> int:
        return self._core.clusters

    @with_options("assign")
    def assign(
        self,
        points: Any,
        *,
        random_state: RandomState = 0,
        n_jobs: int | None = None,
        progress: bool | Progress | None = None,
        max_memory: int | str | None = None,
        **options: Any,
    ) -> NDArray[np.int32]:
        """The cluster of each row of ``points``, by a vote of its nearest points in the model. A point that was
        clustered keeps its cluster. Assign many points in one call. The keywords are those of :func:`cluster`."""
        call = make_call(n_jobs, progress, max_memory)
        found = self._core.assign(to_points(points), with_named(options, seed=seed_of(random_state)), call)
        labels: NDArray[np.int32] = found["labels"]
        return labels

    def __repr__(self) -> str:
        return f"PointModel({self._core.rows} × {self._core.cols} points in {count_of(self.n_clusters, 'cluster')})"
