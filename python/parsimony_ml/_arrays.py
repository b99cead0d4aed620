"""Arrays of other libraries as NumPy arrays that the library reads, without a copy wherever the layout allows it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._errors import InvalidArgumentError


def is_of(module: str, cls: str, value: object) -> bool:
    """Whether the value is of a class of a module, which is imported by none but the caller."""
    import sys

    found = getattr(sys.modules.get(module), cls, None)
    return isinstance(found, type) and isinstance(value, found)


def is_sparse(value: object) -> bool:
    """Whether the value is a matrix or array of scipy.sparse."""
    return hasattr(value, "tocsr") and hasattr(value, "nnz")


def to_numpy(value: Any, name: str) -> NDArray[Any]:
    """The array of a NumPy array, a list, a DataFrame, or a CPU tensor (DLPack). Masked values are refused."""
    if isinstance(value, np.ma.MaskedArray):
        if np.ma.is_masked(value):
            raise InvalidArgumentError(f"{name}: has masked values; fill them, or leave them out")
        return np.asarray(value)
    if isinstance(value, np.ndarray):
        return value
    if is_of("pandas", "DataFrame", value) or is_of("pandas", "Series", value) or is_of("polars", "DataFrame", value):
        return np.asarray(value.to_numpy())
    if hasattr(value, "__dlpack__"):
        try:
            return np.from_dlpack(value.detach() if hasattr(value, "detach") else value)
        except (BufferError, RuntimeError, TypeError) as error:
            raise InvalidArgumentError(f"{name}: must be on the CPU and have a type of NumPy: {error}") from None
    try:
        return np.asarray(value)
    except ValueError as error:  # rows of several lengths
        raise InvalidArgumentError(f"{name}: cannot become an array: {error}") from None


def real_numbers(array: NDArray[Any], dtype: Any, name: str) -> NDArray[Any]:
    """The array in C order and of this type of floats: it is copied only if it is not. Refuses all but real numbers."""
    if array.dtype.kind not in "fiubO":
        raise InvalidArgumentError(f"{name}: must be real numbers, not of type {array.dtype}")
    try:
        return np.ascontiguousarray(array, dtype=dtype)
    except (TypeError, ValueError) as error:  # objects
        raise InvalidArgumentError(f"{name}: must be real numbers: {error}") from None


def copied_or_same(array: NDArray[Any], dtype: Any, copy: bool | None) -> NDArray[Any]:
    """The answer of ``__array__`` of an object that keeps the array, by the rule of NumPy 2: True always copies, None
    only if the type changes, and False refuses to."""
    # Not asarray(copy=…), which NumPy 1 does not have.
    answer = array.astype(array.dtype if dtype is None else dtype, copy=bool(copy))
    if copy is False and answer is not array:
        raise InvalidArgumentError(
            f"copy: must not be False, as the values have the type {array.dtype}, not {answer.dtype}"
        )
    return answer


def to_points(value: Any, name: str = "points") -> NDArray[Any]:
    """Points, n × d, as contiguous float32 or float64: copied only if they are neither, or lie otherwise."""
    array = to_numpy(value, name)
    if array.ndim != 2:
        right = f"not shape {array.shape}" if array.ndim else f"not {type(value).__name__}"
        raise InvalidArgumentError(f"{name}: points must have two dimensions, one point a row, {right}")
    narrow = (array.dtype.kind in "iub" and array.dtype.itemsize <= 2) or array.dtype == np.float16
    return real_numbers(array, np.float32 if narrow or array.dtype == np.float32 else np.float64, name)


def to_labels(value: Any, name: str) -> NDArray[np.int32]:
    """Clusters, one a node, as int32. Words and other values are numbered in ascending order."""
    array = to_numpy(value, name)
    if array.ndim != 1:
        raise InvalidArgumentError(f"{name}: must have one dimension, not shape {array.shape}")
    if array.dtype.kind in "iu":
        if array.dtype != np.int32 and array.size:
            limits = np.iinfo(np.int32)
            if array.min() < limits.min or array.max() > limits.max:
                return np.unique(array, return_inverse=True)[1].astype(np.int32)
        return np.ascontiguousarray(array, dtype=np.int32)
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise InvalidArgumentError(f"{name}: item {np.isnan(array).argmax()} is nan; each must have a label")
    try:
        return np.unique(array, return_inverse=True)[1].astype(np.int32)
    except TypeError as error:  # words beside None
        raise InvalidArgumentError(f"{name}: must be all numbers or all text: {error}") from None
