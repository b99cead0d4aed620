"""Clusters of graphs and of points, their number, and scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _core
from ._arrays import to_labels, to_points
from ._call import Progress, make_call, seed_of
from ._clustering import Clustering
from ._graphs import as_graph, is_graph

if TYPE_CHECKING:
    import numpy as np


def cluster(
    graph: Any,
    n_clusters: int | str,
    *,
    random_state: int | np.random.Generator | np.random.RandomState | None = 0,
    initial: Any = None,
    symmetrize: bool = False,
    weight: str | None = "weight",
    obsp: str = "connectivities",
    n_jobs: int | None = None,
    progress: bool | Progress | None = None,
    max_memory: int | str | None = None,
    **options: Any,
) -> Clustering:
    """Divides a graph, or points, into exactly ``n_clusters`` clusters."""
    call = make_call(n_jobs, progress, max_memory)
    given = {**options, "clusters": n_clusters, "seed": seed_of(random_state)}
    if not is_graph(graph):
        points = to_points(graph)
        start = None if initial is None else to_labels(initial, "initial")
        found, neighbors = _core.cluster_points(points, given, start, call)
        return Clustering(found, neighbors, getattr(graph, "index", None))
    named = as_graph(graph, call, symmetrize=symmetrize, weight=weight, obsp=obsp)
    start = None if initial is None else to_labels(initial, "initial")
    return Clustering(_core.cluster_graph(named.graph, given, start, call), *named)


def agreement(labels: Any, truth: Any) -> dict[str, float]:
    """How well two labelings of the same items agree, however their clusters are numbered.

    Returns adjusted_rand, normalized_mutual_information and adjusted_mutual_information: 1 for equal partitions. The
    first and the last are 0 on average for random labels. Labels are whole numbers or words. Raises
    InvalidArgumentError unless both have one length.
    """
    return _core.agreement(to_labels(labels, "labels"), to_labels(truth, "truth"), make_call())
