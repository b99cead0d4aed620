"""The estimators: scikit-learn's own checks, and what they find."""

import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.datasets import load_digits, make_blobs, make_moons
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import parsimony_ml as pm
from parsimony_ml.sklearn import AnalysisOperatorLearning, ImageDenoiser, SpectralClustering

# Checks that an estimator does not pass, each with the reason.
NOT_SQUARE = "gives a precomputed affinity the coordinates of 50 points, which is not a square matrix"
ONE_ROW = "sets n_components=1, but an analysis operator has at least as many rows as there are features"
GRAPH_CHECKS = dict.fromkeys(["check_clustering", "check_clustering(readonly_memmap=True)"], NOT_SQUARE)
OPERATOR_CHECKS = dict.fromkeys(
    [
        "check_dont_overwrite_parameters",
        "check_fit2d_predict1d",
        "check_methods_sample_order_invariance",
        "check_methods_subset_invariance",
    ],
    ONE_ROW,
)


def expected_failures(estimator):
    if isinstance(estimator, AnalysisOperatorLearning):
        return OPERATOR_CHECKS
    return GRAPH_CHECKS if getattr(estimator, "affinity", None) == "precomputed" else {}


@parametrize_with_checks(
    [
        SpectralClustering(3),
        SpectralClustering(3, affinity="precomputed"),
        AnalysisOperatorLearning(max_iter=20),
        ImageDenoiser(),
    ],
    expected_failed_checks=expected_failures,
)
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return train_test_split(X, y, random_state=0)


def test_new_digits_get_the_clusters_of_fitted_ones(digits):
    old, new, old_truth, new_truth = digits
    model = SpectralClustering(10, random_state=0).fit(old)
    assert adjusted_rand_score(old_truth, model.labels_) > 0.75
    assert adjusted_rand_score(new_truth, model.predict(new)) > 0.75
    assert (model.predict(old) == model.labels_).all()
    assert model.clustering_.report["options"]["neighbors"] == 10


def test_an_integer_seed_gives_the_clusters_of_the_function(digits):
    model = SpectralClustering(10, random_state=7, n_neighbors=12, n_init=3).fit(digits[0])
    assert (model.labels_ == pm.cluster(digits[0], 10, random_state=7, neighbors=12, restarts=3).labels).all()


def test_clusters_that_are_not_round():
    X, y = make_moons(1000, noise=0.05, random_state=0)
    assert adjusted_rand_score(y, SpectralClustering(2, random_state=0).fit_predict(X)) == 1


def test_the_number_of_clusters_may_be_left_open():
    X, y = make_blobs(800, centers=5, cluster_std=0.5, random_state=1)
    model = SpectralClustering("auto", random_state=0, options={"max_clusters": 12}).fit(X)
    assert model.n_clusters_ == 5
    assert adjusted_rand_score(y, model.labels_) == 1


def test_a_precomputed_affinity_is_a_graph(blocks):
    expected = pm.cluster(blocks[0], 4, random_state=0).labels
    for affinity in (blocks[0], blocks[0].tocoo(), blocks[0].toarray(), sp.csr_matrix(blocks[0])):
        model = SpectralClustering(4, affinity="precomputed", random_state=0).fit(affinity)
        assert (model.labels_ == expected).all()
    assert not hasattr(model, "predict")
    half = sp.triu(blocks[0]).tocsr()
    with pytest.raises(ValueError, match="symmetri"):
        SpectralClustering(4, affinity="precomputed").fit(half)
    mended = SpectralClustering(4, affinity="precomputed_nearest_neighbors", random_state=0).fit(half)
    assert adjusted_rand_score(mended.labels_, expected) == 1


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (SpectralClustering(0), "n_clusters: 0 is out of range"),
        (SpectralClustering(3, n_neighbors="many"), "n_neighbors: must be a whole number, not 'many'"),
        (SpectralClustering(3, n_init=0), "n_init: 0 is out of range"),
        (SpectralClustering(3, affinity="rbf"), "affinity: must be one of 'nearest_neighbors', "),
        (SpectralClustering(3, options={"oder": 9}), "oder: there is no such keyword; did you mean order?"),
        (SpectralClustering(3, options={"neighbors": 9}), "options: 'neighbors' is the parameter n_neighbors of the "),
        (SpectralClustering(3, options={"metric": "cosine"}), "options: 'metric' is the parameter metric of the "),
        (SpectralClustering(3, options=["order"]), "options: must be a dict or None, not"),
        (SpectralClustering(3, affinity=np.eye(3)), "affinity: must be one of"),
        (AnalysisOperatorLearning(method="untf", max_iter=3), "max_iter: has no effect with option method untf"),
        (AnalysisOperatorLearning(options={"seed": 3}), "options: 'seed' is the parameter random_state of the estimator"),
        (AnalysisOperatorLearning(2), "n_components: 2 rows for signals of 8 values; must be at least 8"),
        (AnalysisOperatorLearning(max_iter=-1), "max_iter: -1 is out of range"),
    ],
)
def test_errors_name_the_parameter(estimator, message):
    import re

    with pytest.raises(pm.InvalidArgumentError, match=re.escape(message)):
        estimator.fit(np.random.default_rng(0).normal(size=(60, 8)))


