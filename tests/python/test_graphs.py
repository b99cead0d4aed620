"""Each kind of input is the same graph, at the cost that _graphs.py states."""

import logging
import pickle
import sys
import tracemalloc
from types import SimpleNamespace

import igraph as ig
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse as sp

import parsimony_ml as pm
from parsimony_ml._call import make_call
from parsimony_ml._graphs import as_graph, to_csr_array

CALL = make_call()


def same(graph, matrix):
    """Whether the graph of any input has exactly these entries."""
    found = to_csr_array(as_graph(graph, CALL).graph)
    found.sort_indices()
    return found.shape == matrix.shape and abs(found - matrix).nnz == 0


def edges_of(matrix):
    upper = sp.triu(matrix).tocoo()
    return np.column_stack([upper.row, upper.col]), upper.data


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "lil"])
@pytest.mark.parametrize("make", [sp.csr_array, sp.csr_matrix])
@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("value", [np.float32, np.float64, np.int32])
def test_matrices_of_scipy(weighted_blocks, kind, make, index, value):
    matrix = weighted_blocks[0] if value != np.int32 else weighted_blocks[0].ceil()
    given = make(matrix).astype(value).asformat(kind)
    if kind in ("csr", "csc"):
        given.indices, given.indptr = given.indices.astype(index), given.indptr.astype(index)
    assert same(given, matrix)


def test_weights_that_are_all_one_are_left_out(blocks):
    for given in (blocks[0], blocks[0].astype(bool), blocks[0].astype(np.float64)):
        graph = as_graph(given, CALL).graph
        assert graph.csr()[2] is None
        assert same(given, blocks[0])


def test_a_sound_matrix_is_used_where_it_lies(weighted_blocks):
    matrix = weighted_blocks[0]
    offsets, columns, values = as_graph(matrix, CALL).graph.csr()
    assert np.shares_memory(columns, matrix.indices)
    assert np.shares_memory(values, matrix.data)
    assert not np.shares_memory(offsets, matrix.indptr)  # int32 offsets become int64
    long = matrix.copy()
    long.indptr = long.indptr.astype(np.int64)
    assert np.shares_memory(as_graph(long, CALL).graph.csr()[0], long.indptr)
    csc = matrix.tocsc()
    assert np.shares_memory(as_graph(csc, CALL).graph.csr()[1], csc.indices)


def test_the_graph_keeps_the_arrays_of_a_matrix_alive(weighted_blocks):
    matrix = weighted_blocks[0].copy()
    before = sys.getrefcount(matrix.data)
    graph = as_graph(matrix, CALL).graph
    data = matrix.data
    assert sys.getrefcount(data) == before + 2
    del matrix
    assert (graph.csr()[2] == data).all()


def test_columns_out_of_order_and_diagonals_are_mended(weighted_blocks):
    matrix = weighted_blocks[0]
    shuffled = matrix.copy()
    for row in range(shuffled.shape[0]):
        part = slice(shuffled.indptr[row], shuffled.indptr[row + 1])
        shuffled.indices[part] = shuffled.indices[part][::-1].copy()
        shuffled.data[part] = shuffled.data[part][::-1].copy()
    shuffled.has_sorted_indices = False
    assert same(shuffled, matrix)
    assert same(sp.csr_array(matrix + sp.diags_array(np.full(matrix.shape[0], 3.0))), matrix)
    doubled = sp.coo_array(
        (np.tile(matrix.tocoo().data / 2, 2), (np.tile(matrix.tocoo().row, 2), np.tile(matrix.tocoo().col, 2))),
        shape=matrix.shape,
    )
    assert same(doubled, matrix)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w[:10], r"graph: the shape \(10, 600\) is not square"),
        (lambda w: sp.triu(w).tocsr(), r"graph: .*symmetri"),
        (lambda w: -w, r"graph: .*weight -"),
        (lambda w: w.astype(complex), "graph: weights must be real numbers, not of type complex"),
        (lambda w: w * np.float64(1e300), "graph: .*weight inf"),
        (lambda w: w * np.nan, "graph: .*weight nan"),
        (lambda w: {"a": 1}, "graph: points must have two dimensions, one point a row, not dict"),
        (lambda w: (np.zeros((3, 3), int), None), "graph: edges must be an array of two columns"),
        (lambda w: (np.zeros((3, 2), int), [1, 2]), r"graph: \(2,\) weights for 3 edges"),
        (lambda w: (np.zeros((3, 2)), None), "graph: edges must name nodes by whole numbers or text"),
        (lambda w: (1, 2, 3), r"graph: a tuple must be \(edges, weights\)"),
        (lambda w: ([(0, 1), (1,)], None), "graph: edges: cannot become an array"),
        (lambda w: (np.array([(0, "a")], dtype=object), None), "graph: edges must name nodes all by numbers or all by"),
        (lambda w: ([(0, 1)], np.ma.masked_equal([1], 1)), "graph: weights: has masked values"),
    ],
)
def test_bad_graphs_are_refused(weighted_blocks, change, message):
    with pytest.raises(pm.InvalidArgumentError, match=message):
        pm.cluster(change(weighted_blocks[0]), 2)


