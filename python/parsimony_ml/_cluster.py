"""Clusters of graphs and of points, their number, and scores."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from . import _core
from ._arrays import to_labels, to_points
from ._call import LOGGER, Progress, make_call, seed_of, with_named
from ._clustering import Choice, Clustering, Scores
from ._errors import InvalidArgumentError
from ._graphs import NamedGraph, as_graph, is_graph
from ._options import with_options

if TYPE_CHECKING:
    import numpy as np

    RandomState = int | np.random.Generator | np.random.RandomState | None

_A_MATRIX = "scipy.sparse.csr_array(W) makes a graph of a matrix of weights"


@with_options("cluster", "knn_graph", "read", "read_points")
def cluster(
    graph: Any,
    n_clusters: int | str,
    *,
    random_state: RandomState = 0,
    initial: Any = None,
    symmetrize: bool = False,
    weight: str | None = "weight",
    obsp: str = "connectivities",
    points: bool | None = None,
    n_jobs: int | None = None,
    progress: bool | Progress | None = None,
    max_memory: int | str | None = None,
    **options: Any,
) -> Clustering:
    """Divides the nodes of a graph, or points, into exactly ``n_clusters`` clusters.

    Args:
        graph: A graph: a symmetric matrix of scipy.sparse (any format, int32 or int64 indices; entries are weights), a
            graph of networkx or igraph, an AnnData with ``obsp``, a tuple ``(edges, weights)`` of an E × 2 array of
            nodes (numbers or text) and an array or None, or the path of a file (edge list, Matrix Market, METIS, .npz
            of SciPy, GraphML and others; plain, .gz or .zst). Or points: an n × d array, a DataFrame or a CPU tensor, one
            point a row, or the path of a .npy, .npz or text; they are clustered by the graph of their nearest neighbours.
        n_clusters: Exactly that many clusters; "auto": the most stable number (:func:`choose_n_clusters`).
        random_state: Seed of all random numbers, a NumPy generator, or None for a new seed. The same seed gives the
            same labels for any number of threads, and those of the command.
        initial: For each node its cluster in an earlier run, -1 for a new node: a warm start, in which clusters keep
            their numbers.
        symmetrize: Accept a matrix W that is not symmetric, or a directed graph, and use (W + W.T) / 2.
        weight: Attribute of the edges of networkx and igraph that holds the weights; None: all weights are 1.
        obsp: Key of the matrix in the AnnData.
        points: Whether the file of that path holds points; None: if its name ends in .npy, or it is a .npz of arrays.
        n_jobs: Number of threads; None or -1: all cores that the process may use.
        progress: True for a bar (tqdm), or a function that is called as progress(stage, done, total) in this thread, at
            most 20 times a second. An exception that it raises ends the run.
        max_memory: Bytes that the process may use, a number or a text such as "4GiB"; a run that needs more is refused
            before it starts. None: the limit of the container, if it has one.
        **options: Options of the methods and, for points, of their graph (``neighbors``, ``metric``, …); for a file
            those of its reader. The table is below.

    Returns:
        The labels, scores and the report of the run. A limit of iterations that was met is told by
        ``report["status"]``, not by an exception.

    Raises:
        InvalidArgumentError: An option or the graph is wrong; also a ValueError. The message names the keyword.
        MemoryLimitError: The run needs more memory than ``max_memory``; also a MemoryError.
        FileError, FormatError: The file cannot be read; also OSError and ValueError.

    Arrays are used where they lie if they fit: float32 or float64 points in C order, and CSR matrices with int32 columns
    and float32 weights, of which only int32 offsets are copied (8 bytes a node). No dense n × n matrix is made.
    """
    call = make_call(n_jobs, progress, max_memory, points="graph")
    given = with_named(options, clusters=n_clusters, seed=seed_of(random_state))
    start = None if initial is None else to_labels(initial, "initial")
    if isinstance(graph, (str, os.PathLike)):
        graph = _read(os.fspath(graph), points, symmetrize, given, call)
    if is_graph(graph):
        _refuse_options_of_others(given, "cluster")
        named = as_graph(graph, call, symmetrize=symmetrize, weight=weight, obsp=obsp)
        return Clustering(_core.cluster_graph(named.graph, given, start, call), *named)
    _refuse_options_of_others(given, "cluster", "knn_graph")
    array = to_points(graph, "graph")
    if symmetrize:
        raise InvalidArgumentError(f"symmetrize: has an effect only on graphs, and an array holds points; {_A_MATRIX}")
    _warn_of_matrix(array)
    found, neighbors = _core.cluster_points(array, given, start, call)
    return Clustering(found, neighbors, getattr(graph, "index", None) if hasattr(graph, "columns") else None)


def _read(path: str, points: bool | None, symmetrize: bool, given: dict[str, Any], call: _core.Call) -> Any:
    """The graph or the points of a file. Takes the keywords of its reader out of ``given``."""
    if points is None:
        points = not given.get("affinity") and _core.names_points(path, "format" not in given)
    table = "read_points" if points else "read"
    reading = {row["name"]: given.pop(row["name"]) for row in _core.options[table]() if row["name"] in given}
    if points:
        return _core.read_points(path, reading, call)
    return as_graph(path, call, symmetrize=symmetrize, read=reading)


def _refuse_options_of_others(given: dict[str, Any], *own: str) -> None:
    """Refuses an option that another kind of input has; one that none has is refused with the nearest name."""
    others = given.keys() - {row["name"] for table in own for row in _core.options[table]()}
    for table, kind in (("knn_graph", "points"), ("read", "files of graphs"), ("read_points", "files of points")):
        for row in _core.options[table]() if others else ():
            if row["name"] in others:
                raise InvalidArgumentError(f"{row['name']}: has an effect only on {kind}")


def _warn_of_matrix(array: np.ndarray[Any, Any]) -> None:
    if 2 < array.shape[0] == array.shape[1] and bool((array == array.T).all()):
        LOGGER.warning("a symmetric %d × %d array is taken for points; %s", *array.shape, _A_MATRIX)


@with_options("choose_n_clusters")
def choose_n_clusters(
    graph: Any,
    *,
    random_state: RandomState = 0,
    symmetrize: bool = False,
    weight: str | None = "weight",
    obsp: str = "connectivities",
    n_jobs: int | None = None,
    progress: bool | Progress | None = None,
    max_memory: int | str | None = None,
    **options: Any,
) -> Choice:
    """Chooses the number of clusters of a graph: the one whose clusters come out the same from other random signals.

    The arguments are those of :func:`cluster`; of points, :func:`knn_graph` makes the graph. The result has the number,
    and the stability of each number that was tried. O(order · edges · features) time.
    """
    call = make_call(n_jobs, progress, max_memory)
    named = as_graph(graph, call, symmetrize=symmetrize, weight=weight, obsp=obsp)
    given = with_named(options, seed=seed_of(random_state))
    return Choice(_core.choose_n_clusters(named.graph, given, call))


def score(
    graph: Any,
    labels: Any,
    *,
    self_loops: bool = False,
    symmetrize: bool = False,
    weight: str | None = "weight",
    obsp: str = "connectivities",
    n_jobs: int | None = None,
) -> Scores:
    """Scores the clusters of a graph: a dict of modularity, normalized_cut, mean_conductance, and for each cluster
    conductance, volume, cut and sizes.

    Args:
        graph: A graph as for :func:`cluster`.
        labels: For each node its cluster, 0, 1, …; words are numbered in ascending order. A dict by the names of the
            nodes also does.
        self_loops: Count self loops, as networkx and igraph do: one of weight w counts w inside its cluster and 2 w
            in the volume. Clustering leaves them out.
        symmetrize, weight, obsp, n_jobs: As for :func:`cluster`.
    """
    call = make_call(n_jobs)
    named = as_graph(graph, call, symmetrize=symmetrize, weight=weight, obsp=obsp)
    if isinstance(labels, dict):
        nodes = range(named.graph.nodes) if named.nodes is None else named.nodes
        missing = [node for node in nodes if node not in labels]
        if missing:
            raise InvalidArgumentError(f"labels: has none for {len(missing)} of the nodes, such as {missing[0]!r}")
        labels = [labels[node] for node in nodes]
    if named.graph.self_loops and not self_loops:
        LOGGER.warning("%d self loops are not in the scores; self_loops=True counts them", named.graph.self_loops)
    return dict(_core.score(named.graph, to_labels(labels, "labels"), self_loops, call))


def agreement(labels: Any, truth: Any) -> dict[str, float]:
    """How well two labelings of the same items agree, however their clusters are numbered.

    Returns adjusted_rand, normalized_mutual_information and adjusted_mutual_information: 1 for equal partitions. The
    first and the last are 0 on average for random labels. Labels are whole numbers or words. Raises
    InvalidArgumentError unless both have one length.
    """
    return dict(_core.agreement(to_labels(labels, "labels"), to_labels(truth, "truth"), make_call()))


@with_options("read")
def load_graph(
    path: str | os.PathLike[str],
    *,
    symmetrize: bool = False,
    progress: bool | Progress | None = None,
    max_memory: int | str | None = None,
    **options: Any,
) -> NamedGraph:
    """Reads the graph of a file once, for several calls: a tuple of the ``graph`` and of the names of its ``nodes``.

    Args:
        path: An edge list, Matrix Market, METIS, .npz of SciPy, GraphML and others; plain, .gz or .zst.
        symmetrize, progress, max_memory: As for :func:`cluster`.
        **options: See the table below.

    Raises FileError and FormatError, which names the line.
    """
    call = make_call(None, progress, max_memory)
    return as_graph(path, call, symmetrize=symmetrize, read=options)
