"""Learning of analysis operators as a transformer."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from .. import _core
from .._call import make_call
from .._operators import LearnedOperator
from ._callbacks import CallbackSupportMixin, FitTasks, with_callbacks
from ._parameters import options_of, seed_of


class AnalysisOperatorLearning(CallbackSupportMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Learns an operator Ω under which the samples are sparse: most values of Ω x are near 0.

    The counterpart of dictionary learning: ``transform`` is a product, without a problem to solve for each sample.

    Args:
        n_components (int or None): Rows of Ω, at least n_features; None: twice n_features.
        method ({"geometric", "untf"}): See :func:`parsimony_ml.learn_operator`.
        max_iter (int or None): Iterations of L-BFGS in each stage (method "geometric"); None: the library's choice.
        options (dict or None): More options of :func:`parsimony_ml.learn_operator`, by their names there.
        random_state: Seed: int, RandomState instance or None.
        n_jobs, progress, max_memory: As for :func:`parsimony_ml.cluster`. Callbacks of scikit-learn
            (``set_callbacks``, from 1.9 on) hear of the stages of ``fit``, too.

    Attributes:
        components_ (ndarray of shape (n_components, n_features), float64): Ω, with rows of norm 1 (method "geometric").
        objective_: float.
        n_iter_: int.
        report_: parsimony_ml.Report.
        n_features_in_, feature_names_in_: As in scikit-learn.
    """

    def __init__(
        self,
        n_components: Any = None,
        *,
        method: Any = "geometric",
        max_iter: Any = None,
        options: Any = None,
        random_state: Any = None,
        n_jobs: Any = None,
        progress: Any = None,
        max_memory: Any = None,
    ) -> None:
        self.n_components = n_components
        self.method = method
        self.max_iter = max_iter
        self.options = options
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.progress = progress
        self.max_memory = max_memory

    @with_callbacks
    def fit(self, X: Any, y: Any = None) -> AnalysisOperatorLearning:
        """Learns from the rows of X."""
        X = validate_data(self, X, dtype=np.float32, order="C", ensure_min_samples=2, ensure_min_features=2)
        tasks = FitTasks(self, X, y, self.progress)
        call = make_call(self.n_jobs, tasks.progress, self.max_memory, rows="n_components", max_iterations="max_iter")
        given = {
            **options_of(self, rows="n_components", max_iterations="max_iter", seed="random_state"),
            "rows": self.n_components,
            "method": self.method,
            "seed": seed_of(self.random_state),
        }
        if self.max_iter is not None:
            given["max_iterations"] = self.max_iter
        learned = LearnedOperator(_core.learn_from_signals(X, None, given, call))
        self.components_ = learned.analysis_operator
        self.objective_ = learned.objective
        self.report_ = learned.report
        self.n_iter_ = max(1, int(learned.report["iterations"]))
        tasks.done()
        return self

    def transform(self, X: Any) -> Any:
        """The coefficients of the rows of X: X Ωᵀ, of shape (n_samples, n_components), in the type of X."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        return X @ self.components_.T.astype(X.dtype)

    @property
    def _n_features_out(self) -> int:
        return int(self.components_.shape[0])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
