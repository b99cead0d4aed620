"""Clusters of graphs and points: the results of the command, and what the result offers."""

import json
import logging
import pickle

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, normalized_mutual_info_score

import parsimony_ml as pm

mpl.use("agg")


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(1500, n_features=5, centers=6, cluster_std=0.6, random_state=3)


@pytest.fixture(scope="module")
def on_points(blobs):
    return pm.cluster(blobs[0], "auto", max_clusters=12)


@pytest.mark.parametrize("method", ["auto", "compressive", "filtered", "exact"])
@pytest.mark.parametrize("seed", [0, 12345678901234567890])
def test_labels_of_a_graph_are_those_of_the_command(tmp_path, command, weighted_blocks, method, seed):
    sp.save_npz(tmp_path / "graph.npz", weighted_blocks[0])
    command(
        "cluster", tmp_path / "graph.npz", "--clusters", 4, "--method", method, "--seed", seed,
        "--output", tmp_path / "labels.npy",
    )  # fmt: skip
    found = pm.cluster(weighted_blocks[0], 4, method=method, random_state=seed)
    assert found.labels.tobytes() == np.load(tmp_path / "labels.npy").tobytes()
    assert pm.agreement(found.labels, weighted_blocks[1])["adjusted_rand"] > 0.9


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("clusters", [6, "auto"])
def test_labels_of_points_are_those_of_the_command(tmp_path, command, blobs, dtype, clusters):
    points = (blobs[0] + 1e4).astype(dtype)
    np.save(tmp_path / "points.npy", points)
    report = json.loads(
        command(
            "cluster", tmp_path / "points.npy", "--clusters", clusters, "--seed", 5, "--neighbors", 12,
            "--output", tmp_path / "labels.npy", "--save-model", tmp_path / "model.npz", "--json",
        )
    )  # fmt: skip
    found = pm.cluster(points, clusters, random_state=5, neighbors=12)
    assert found.labels.tobytes() == np.load(tmp_path / "labels.npy").tobytes()
    assert found.report["options"] == report["options"]
    assert found.n_clusters == 6
    read = pm.cluster(tmp_path / "points.npy", clusters, random_state=5, neighbors=12)
    assert read.labels.tobytes() == found.labels.tobytes()
    model = pm.PointModel.load(tmp_path / "model.npz")
    new = points[:200] + np.float32(0.01)
    ours = pm.PointModel(points, found)
    assert (model.assign(new) == ours.assign(new)).all()
    ours.save(tmp_path / "ours.npz")
    saved, expected = np.load(tmp_path / "ours.npz"), np.load(tmp_path / "model.npz")
    assert saved.files == expected.files
    for name in saved.files:
        assert (saved[name] == expected[name]).all(), name


def test_any_number_of_threads_gives_the_same_bytes(blobs, weighted_blocks):
    for given, keywords in ((blobs[0], {}), (weighted_blocks[0], {"method": "compressive"})):
        labels = {pm.cluster(given, 5, n_jobs=jobs, **keywords).labels.tobytes() for jobs in (1, 2, 3, 8, -1, None)}
        assert len(labels) == 1


def test_the_number_of_clusters_is_found(on_points, blobs):
    assert on_points.n_clusters == 6
    assert on_points.scores(blobs[1])["adjusted_rand"] == 1
    choice = on_points.choice
    assert int(choice) == 6
    assert choice.stability[choice.tried == 6] > 0.95
    alone = pm.choose_n_clusters(pm.knn_graph(blobs[0]), max_clusters=12)
    assert alone.n_clusters == 6
    assert alone.report["algorithm"]
    assert (np.diff(alone.tried) > 0).all()


def test_models_need_the_clusters_of_their_points(blobs, on_points):
    found = pm.cluster(pm.knn_graph(blobs[0]), 6)
    assert (pm.PointModel(blobs[0], found).assign(blobs[0]) == found.labels).all()
    with pytest.raises(pm.InvalidArgumentError, match=r"clustering: must be a result of cluster\(\), not ndarray"):
        pm.PointModel(blobs[0], on_points.labels)
    with pytest.raises(pm.InvalidArgumentError, match="points: has 9 rows for a clustering of 1500"):
        pm.PointModel(blobs[0][:9], on_points)


def test_knn_graph_is_symmetric_and_joins_the_nearest(blobs):
    points = blobs[0][:300].astype(np.float32)
    graph = pm.knn_graph(points, 7, weights="binary")
    assert graph.indices.dtype == np.int32
    distances = ((points[:, None] - points[None]) ** 2).sum(-1)
    np.fill_diagonal(distances, np.inf)
    nearest = np.zeros_like(distances)
    np.put_along_axis(nearest, np.argsort(distances, axis=1)[:, :7], 1, axis=1)
    assert (graph.toarray() == np.maximum(nearest, nearest.T)).all()
    weighted = pm.knn_graph(points, 7)
    assert (weighted != weighted.T).nnz == 0
    assert 0 < weighted.data.min() <= weighted.data.max() <= 1
    # The function and the clustering of points see one graph.
    assert abs(pm.cluster(points, 3, neighbors=7).adjacency - weighted).nnz == 0