def test_a_broken_matrix_is_refused(blocks):
    matrix = blocks[0].copy()
    matrix.indices[7] = 10_000
    with pytest.raises(pm.InvalidArgumentError, match="10000"):
        pm.cluster(matrix, 2)
    matrix = blocks[0].copy()
    matrix.indptr[5] = 10**6
    with pytest.raises(pm.InvalidArgumentError, match="offset"):
        pm.cluster(matrix, 2)


def test_symmetrize_takes_the_mean(weighted_blocks):
    upper = sp.triu(weighted_blocks[0]).tocsr()
    found = to_csr_array(as_graph(upper, CALL, symmetrize=True).graph)
    assert abs(found * 2 - weighted_blocks[0]).max() < 1e-6


def test_graphs_of_networkx_have_their_weights_and_names(weighted_blocks):
    graph = nx.relabel_nodes(nx.from_scipy_sparse_array(weighted_blocks[0]), lambda node: f"node {node}")
    assert same(graph, weighted_blocks[0])
    found = pm.cluster(graph, 4)
    assert found.nodes == list(graph)
    assert found.as_dict()["node 0"] == found.labels[0]
    assert set.union(*found.communities()) == set(graph)
    ours = nx.community.modularity(graph, found.communities())
    assert found.scores()["modularity"] == pytest.approx(ours, abs=1e-6)
    unweighted = as_graph(graph, CALL, weight=None).graph
    assert unweighted.csr()[2] is None


def test_multigraphs_add_parallel_edges():
    edges = [(0, 1), (1, 0), (0, 1), (2, 1)]
    for graph in (nx.MultiGraph(edges), ig.Graph(3, edges)):
        assert same(graph, sp.csr_array(np.array([[0, 3, 0], [3, 0, 1], [0, 1, 0]], dtype=float)))


@pytest.mark.parametrize("edges", [[(0, 1), (1, 2)], [(0, 1), (1, 0), (1, 2), (2, 1)]])
def test_directed_graphs_need_symmetrize(edges):
    for graph in (nx.DiGraph(edges), ig.Graph(3, edges, directed=True)):
        with pytest.raises(pm.InvalidArgumentError, match="directed; symmetrize=True"):
            pm.cluster(graph, 2)
        matrix = sp.coo_array((np.ones(len(edges)), np.array(edges).T), shape=(3, 3)).tocsr()
        mean = to_csr_array(as_graph(graph, CALL, symmetrize=True).graph)
        assert abs(mean - (matrix + matrix.T) / 2).nnz == 0


def test_graphs_of_igraph(weighted_blocks):
    edges, weights = edges_of(weighted_blocks[0])
    graph = ig.Graph(weighted_blocks[0].shape[0], edges.tolist())
    graph.es["weight"] = weights.tolist()
    assert same(graph, weighted_blocks[0])
    found = pm.cluster(graph, 4)
    assert found.nodes == range(600)
    assert found.scores()["modularity"] == pytest.approx(graph.modularity(found.labels, weights="weight"), abs=1e-6)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (["heavy", 1], "the edges' attribute 'cost' must be a number: could not convert string"),
        ([1j, 1], "the edges' attribute 'cost' must be a number"),
        (None, "no edge has the attribute 'cost'"),
    ],
)
def test_attributes_that_are_no_weights_are_refused(weights, message):
    ours, theirs = nx.path_graph(3), ig.Graph(3, [(0, 1), (1, 2)])
    if weights is not None:
        nx.set_edge_attributes(ours, dict(zip(ours.edges, weights, strict=True)), "cost")
        theirs.es["cost"] = weights
    for graph in (ours, theirs):
        with pytest.raises(pm.InvalidArgumentError, match=f"weight: {message}"):
            pm.cluster(graph, 2, weight="cost")
        assert pm.cluster(graph, 2).n_clusters == 2


def test_weights_may_be_words_of_numbers():
    graph = nx.MultiGraph()
    graph.add_weighted_edges_from([("a", "b", "2"), ("a", "b", "3"), ("b", "c", "0.5")])
    assert same(graph, sp.csr_array(np.array([[0, 5, 0], [5, 0, 0.5], [0, 0.5, 0]])))


def test_nodes_that_are_tuples_keep_their_names():
    graph = nx.grid_2d_graph(3, 4)
    series = pm.cluster(graph, 2).to_series()
    assert list(series.index) == list(graph)
    assert series.index.nlevels == 1


