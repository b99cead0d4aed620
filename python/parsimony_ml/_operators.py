"""Analysis operators: learning and testing them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import _core
from ._arrays import copied_or_same, real_numbers, to_numpy
from ._call import Progress, make_call, seed_of, with_named
from ._errors import InvalidArgumentError
from ._images import operator_of
from ._options import with_options
from ._report import Report

if TYPE_CHECKING:
    RandomState = int | np.random.Generator | np.random.RandomState | None


class LearnedOperator:
    """An analysis operator Ω that makes signals sparse: most values of Ω x are near 0.

    Attributes:
        analysis_operator: Ω, rows × n (float64).
        objective: the value that was minimised.
        samples: the number of signals learned from.
        signals: the denoised signals, samples × n, if ``noise_aware``; else None.
        report: the record of the run.
    """

    def __init__(self, found: dict[str, Any]) -> None:
        self.analysis_operator: NDArray[np.float64] = found["analysis_operator"]
        self.objective: float = found["objective"]
        self.samples: int = found["samples"]
        self.signals: NDArray[np.float32] | None = found["signals"]
        self.report = Report.parse(found["report"])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return copied_or_same(self.analysis_operator, dtype, copy)

    def plot(self, ax: Any = None) -> Any:
        """Draws the rows of an operator of square patches as filters. Needs matplotlib; returns the axes."""
        from ._plots import plot_operator

        return plot_operator(self.analysis_operator, ax)

    def __repr__(self) -> str:
        rows, values = self.analysis_operator.shape
        return f"LearnedOperator({rows} × {values}, from {self.samples} samples, {self.report.seconds:.3f} s)"


class Certificate:
    """The test of an operator.

    Attributes:
        verdict: "certified", "refuted" or "undecided".
        explanation: the verdict as a sentence.
        figures: the measurements of the test, by their names in the library: objective, radius, multiplier, zeros, …
        report: the record of the run.
    """

    def __init__(self, found: dict[str, Any]) -> None:
        self.verdict: str = found.pop("verdict")
        self.explanation: str = found.pop("explanation")
        self.report = Report.parse(found.pop("report"))
        self.figures = found

    def __bool__(self) -> bool:
        return self.verdict == "certified"

    def __repr__(self) -> str:
        return f"Certificate({self.verdict}: {self.explanation})"


def _images_of(data: Any) -> list[NDArray[np.float32]] | None:
    """The images of a list of arrays of two dimensions; None: the data are signals."""
    if not isinstance(data, (list, tuple)) or not data:
        return None
    arrays = [to_numpy(image, "data") for image in data]
    if any(array.ndim != 2 for array in arrays):
        return None
    images = [real_numbers(array, np.float32, "data") for array in arrays]
    if not all(array.dtype == np.uint8 for array in arrays) and max(image.max(initial=0) for image in images) <= 2:
        raise InvalidArgumentError("data: images must have grey values from 0 to 255; multiply those from 0 to 1 by 255")
    return images


def _signals_of(data: Any) -> NDArray[np.float32]:
    array = to_numpy(data, "data")
    if array.ndim != 2:
        raise InvalidArgumentError(
            f"data: signals have two dimensions, one signal a row, not shape {array.shape}; images are a list of arrays"
        )
    return real_numbers(array, np.float32, "data")


@with_options("learn_operator", "learn_operator_samples", "learn_operator_geometric", "learn_operator_untf")
def learn_operator(
    data: NDArray[Any] | Sequence[NDArray[Any]],
    rows: int | str = "auto",
    *,
    random_state: RandomState = 0,
    initial: Any = None,
    n_jobs: int | None = None,
    progress: bool | Progress | None = None,
    max_memory: int | str | None = None,
    **options: Any,
) -> LearnedOperator:
    """Learns an analysis operator Ω from signals or images.

    Args:
        data: Signals, samples × n, a signal a row (float32 is used where it lies); or a list of grey images with values
            from 0 to 255, of which patches are drawn.
        rows: Rows of Ω, at least n; "auto": twice n. More rows make signals sparser to describe and take longer.
        random_state, n_jobs, progress, max_memory: As for :func:`cluster`.
        initial: The operator to start from.
        **options: See the table below. Options after ``min_deviation`` belong to one of the two methods.

    Returns:
        The operator; an array of it is ``np.asarray(learned)``. A limit of iterations that was met is told by
        ``report["status"]``.
    """
    call = make_call(n_jobs, progress, max_memory, signals="data", operator="analysis_operator")
    given = with_named(options, rows=rows, seed=seed_of(random_state))
    start = None if initial is None else operator_of(initial, "initial")
    images = _images_of(data)
    if images is not None:
        return LearnedOperator(_core.learn_from_images(images, start, given, call))
    return LearnedOperator(_core.learn_from_signals(_signals_of(data), start, given, call))


@with_options("certify_operator", "learn_operator_samples")
def certify_operator(
    analysis_operator: Any,
    data: NDArray[Any] | Sequence[NDArray[Any]],
    *,
    n_jobs: int | None = None,
    progress: bool | Progress | None = None,
    max_memory: int | str | None = None,
    **options: Any,
) -> Certificate:
    """Tests whether an operator is a local optimum of learning: of ‖Ω X‖₁ among the unit-norm tight frames.

    Args:
        analysis_operator: Ω, rows × n: an array, or the result of :func:`learn_operator`.
        data: Signals, samples × n, or a list of grey images with values from 0 to 255.
        n_jobs, progress, max_memory: As for :func:`cluster`.
        **options: See the table below.
    """
    tested = operator_of(analysis_operator)
    call = make_call(n_jobs, progress, max_memory, signals="data", operator="analysis_operator")
    images = _images_of(data)
    if images is not None:
        return Certificate(_core.certify_on_images(tested, images, options, call))
    return Certificate(_core.certify_on_signals(tested, _signals_of(data), options, call))


def shipped_operator() -> NDArray[np.float64]:
    """The operator that comes with the library: 128 rows for patches of 8 × 8 pixels, trained on photographs."""
    return np.asarray(_core.shipped_operator())
