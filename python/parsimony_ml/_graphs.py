"""The graphs that people have, as graphs of the library.

No matrix of all pairs is ever made. The arrays of a SciPy matrix in CSR form (of a symmetric one also in CSC form) are
used where they lie if they are sound: columns that ascend within a row, no diagonal, both triangles, int32 columns and
float32 weights. Otherwise these are copied: the offsets if they are int32 (8 bytes a node), the columns if they are
int64, the weights if they are not float32 (weights that are all 1 are left out). Any other matrix is sorted, in about
32 bytes an entry.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import _core
from ._arrays import is_of, is_sparse, to_numpy
from ._errors import InvalidArgumentError

_MOST_NODES = 2**31 - 1


class NamedGraph(NamedTuple):
    """A graph, and the names of its nodes: None for 0, 1, …"""

    graph: _core.Graph
    nodes: Any


def to_csr_array(graph: _core.Graph) -> Any:
    """The graph as a scipy.sparse.csr_array that shares its columns and weights."""
    from scipy.sparse import csr_array

    offsets, columns, values = graph.csr()
    if values is None:
        values = np.ones(len(columns), dtype=np.float32)
    # SciPy would make int64 columns beside int64 offsets.
    narrow = offsets.astype(np.int32) if len(columns) < _MOST_NODES else offsets
    return csr_array((values, columns, narrow), shape=(graph.nodes, graph.nodes))


def is_graph(value: object) -> bool:
    """Whether the value is a graph; arrays and DataFrames are points."""
    return (
        isinstance(value, (_core.Graph, NamedGraph, tuple, str, os.PathLike))
        or is_sparse(value)
        or is_of("networkx", "Graph", value)
        or is_of("igraph", "Graph", value)
        or is_of("anndata", "AnnData", value)
    )


def as_graph(
    graph: Any,
    call: _core.Call,
    *,
    symmetrize: bool = False,
    weight: str | None = "weight",
    obsp: str = "connectivities",
    read: dict[str, Any] | None = None,
) -> NamedGraph:
    """Raises InvalidArgumentError with a name of the input, what is wrong, and what would be right."""
    if isinstance(graph, NamedGraph):
        return graph
    if isinstance(graph, _core.Graph):
        return NamedGraph(graph, None)
    if isinstance(graph, (str, os.PathLike)):
        return _from_path(graph, symmetrize, read or {}, call)
    if read:
        raise InvalidArgumentError(f"{next(iter(read))}: has an effect only if the graph is a file")
    if is_sparse(graph):
        return NamedGraph(_from_sparse(graph, symmetrize, call), None)
    if is_of("networkx", "Graph", graph):
        return _from_networkx(graph, symmetrize, weight, call)
    if is_of("igraph", "Graph", graph):
        return _from_igraph(graph, symmetrize, weight, call)
    if is_of("anndata", "AnnData", graph):
        return _from_anndata(graph, symmetrize, obsp, call)
    if isinstance(graph, tuple):
        return _from_edges(graph, symmetrize, call)
    raise InvalidArgumentError(
        "graph: must be a matrix of scipy.sparse, a graph of networkx or igraph, an AnnData, a tuple "
        f"(edges, weights), or the path of a file, not {type(graph).__name__}"
    )


def _from_path(path: str | os.PathLike[str], symmetrize: bool, read: dict[str, Any], call: _core.Call) -> NamedGraph:
    if symmetrize:
        read = {**read, "symmetrize": True}
    graph = _core.Graph.from_file(os.fspath(path), read, call)
    return NamedGraph(graph, graph.ids())


def _weights(values: Any) -> NDArray[np.float32] | None:
    """Weights as float32; None if all are 1. Values that float32 cannot hold become infinite, which is refused."""
    array = to_numpy(values, "graph: weights")
    if array.dtype.kind not in "fiub":
        raise InvalidArgumentError(f"graph: weights must be real numbers, not of type {array.dtype}")
    ones = array.all() if array.dtype == bool else array.size > 0 and array.flat[0] == 1 and (array == 1).all()
    if ones:
        return None
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(array, dtype=np.float32)


def _columns(indices: NDArray[Any], nodes: int) -> NDArray[np.int32]:
    if nodes > _MOST_NODES:
        raise InvalidArgumentError(f"graph: has {nodes} nodes; must be at most {_MOST_NODES}")
    if indices.dtype != np.int32 and indices.size:
        low, high = indices.min(), indices.max()
        if low < 0 or high >= nodes:
            raise InvalidArgumentError(f"graph: a column is {low if low < 0 else high}; must be 0 to {nodes - 1}")
    return np.ascontiguousarray(indices, dtype=np.int32)


def _from_sparse(matrix: Any, symmetrize: bool, call: _core.Call) -> _core.Graph:
    if len(matrix.shape) != 2 or matrix.shape[0] != matrix.shape[1]:
        raise InvalidArgumentError(
            f"graph: the shape {matrix.shape} is not square; if rows and columns are two kinds of nodes, give "
            "scipy.sparse.block_array([[None, B], [B.T, None]])"
        )
    # The arrays of a symmetric matrix in CSC form are those of its CSR form; W and its transpose have one mean.
    if matrix.format not in ("csr", "csc"):
        matrix = matrix.tocsr()
    nodes = int(matrix.shape[0])
    return _core.Graph.from_csr(
        np.ascontiguousarray(matrix.indptr, dtype=np.int64),
        _columns(matrix.indices, nodes),
        _weights(matrix.data),
        symmetrize,
        call,
    )


def _from_directed(
    nodes: int,
    source: NDArray[Any],
    target: NDArray[Any],
    weights: NDArray[np.float32] | None,
    call: _core.Call,
) -> _core.Graph:
    """The mean of W and its transpose, where W has an entry for each arc."""
    order = np.argsort(source, kind="stable")
    offsets = np.zeros(nodes + 1, dtype=np.int64)
    np.cumsum(np.bincount(source, minlength=nodes), out=offsets[1:])
    values = None if weights is None else weights[order]
    return _core.Graph.from_csr(offsets, _columns(target[order], nodes), values, True, call)


def _from_numbered_edges(
    nodes: int,
    edges: NDArray[Any],
    weights: NDArray[np.float32] | None,
    directed: bool,
    symmetrize: bool,
    kind: str,
    call: _core.Call,
) -> _core.Graph:
    source, target = np.ascontiguousarray(edges[:, 0]), np.ascontiguousarray(edges[:, 1])
    if not directed:
        # networkx and igraph give parallel edges the same direction, so that they add up.
        return _core.Graph.from_edges(nodes, _columns(source, nodes), _columns(target, nodes), weights, symmetrize, call)
    if not symmetrize:
        raise InvalidArgumentError(f"graph: {kind} is directed; symmetrize=True takes the mean (W + W.T) / 2")
    return _from_directed(nodes, source, target, weights, call)


def _edge_weights(
    values: Iterable[Any], count: int, weight: str, attributes: Callable[[], Iterable[str]]
) -> NDArray[np.float32] | None:
    """The weights of the edges by their attribute; ``attributes`` tells those that any edge has."""
    try:
        weights = _weights(np.fromiter(values, np.float64, count))
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(f"weight: the edges' attribute {weight!r} must be a number: {error}") from None
    if weights is None and count and weight != "weight" and weight not in attributes():
        raise InvalidArgumentError(f"weight: no edge has the attribute {weight!r}; weight=None takes 1 for all")
    return weights


def _from_networkx(graph: Any, symmetrize: bool, weight: str | None, call: _core.Call) -> NamedGraph:
    nodes = list(graph)
    number = {node: i for i, node in enumerate(nodes)}
    count = graph.number_of_edges()
    edges = np.fromiter((number[node] for edge in graph.edges() for node in edge), dtype=np.int32, count=2 * count).reshape(
        -1, 2
    )
    weights = None
    if weight is not None:
        weights = _edge_weights(
            (w for *_, w in graph.edges(data=weight, default=1)),
            count,
            weight,
            lambda: (name for *_, data in graph.edges(data=True) for name in data),
        )
    made = _from_numbered_edges(
        len(nodes), edges, weights, graph.is_directed(), symmetrize, f"networkx.{type(graph).__name__}", call
    )
    return NamedGraph(made, nodes)


def _from_igraph(graph: Any, symmetrize: bool, weight: str | None, call: _core.Call) -> NamedGraph:
    edges = np.asarray(graph.get_edgelist(), dtype=np.int32).reshape(-1, 2)
    weights = None
    if weight is not None:
        known = weight in graph.es.attributes()
        weights = _edge_weights(graph.es[weight] if known else [1] * len(edges), len(edges), weight, graph.es.attributes)
    nodes = graph.vs["name"] if "name" in graph.vs.attributes() else None
    made = _from_numbered_edges(
        graph.vcount(), edges, weights, graph.is_directed(), symmetrize, "the graph of igraph", call
    )
    return NamedGraph(made, nodes)


def _from_anndata(data: Any, symmetrize: bool, obsp: str, call: _core.Call) -> NamedGraph:
    if obsp not in data.obsp:
        have = ", ".join(data.obsp.keys()) or "nothing (scanpy.pp.neighbors makes one)"
        raise InvalidArgumentError(f"obsp: the AnnData has no obsp[{obsp!r}]; it has {have}")
    matrix = data.obsp[obsp]
    if not is_sparse(matrix):
        from scipy.sparse import csr_array

        matrix = csr_array(matrix)
    return NamedGraph(_from_sparse(matrix, symmetrize, call), data.obs_names)


def _numbered(names: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int32]]:
    """The different names, ascending, and for each place the number of its name."""
    if names.dtype.kind in "iu" and names.size:
        low, high = int(names.min()), int(names.max())
        # Sorting takes a second for a few million, and Ctrl-C waits for it.
        if high - low < 4 * names.size and high < 2**63:
            # The type of the names may be too narrow for the difference.
            place = names - low if low >= 0 else np.subtract(names, low, dtype=np.int64)
            present = np.zeros(high - low + 1, dtype=bool)
            present[place] = True
            number = np.cumsum(present, dtype=np.int32) - np.int32(1)
            return np.flatnonzero(present) + low, number[place]
    try:
        nodes, numbers = np.unique(names, return_inverse=True)
    except TypeError as error:
        raise InvalidArgumentError(f"graph: edges must name nodes all by numbers or all by text: {error}") from None
    return nodes, numbers.reshape(names.shape).astype(np.int32)


def _from_edges(given: tuple[Any, ...], symmetrize: bool, call: _core.Call) -> NamedGraph:
    if len(given) != 2:
        raise InvalidArgumentError(
            f"graph: a tuple must be (edges, weights), with None for edges without weights, not {len(given)} values"
        )
    edges = to_numpy(given[0], "graph: edges")
    if edges.ndim != 2 or edges.shape[1] != 2:
        raise InvalidArgumentError(f"graph: edges must be an array of two columns, not of shape {edges.shape}")
    weights = None if given[1] is None else _weights(given[1])
    if weights is not None and weights.shape != (len(edges),):
        raise InvalidArgumentError(f"graph: {weights.shape} weights for {len(edges)} edges")
    if edges.dtype.kind == "f":
        raise InvalidArgumentError(f"graph: edges must name nodes by whole numbers or text, not by {edges.dtype}")
    nodes, numbers = _numbered(edges)
    made = _core.Graph.from_edges(
        len(nodes),
        np.ascontiguousarray(numbers[:, 0]),
        np.ascontiguousarray(numbers[:, 1]),
        weights,
        symmetrize,
        call,
    )
    return NamedGraph(made, nodes)