def test_annotated_data(monkeypatch, weighted_blocks):
    # The class stands for anndata.AnnData, which has these two attributes.
    class AnnData:
        def __init__(self, matrix):
            self.obsp = {"connectivities": matrix}
            self.obs_names = pd.Index([f"cell{i}" for i in range(matrix.shape[0])])

    monkeypatch.setitem(sys.modules, "anndata", SimpleNamespace(AnnData=AnnData))
    found = pm.cluster(AnnData(weighted_blocks[0]), 4)
    series = found.to_series("parsimony", categorical=True)
    assert list(series.index[:2]) == ["cell0", "cell1"]
    assert series.dtype == "category"
    assert (pm.cluster(AnnData(weighted_blocks[0].toarray()), 4).labels == found.labels).all()
    with pytest.raises(pm.InvalidArgumentError, match=r"obsp: .* no obsp\['distances'\]; it has connectivities"):
        pm.cluster(AnnData(weighted_blocks[0]), 4, obsp="distances")


def test_edges_by_numbers_and_by_names(weighted_blocks):
    edges, weights = edges_of(weighted_blocks[0])
    assert same((edges, weights), weighted_blocks[0])
    frame = pd.DataFrame({"a": [f"n{i:03}" for i in edges[:, 0]], "b": [f"n{i:03}" for i in edges[:, 1]]})
    assert same((frame, weights), weighted_blocks[0])
    assert as_graph((frame, None), CALL).nodes[5] == "n005"
    above = np.arange(600, dtype=np.uint64) + np.uint64(2**63)
    for ids in (np.arange(600) + 1000, np.arange(600) * 10**9 - 5, above):  # close together, and far apart
        named = as_graph((ids[edges], weights), CALL)
        assert (named.nodes == ids).all()
        assert same(named, weighted_blocks[0])


def test_numbers_of_nodes_may_need_a_wider_type():
    ids = np.arange(-100, 101, dtype=np.int8)
    named = as_graph((np.column_stack([ids[:-1], ids[1:]]), None), CALL)
    assert (named.nodes == ids).all()
    assert same(named, sp.diags_array([np.ones(200), np.ones(200)], offsets=[-1, 1]).tocsr())


def test_files_are_read_as_the_command_reads_them(tmp_path, weighted_blocks):
    path = tmp_path / "graph.mtx"
    scipy.io.mmwrite(path, sp.coo_array(weighted_blocks[0]), symmetry="symmetric", precision=9)
    assert same(path, weighted_blocks[0])
    names = tmp_path / "edges.txt"
    names.write_text("a b 1\nb c 2\nc a 1\n")
    named = pm.load_graph(names)
    assert named.nodes == ["a", "b", "c"]
    assert pm.cluster(named, 1).as_dict() == {"a": 0, "b": 0, "c": 0}
    numbers = tmp_path / "numbers.txt"
    numbers.write_text("7 3\n3 12\n")
    assert pm.load_graph(str(numbers)).nodes.tolist() == [3, 7, 12]
    with pytest.raises(pm.InvalidArgumentError, match="columns: has an effect only if the graph is a file"):
        as_graph(weighted_blocks[0], CALL, read={"columns": "1,2"})


def test_graphs_can_be_pickled(tmp_path, weighted_blocks):
    for given in (weighted_blocks[0], (np.array([[0, 1], [1, 2], [2, 2]]), None)):
        graph = as_graph(given, CALL).graph
        again = pickle.loads(pickle.dumps(graph))
        assert again.self_loops == graph.self_loops
        assert all((a is b) or (a == b).all() for a, b in zip(again.csr(), graph.csr(), strict=True))
    names = tmp_path / "edges.txt"
    names.write_text("a b\nb c\nc a\n")
    assert pm.cluster(pickle.loads(pickle.dumps(pm.load_graph(names))), 1).nodes == ["a", "b", "c"]


def test_self_loops_count_in_scores_where_asked_for(caplog):
    graph = nx.karate_club_graph()
    graph.add_edge(0, 0, weight=5)
    graph.add_edge(33, 33, weight=2)
    labels = {node: int(graph.nodes[node]["club"] == "Officer") for node in graph}
    groups = [{n for n in graph if labels[n] == c} for c in (0, 1)]
    counted = pm.score(graph, labels, self_loops=True)
    assert counted["modularity"] == pytest.approx(nx.community.modularity(graph, groups), abs=1e-6)
    with caplog.at_level(logging.WARNING, logger="parsimony_ml"):
        without = pm.score(graph, labels)
    assert "2 self loops are not in the scores" in caplog.text
    graph.remove_edges_from([(0, 0), (33, 33)])
    assert without["modularity"] == pytest.approx(nx.community.modularity(graph, groups), abs=1e-6)


def test_no_matrix_of_all_pairs_is_made():
    nodes = 20_000
    ring = np.column_stack([np.arange(nodes), (np.arange(nodes) + 1) % nodes])
    tracemalloc.start()
    try:
        found = pm.cluster((ring, None), 4)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.n_clusters == 4
    assert peak < 200 * nodes  # bytes of NumPy and Python; a bit a pair would be 50 MB
