"""Keywords, their errors, and the tables of options."""

import copy
import errno
import os
import pickle
import re

import networkx as nx
import numpy as np
import pytest

import parsimony_ml as pm
from parsimony_ml import _core

KARATE = nx.karate_club_graph()


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"oder": 3}, "oder: there is no such keyword; did you mean order?"),
        ({"seed": 3}, "seed: there is no such keyword; did you mean random_state?"),
        ({"clusters": 3}, "clusters: there is no such keyword; did you mean n_clusters?"),
        ({"neighbors": 3}, "neighbors: has an effect only on points"),
        ({"columns": "1,2"}, "columns: has an effect only on files of graphs"),
        ({"n_clusters": "seven"}, "n_clusters: must be 'auto' or a whole number, not 'seven'"),
        ({"n_clusters": 2.5}, "n_clusters: must be 'auto' or a whole number, not 2.5"),
        ({"n_clusters": True}, "n_clusters: must be 'auto' or a whole number, not True"),
        ({"n_clusters": 0}, "n_clusters: 0 is out of range; must be from 1 to "),
        ({"n_clusters": 10**30}, "n_clusters: inf is out of range; must be from 1 to "),
        ({"n_clusters": 35}, "n_clusters: 35 is more than the 34 nodes of the graph"),
        ({"method": "fast"}, "method: must be one of 'auto', 'compressive', 'filtered', 'exact', not 'fast'"),
        ({"order": 60}, "order: has no effect with option method auto; it belongs to compressive, filtered"),
        ({"method": "exact", "eigen_tolerance": "x"}, "eigen_tolerance: must be a number, not 'x'"),
        ({"random_state": -1}, "random_state: must be a whole number from 0 to 2^64 - 1"),
        ({"n_jobs": 0}, "n_jobs: must be at least 1, or -1 for all cores, not 0"),
        ({"n_jobs": 5000}, "n_jobs: 5000 is out of range; must be 1 to 4096"),
        ({"max_memory": "ten"}, 'max_memory: must be a number of bytes or a text such as "4GiB"'),
        ({"progress": 3}, "progress: must be True, False or a function of (stage, done, total), not 3"),
        ({"min_clusters": 3}, "min_clusters: has an effect only with option n_clusters auto"),
        ({"initial": [0, 1]}, "initial labels: 2 for a graph of 34 nodes; must be one for each"),
    ],
)
def test_errors_name_the_keyword(keywords, message):
    with pytest.raises(pm.InvalidArgumentError, match=re.escape(message)) as raised:
        pm.cluster(KARATE, **{"n_clusters": 2, **keywords})
    assert isinstance(raised.value, ValueError)
    assert isinstance(raised.value, pm.Error)


def test_no_function_takes_a_seed_beside_random_state():
    points = np.random.default_rng(0).normal(size=(60, 3))
    model = pm.PointModel(points, pm.cluster(points, 2))
    for call in (pm.knn_graph, pm.learn_operator, model.assign):
        with pytest.raises(pm.InvalidArgumentError, match="seed: there is no such keyword; did you mean random_state"):
            call(points, seed=3)
    with pytest.raises(pm.InvalidArgumentError, match="seed: there is no such keyword; did you mean random_state"):
        pm.choose_n_clusters(KARATE, seed=3)


def test_errors_are_builtins(tmp_path):
    broken = tmp_path / "broken.txt"
    broken.write_text("1 2\n1 x y z\n")
    with pytest.raises(pm.FormatError, match=r"broken\.txt:2"):
        pm.cluster(broken, 2)
    with pytest.raises(MemoryError, match="max_memory: ") as raised:
        pm.cluster(KARATE, 2, max_memory="10MB")
    assert isinstance(raised.value, pm.MemoryLimitError)