def test_points_of_other_libraries(blobs):
    points = blobs[0].astype(np.float32)
    labels = pm.cluster(points, 6).labels
    frame = pd.DataFrame(points, index=[f"r{i}" for i in range(len(points))])
    found = pm.cluster(frame, 6)
    assert (found.labels == labels).all()
    assert list(found.to_series().index[:2]) == ["r0", "r1"]
    for given in (points.tolist(), np.asfortranarray(points), points.astype(np.float64)):
        assert (pm.cluster(given, 6).labels == labels).all()
    torch = pytest.importorskip("torch")
    assert (pm.cluster(torch.from_numpy(points), 6).labels == labels).all()


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.zeros(5), r"points must have two dimensions, one point a row, not shape \(5,\)"),
        (None, "points must have two dimensions, one point a row, not NoneType"),
        ([["a", "b"], ["c", "d"]], "must be real numbers"),
        ([[1, 2], [3]], "cannot become an array"),
        (np.ones((20, 2), complex), "must be real numbers, not of type complex128"),
        (np.zeros((20, 2), "M8[s]"), "must be real numbers, not of type datetime64"),
        (np.ma.masked_equal(np.eye(20), 1), "has masked values"),
        (pd.DataFrame({"x": [1, 2], "name": ["a", "b"]}), "must be real numbers: could not convert string"),
    ],
)
def test_bad_points_are_refused(points, message):
    with pytest.raises(pm.InvalidArgumentError, match=f"^graph: .*{message}"):
        pm.cluster(points, 2)
    with pytest.raises(pm.InvalidArgumentError, match=f"^points: .*{message}"):
        pm.knn_graph(points)


def test_points_must_be_finite():
    with pytest.raises(pm.InvalidArgumentError, match="row 0 of the points has the value nan"):
        pm.cluster(np.full((20, 2), np.nan), 2)


def test_masks_without_a_masked_value_are_no_hindrance(blobs):
    assert (pm.cluster(np.ma.masked_invalid(blobs[0]), 6).labels == pm.cluster(blobs[0], 6).labels).all()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1, np.nan], "labels: item 2 is nan"),
        (["a", None, "b"], "labels: must be all numbers or all text"),
        (np.ma.masked_equal([0, 1, 2], 1), "labels: has masked values"),
        ({0: 1, 2: 1}, "labels: has none for 1 of the nodes, such as 1"),
    ],
)
def test_bad_labels_are_refused(labels, message):
    with pytest.raises(pm.InvalidArgumentError, match=message):
        pm.score(sp.csr_array(np.ones((3, 3))), labels)


def test_nodes_that_share_a_name_are_told(blobs):
    found = pm.cluster(pd.DataFrame(blobs[0], index=["same"] * 1500), 6)
    for call in (found.as_dict, found.communities):
        with pytest.raises(pm.InvalidArgumentError, match="nodes: 1500 nodes have 1 different names"):
            call()
    assert len(found.to_series()) == 1500


def test_symmetrize_is_refused_for_points(blocks):
    with pytest.raises(pm.InvalidArgumentError, match=r"symmetrize: .* scipy\.sparse\.csr_array\(W\)"):
        pm.cluster(np.triu(blocks[0].toarray()), 2, symmetrize=True)


def test_a_matrix_of_weights_taken_for_points_is_told(caplog, blocks):
    with caplog.at_level(logging.WARNING, logger="parsimony_ml"):
        pm.cluster(blocks[0].toarray(), 2)
    assert "is taken for points; scipy.sparse.csr_array(W)" in caplog.text


def test_a_warm_start_keeps_the_numbers_of_clusters(weighted_blocks):
    matrix = weighted_blocks[0]
    before = pm.cluster(matrix, 4)
    renamed = (before.labels + 1) % 4
    renamed[:5] = -1  # new nodes
    after = pm.cluster(matrix, 4, initial=renamed)
    assert (after.labels[5:] == renamed[5:]).mean() > 0.95


def test_agreement_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 5, 400), rng.integers(0, 3, 400) + (np.arange(400) > 200)
    found = pm.agreement(a, b)
    assert found["adjusted_rand"] == pytest.approx(adjusted_rand_score(a, b), abs=1e-12)
    assert found["adjusted_mutual_information"] == pytest.approx(adjusted_mutual_info_score(a, b), abs=1e-9)
    assert found["normalized_mutual_information"] == pytest.approx(normalized_mutual_info_score(a, b), abs=1e-9)
    words = np.array(["x", "y", "z", "u", "v"])[a]
    assert pm.agreement(words, b.astype(np.int64)) == found
    assert pm.agreement(a, b + 10**12) == found
    with pytest.raises(pm.InvalidArgumentError):
        pm.agreement(a, b[:-1])


