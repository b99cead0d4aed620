"""The progress of a fit for scikit-learn's callbacks, which it has from 1.9 on (``sklearn.callback``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

try:
    from sklearn.callback import CallbackSupportMixin as CallbackSupportMixin
    from sklearn.callback import with_callbacks as with_callbacks
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """scikit-learn before 1.9 has no callbacks."""

    def with_callbacks(fit: Callable[..., Any]) -> Callable[..., Any]:
        return fit


# Steps of a stage: a callback needs no more of them, and each is an object for scikit-learn.
_STEPS = 100


class FitTasks:
    """A fit as scikit-learn's callbacks see it: the fit, its stages, and in each at most a hundred steps.

    Steps end when the library has told that they are done, at most every 50 ms, so that several may end at once, and a
    short stage may have none. ``done`` must be called at the end of the fit.
    """

    def __init__(self, estimator: Any, X: Any, y: Any, progress: Any) -> None:
        self._estimator, self._X, self._y = estimator, X, y
        self._stage: tuple[str, Any, int, int] | None = None  # name, context, steps, steps that have ended
        self._fit: Any = None
        self._next = progress
        if hasattr(estimator, "_init_callback_context"):
            self._fit = estimator._init_callback_context(max_subtasks=None)
            self._begin(self._fit)

    @property
    def progress(self) -> Any:
        """The argument ``progress`` of a call of the library, which serves that of the estimator, too."""
        if self._fit is None or not getattr(self._fit, "_callbacks", True):
            return self._next
        from .._call import callback_of

        self._next = callback_of(self._next)
        return self._tell

    def done(self) -> None:
        """Ends the stage and the fit."""
        if self._fit is not None:
            self._end_stage()
            self._end(self._fit)

    def _tell(self, stage: str, done: int, total: int) -> None:
        if self._stage is None or self._stage[0] != stage:
            self._end_stage()
            steps = max(1, min(total, _STEPS))
            context = self._fit.subcontext(task_name=stage, max_subtasks=steps)
            self._begin(context)
            self._stage = (stage, context, steps, 0)
        name, context, steps, ended = self._stage
        until = min(steps, done * steps // max(total, 1))
        for _ in range(ended, until):
            step = context.subcontext(task_name="step")
            self._begin(step)
            self._end(step)
        self._stage = (name, context, steps, max(ended, until))
        if self._next is not None:
            self._next(stage, done, total)

    def _end_stage(self) -> None:
        if self._stage is not None:
            self._end(self._stage[1])
            self._stage = None

    def _begin(self, context: Any) -> None:
        context.call_on_fit_task_begin(estimator=self._estimator, X=self._X, y=self._y)

    def _end(self, context: Any) -> None:
        context.call_on_fit_task_end(estimator=self._estimator, X=self._X, y=self._y)
