"""Learning and testing analysis operators."""

import matplotlib as mpl
import numpy as np
import pytest
from conftest import photograph

import parsimony_ml as pm

mpl.use("agg")


def cosparse(rows=24, values=16, count=768, zeros=10, seed=0):
    """Signals that are each orthogonal to `zeros` rows of a random unit-norm tight frame, and this operator."""
    rng = np.random.default_rng(seed)
    operator = rng.normal(size=(rows, values))
    for _ in range(500):  # to the nearest tight frame, then to rows of norm 1
        left, _, right = np.linalg.svd(operator, full_matrices=False)
        operator = left @ right
        operator /= np.linalg.norm(operator, axis=1, keepdims=True)
    signals = []
    for _ in range(count):
        chosen = operator[rng.choice(rows, zeros, replace=False)]
        x = rng.normal(size=values)
        x -= np.linalg.pinv(chosen) @ (chosen @ x)
        signals.append(x / np.linalg.norm(x))
    return np.array(signals, dtype=np.float32), operator


@pytest.fixture(scope="module")
def planted():
    return cosparse()


@pytest.fixture(scope="module")
def learned(planted):
    return pm.learn_operator(planted[0], 24, restarts=3)


def test_planted_rows_are_found(planted, learned):
    cosines = np.abs(planted[1] @ learned.analysis_operator.T).max(axis=1)
    assert (cosines > 0.99).mean() > 0.9
    assert np.allclose(np.linalg.norm(np.asarray(learned), axis=1), 1)
    assert learned.samples == 768
    assert learned.report.converged


@pytest.mark.parametrize("method", ["geometric", "untf"])
def test_operators_are_those_of_the_command(tmp_path, command, planted, method):
    np.save(tmp_path / "signals.npy", planted[0])
    limit = {"geometric": {"max_iterations": 30}, "untf": {"exploration": 50, "max_steps": 80}}[method]
    flags = [part for name, value in limit.items() for part in (f"--{name.replace('_', '-')}", value)]
    command("operator", "learn", tmp_path / "signals.npy", "--method", method, "--rows", 20, "--seed", 4, *flags,
            "--output", tmp_path / "operator.npy", statuses=(0, 3))  # fmt: skip
    ours = pm.learn_operator(planted[0], 20, method=method, random_state=4, **limit)
    assert ours.analysis_operator.tobytes() == np.load(tmp_path / "operator.npy").tobytes()


def test_float64_and_lists_are_converted(planted):
    expected = pm.learn_operator(planted[0], 20, max_iterations=5).analysis_operator
    for given in (planted[0].astype(np.float64), planted[0].tolist(), np.asfortranarray(planted[0])):
        assert (pm.learn_operator(given, 20, max_iterations=5).analysis_operator == expected).all()


def test_learning_goes_on_from_an_operator(planted, learned):
    again = pm.learn_operator(planted[0], initial=learned)
    assert again.analysis_operator.shape == learned.analysis_operator.shape
    assert again.objective == pytest.approx(learned.objective, rel=1e-3)


def test_images_give_operators_of_patches():
    images = [photograph().astype(np.uint8), photograph(96, 96).astype(np.float64)]
    found = pm.learn_operator(images, 30, patch=5, samples=2000, batches=20)
    assert found.analysis_operator.shape == (30, 25)
    assert np.abs(found.analysis_operator.sum(axis=1)).max() < 1e-6  # rows have no mean
    assert found.plot().get_images()[0].get_array().ndim == 2
    with pytest.raises(pm.InvalidArgumentError, match="grey values from 0 to 255"):
        pm.learn_operator([image / 255 for image in images])


def test_certificates():
    # An orthonormal basis and signals that are sparse in it: the basis is a local optimum.
    rng = np.random.default_rng(3)
    basis, _ = np.linalg.qr(rng.normal(size=(8, 8)))
    codes = rng.normal(size=(600, 8)) * (rng.random((600, 8)) < 0.3)
    good = pm.certify_operator(basis, (codes @ basis).astype(np.float32))
    assert good.verdict == "certified"
    assert good
    assert good.figures["radius"] < 1e-3
    assert good.figures["zeros"] == (codes[codes.any(axis=1)] == 0).sum()
    bad = pm.certify_operator(basis, rng.normal(size=(600, 8)).astype(np.float32))
    assert bad.verdict == "refuted"
    assert not bad
    assert bad.figures["direction"].shape == (8, 8)
    assert bad.explanation in repr(bad)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: pm.learn_operator(s, 4), "rows: 4 rows for signals of 16 values; must be at least 16"),
        (lambda s: pm.learn_operator(s, 20.5), "rows: must be 'auto' or a whole number, not 20.5"),
        (lambda s: pm.learn_operator(s, exploration=9), "exploration: has no effect with option method geometric"),
        (lambda s: pm.learn_operator(s, method="untf", kappa=9), "kappa: has no effect with option method untf"),
        (lambda s: pm.learn_operator(s, patch=8), "patch"),
        (lambda s: pm.learn_operator(s[0]), "data: signals have two dimensions"),
        (lambda s: pm.learn_operator(s * np.nan), "finite"),
        (lambda s: pm.learn_operator([["a", "b"]]), "data: must be real numbers"),
        (lambda s: pm.learn_operator([s[0], s[:1]]), "data: cannot become an array"),
        (lambda s: pm.learn_operator(s * 1j), "data: must be real numbers, not of type complex"),
        (lambda s: pm.learn_operator(s, initial=np.zeros(3)), "initial: must have two dimensions"),
        (lambda s: pm.learn_operator([np.zeros((0, 0))]), "data: images must have grey values"),
        (lambda s: pm.certify_operator(None, s), "analysis_operator: must have two dimensions"),
        (lambda s: pm.certify_operator(np.eye(16), s, lambda_=3), "lambda_: there is no such keyword; did you mean"),
        (lambda s: pm.certify_operator(np.eye(5), s), "5"),
    ],
)
def test_bad_signals_are_refused(planted, call, message):
    with pytest.raises(pm.InvalidArgumentError, match=message):
        call(planted[0])