def test_results_can_be_pickled_and_shown(on_points, blobs):
    again = pickle.loads(pickle.dumps(on_points))
    assert (again.labels == on_points.labels).all()
    assert abs(again.adjacency - on_points.adjacency).nnz == 0
    assert "6 clusters of 1500 nodes" in repr(on_points)
    assert "<b>6 clusters</b> of 1500 nodes" in on_points._repr_html_()
    assert np.asarray(on_points) is on_points.labels
    assert len(on_points) == 1500
    model = pickle.loads(pickle.dumps(pm.PointModel(blobs[0], on_points)))
    assert (model.assign(blobs[0]) == on_points.labels).all()
    figure = on_points.plot()
    assert len(figure.axes) == 4
    assert on_points.choice.plot().get_title() == "6 clusters"
    with_map = on_points.plot(points=blobs[0])
    assert with_map.axes[1].get_title() == "6 clusters of 1500 points"
    drawn = with_map.axes[1].collections[0]
    assert drawn.get_offsets().shape == (1500, 2)
    assert len(np.unique(drawn.get_array())) == 6
    with pytest.raises(pm.InvalidArgumentError, match="points: has 9 rows"):
        on_points.plot(points=blobs[0][:9])
    with pytest.raises(pm.InvalidArgumentError, match="figure: must be a figure of matplotlib, not Axes"):
        on_points.plot(figure.axes[0])


def test_arrays_of_results_are_copied_by_the_rule_of_numpy(on_points):
    learned = pm.learn_operator(np.random.default_rng(0).normal(size=(500, 8)), max_iterations=3)
    for result, kept, other in ((on_points, on_points.labels, np.int64), (learned, learned.analysis_operator, np.float32)):
        for same in (None, kept.dtype):
            assert np.shares_memory(result.__array__(same), kept)
            assert result.__array__(same, copy=False) is kept
            copied = result.__array__(same, copy=True)
            assert (copied == kept).all()
            assert not np.shares_memory(copied, kept)
        for copy in (None, True):
            converted = result.__array__(other, copy=copy)
            assert converted.dtype == other
            assert (converted == kept.astype(other)).all()
        with pytest.raises(ValueError, match=f"copy: must not be False, as the values have the type {kept.dtype}"):
            result.__array__(other, copy=False)
        assert np.shares_memory(np.asarray(result), kept)


def test_a_result_shares_the_memory_of_the_graph(on_points):
    _, columns, values = on_points.graph.csr()
    assert np.shares_memory(on_points.adjacency.indices, columns)
    assert np.shares_memory(on_points.adjacency.data, values)


def test_bipartite_files_and_other_keywords_of_readers(tmp_path):
    path = tmp_path / "users.txt"
    path.write_text("".join(f"{u} {i}\n" for u in range(20) for i in range(20) if (u < 10) == (i < 10)))
    found = pm.cluster(path, 2, bipartite=True)
    groups = found.as_dict()
    assert groups["left:0"] == groups["right:0"] != groups["left:19"] == groups["right:19"]
    table = tmp_path / "points.csv"
    table.write_text("x,y\n" + "".join(f"{i % 2 * 50 + i / 100},{i / 70}\n" for i in range(200)))
    assert (pm.cluster(table, 2, points=True).labels == np.arange(200) % 2).all()


def test_a_report_is_saved_as_a_page_that_loads_nothing(tmp_path, on_points):
    page = tmp_path / "run.html"
    figure = on_points.plot()
    on_points.report.save(page, pictures={"the <clusters>": figure})
    text = page.read_text(encoding="utf-8")
    assert f"<h1>{on_points.report['algorithm']}</h1>" in text
    assert "the &lt;clusters&gt;" in text
    assert text.count("data:image/png;base64,") == 1
    assert all(word not in text for word in ("<script", "href", "src=\"http"))
    for stage in on_points.report["stages"]:
        assert f"<td>{stage['name']}</td>" in text
    with pytest.raises(pm.InvalidArgumentError, match=r"does not end in \.html"):
        on_points.report.save(tmp_path / "run.pdf")
    with pytest.raises(pm.InvalidArgumentError, match="neither a matplotlib figure nor"):
        on_points.report.save(tmp_path / "other.html", pictures={"labels": on_points.labels})
    with pytest.raises(OSError, match="missing"):
        on_points.report.save(tmp_path / "missing" / "run.html")
    assert [path.name for path in tmp_path.iterdir()] == ["run.html"]