def test_estimators_are_cloned_pickled_searched_and_chained(digits):
    model = make_pipeline(StandardScaler(), SpectralClustering(10, random_state=0)).fit(digits[0])
    again = pickle.loads(pickle.dumps(model))
    assert (again.predict(digits[1]) == model.predict(digits[1])).all()
    assert clone(model[-1]).get_params() == model[-1].get_params()
    search = GridSearchCV(
        SpectralClustering(random_state=0),
        {"n_clusters": [2, 10]},
        scoring=lambda fitted, X, y: adjusted_rand_score(y, fitted.predict(X)),
        n_jobs=2,
        cv=2,
    ).fit(digits[0], digits[2])
    assert search.best_params_ == {"n_clusters": 10}


class Heard:
    """A callback that writes down the tasks of each fit."""

    def __init__(self):
        self.begun, self.ended, self.fits = [], [], []

    def setup(self, estimator, context):
        self.fits.append(context.estimator_name)

    def on_fit_task_begin(self, estimator, context):
        self.begun.append((context.task_name, context.max_subtasks))

    def on_fit_task_end(self, estimator, context):
        self.ended.append(context.task_name)

    def teardown(self, estimator, context):
        self.fits.append("down")


def test_callbacks_of_scikit_learn_hear_of_the_stages():
    pytest.importorskip("sklearn.callback")
    heard, seen = Heard(), []
    X = np.random.default_rng(0).normal(size=(4000, 32))
    model = AnalysisOperatorLearning(max_iter=100, random_state=0, progress=lambda *step: seen.append(step))
    model.set_callbacks(heard).fit(X)
    assert heard.fits == ["AnalysisOperatorLearning", "down"]
    assert heard.begun[0] == ("fit", None)
    assert heard.ended[-1] == "fit"
    assert sorted(heard.ended) == sorted(name for name, _ in heard.begun)
    assert {stage for stage, _, _ in seen} <= set(heard.ended)
    assert seen
    assert 1 <= heard.ended.count("step") <= sum(steps for name, steps in heard.begun if name not in ("fit", "step"))
    assert (clone(model).set_params(progress=None).fit(X).components_ == model.components_).all()
    clusters = SpectralClustering(3, random_state=0).set_callbacks(heard).fit(X)
    assert heard.fits[-2:] == ["SpectralClustering", "down"]
    assert clusters.labels_.max() == 2


def test_a_callback_that_raises_ends_the_fit():
    pytest.importorskip("sklearn.callback")

    class Stops(Heard):
        def on_fit_task_begin(self, estimator, context):
            if context.task_name != "fit":
                raise TimeoutError

    heard = Stops()
    X = np.random.default_rng(0).normal(size=(20_000, 64))
    with pytest.raises(TimeoutError):
        AnalysisOperatorLearning(max_iter=100_000).set_callbacks(heard).fit(X)
    assert heard.fits == ["AnalysisOperatorLearning", "down"]


def test_operators_as_transformers():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(300, 6)).cumsum(axis=1), columns=list("abcdef"))
    model = AnalysisOperatorLearning(9, random_state=0).set_output(transform="pandas")
    out = model.fit_transform(frame)
    assert list(model.feature_names_in_) == list("abcdef")
    assert list(out.columns) == [f"analysisoperatorlearning{i}" for i in range(9)]
    assert np.allclose(np.linalg.norm(model.components_, axis=1), 1)
    assert np.allclose(out, frame.to_numpy() @ model.components_.T)
    function = pm.learn_operator(frame.to_numpy(), 9, random_state=0)
    assert (model.components_ == function.analysis_operator).all()
    with pytest.raises(ValueError, match="feature names"):
        model.transform(frame.rename(columns={"a": "z"}))


def test_images_as_samples():
    clean = np.stack([np.add.outer(np.arange(32), 3 * np.arange(32)) + i for i in range(2)]).astype(np.uint8)
    noisy = np.clip(clean + np.random.default_rng(0).normal(0, 15, clean.shape), 0, 255).astype(np.uint8)
    out = ImageDenoiser(15).fit_transform(noisy)
    assert out.shape == noisy.shape
    assert out.dtype == np.uint8
    assert (out[1] == pm.denoise(noisy[1], 15)).all()
    assert isinstance(ImageDenoiser().transform([noisy[0], noisy[1][:20]]), list)