def test_errors_of_files_are_the_builtins_of_their_numbers(tmp_path):
    def save(place):
        pm.cluster(KARATE, 2).report.save(place / "page.html")

    (tmp_path / "file").write_text("1 2\n")
    secret = tmp_path / "secret.txt"
    secret.write_text("1 2\n")
    secret.chmod(0)
    for call, builtin, number in (
        (lambda: pm.cluster(tmp_path / "missing.txt", 2), FileNotFoundError, errno.ENOENT),
        (lambda: pm.PointModel.load(tmp_path / "missing.npz"), FileNotFoundError, errno.ENOENT),
        (lambda: pm.quant.load(tmp_path / "missing.safetensors"), FileNotFoundError, errno.ENOENT),
        (lambda: pm.quant.load(tmp_path), FileNotFoundError, errno.ENOENT),
        (lambda: save(tmp_path / "missing"), FileNotFoundError, errno.ENOENT),
        (lambda: pm.cluster(tmp_path, 2), IsADirectoryError, errno.EISDIR),
        (lambda: pm.cluster(tmp_path / "file" / "graph.txt", 2), NotADirectoryError, errno.ENOTDIR),
        (lambda: save(tmp_path / "file"), NotADirectoryError, errno.ENOTDIR),
        (lambda: as_nobody(lambda: pm.cluster(secret, 2)), PermissionError, errno.EACCES),
    ):
        with pytest.raises(pm.FileError, match=re.escape(str(tmp_path))) as raised:
            call()
        assert isinstance(raised.value, builtin)
        assert raised.value.errno == number
        assert str(raised.value) == raised.value.args[0]


def as_nobody(call):
    """The call without the right of root to read all files."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        return call()
    finally:
        os.seteuid(user)


@pytest.mark.parametrize("number", [None, *errno.errorcode])
def test_the_number_of_an_error_of_a_file_chooses_the_builtin_of_oserror(number):
    """But for those of processes and connections, which files do not have."""
    error = pm.FileError("cannot open it", number)
    files = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, FileExistsError)
    expected = type(OSError(number, "")) if number is not None else OSError
    assert [isinstance(error, builtin) for builtin in files] == [expected is builtin for builtin in files]
    for same in (error, pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (type(same), same.errno, str(same)) == (type(error), number, "cannot open it")
        assert isinstance(same, pm.FileError)
        assert isinstance(same, OSError)


def test_words_and_none_stand_for_the_automatic_value():
    by_word = pm.cluster(KARATE, 2, method="compressive", order="auto", samples="auto")
    by_none = pm.cluster(KARATE, 2, method="compressive", order=None)
    assert by_word.report["options"] == by_none.report["options"]
    assert by_word.report["options"]["order"] == 50


def test_numbers_of_numpy_are_numbers():
    found = pm.cluster(KARATE, np.int64(3), method="compressive", regularization=np.float32(0.5))
    assert found.n_clusters == 3
    assert found.report["options"]["regularization"] == 0.5


def test_seeds_of_all_64_bits_and_generators():
    assert pm.cluster(KARATE, 2, random_state=2**64 - 1).report["seed"] == 2**64 - 1
    draws = [pm.cluster(KARATE, 2, random_state=np.random.default_rng(7)).report["seed"] for _ in range(2)]
    assert draws[0] == draws[1]
    fresh = [pm.cluster(KARATE, 2, random_state=None).report["seed"] for _ in range(2)]
    assert fresh[0] != fresh[1]


def test_the_tables_have_every_option_with_its_range():
    rows = {row["name"]: row for row in _core.options["cluster"]()}
    assert rows["clusters"] == {
        "name": "clusters",
        "help": "number of clusters k; auto: the most stable number",
        "type": "int",
        "default": "auto",
        "low": 1,
        "high": 1 << 30,
        "word": "auto",
    }
    assert rows["method"]["values"] == ["auto", "compressive", "filtered", "exact"]
    for table in _core.options.values():
        for row in table():
            assert row["help"]
            assert {"name", "help", "type", "default"} <= row.keys()


def test_sizes_in_bytes():
    from parsimony_ml._call import bytes_of

    assert [bytes_of(size) for size in (None, "auto", 17, "3.3MB", "4GiB", " 2 k ", "1KiB")[:6]] == [
        0, 0, 17, 3_300_000, 4 << 30, 2000
    ]  # fmt: skip
    for bad in ("", "4 apples", 0, -3, 2.5, "0"):
        with pytest.raises(pm.InvalidArgumentError, match="max_memory: must be a number of bytes"):
            bytes_of(bad)


@pytest.mark.parametrize(
    ("function", "tables"),
    [
        (pm.cluster, ["cluster", "knn_graph", "read"]),
        (pm.choose_n_clusters, ["choose_n_clusters"]),
        (pm.denoise, ["denoise"]),
        (pm.learn_operator, ["learn_operator", "learn_operator_geometric", "learn_operator_untf"]),
    ],
)
def test_help_has_every_option(function, tables):
    seen = {"clusters", "seed", "symmetrize"}
    for table in tables:
        for row in _core.options[table]():
            if row["name"] not in seen:
                assert f"\n    {row['name']} (" in function.__doc__
                assert row["help"] in function.__doc__
            seen.add(row["name"])
