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
    """The array of a NumPy array, a list, a DataFrame, or a CPU tensor (DLPack)."""
    if isinstance(value, np.ndarray):
        return value
    if is_of("pandas", "DataFrame", value) or is_of("pandas", "Series", value) or is_of("polars", "DataFrame", value):
        return np.asarray(value.to_numpy())
    if hasattr(value, "__dlpack__"):
        try:
            return np.from_dlpack(value.detach() if hasattr(value, "detach") else value)
        except (BufferError, RuntimeError, TypeError) as error:
            raise InvalidArgumentError(f"{name}: must be on the CPU and have a type of NumPy: {error}") from None
    return np.asarray(value)


def to_points(value: Any, name: str = "points") -> NDArray[Any]:
    """Points, n × d, as contiguous float32 or float64: copied only if they are neither, or lie otherwise."""
    array = to_numpy(value, name)
    if array.ndim != 2:
        raise InvalidArgumentError(f"{name}: must have two dimensions, one point a row, not shape {array.shape}")
    if array.dtype not in (np.float32, np.float64):
        narrow = (array.dtype.kind in "iub" and array.dtype.itemsize <= 2) or array.dtype == np.float16
        try:
            array = array.astype(np.float32 if narrow else np.float64)
        except (TypeError, ValueError) as error:
            raise InvalidArgumentError(f"{name}: must be numbers: {error}") from None
    return np.ascontiguousarray(array)


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
    return np.unique(array, return_inverse=True)[1].astype(np.int32)
