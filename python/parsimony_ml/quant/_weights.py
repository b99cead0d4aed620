"""One weight in codes, and layers that compute with the codes."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _core
from .._arrays import to_numpy
from .._call import make_call, threads_of
from .._errors import InvalidArgumentError
from .._options import with_options
from ._tensors import file_of, float32_of, tensor_of


def quantize(
    weight: Any,
    scheme: str = "int8",
    *,
    importance: Any = None,
    n_jobs: int | None = None,
    progress: Any = None,
    **options: Any,
) -> _core.QuantizedTensor:
    """Puts one weight into codes, the same as ``compress`` would.

    Args:
        weight (array or tensor of 2 to 5 dimensions): Outputs first: (out, in), or (out, in, kernel...). Another order
            is named by ``axis``.
        scheme (str): A word of ``compress``: ``"int2"`` to ``"int8"`` (``"int4g64"``: a scale for every 64 values),
            ``"nf4"``, ``"levels2"`` to ``"levels4"``, ``"pq8"`` (blocks of 8 weights, 256 centroids), ``"pq8x1024"``.
        importance (array, optional): Weight of the squared errors: E[x^2] of each input channel, or of each value of an
            output.
        n_jobs (int, optional): Threads; -1: all cores. The result does not depend on it.
        **options: Those of ``compress`` that are about one weight: ``range``, ``max_iterations``, ``codebook``,
            ``layout``, ``axis``, ``seed``.

    Returns:
        QuantizedTensor: ``decode()`` gives float32; ``codes``, ``centroids``, ``scale`` show the parts; it can be
            pickled.

    Raises:
        InvalidArgumentError: For an option out of range, and a weight whose codes would take more bytes than its
            floats.
    """
    calibration = None
    if importance is not None:
        moments = float32_of(importance, "importance").reshape(-1)
        calibration = file_of([tensor_of("layer.input_second_moment", moments)])
    call = make_call(n_jobs, progress, seed="seed")
    return _core.quantize(float32_of(weight, "weight"), call, {"scheme": scheme, **options}, calibration)[0]


def _checked(weight: Any) -> _core.QuantizedTensor:
    if not isinstance(weight, _core.QuantizedTensor):
        raise InvalidArgumentError(f"weight: must be a QuantizedTensor, as quantize() makes, not {type(weight).__name__}")
    return weight


@with_options("packed_linear")
class PackedLinear:
    """``y = x W^T + bias`` with W in codes, which are never decoded as a whole.

    Args:
        weight (QuantizedTensor): (out, in); the kernel of a convolution multiplies unrolled patches.
        bias: array of ``out`` values, optional.
        **options: See the table below. ``accuracy`` is for products: tables of inner products with 8 bits (error of about
            1 %), 16 bits (1e-4), or floats. ``tiles`` of integers are two to four times faster than floats, with an error
            of 1 to 2 %. ``keep_tiles="auto"`` keeps those of 8-bit codes, in place of these; "always" takes a byte for
            each weight.
    """

    def __init__(self, weight: _core.QuantizedTensor, bias: Any = None, **options: Any) -> None:
        self.weight = _checked(weight)
        self.bias = None if bias is None else float32_of(bias, "bias")
        self.options = options
        self._layer = _core.PackedLinear(weight, self.bias, make_call(), options)

    @property
    def in_features(self) -> int:
        return self._layer.inputs

    @property
    def out_features(self) -> int:
        return self._layer.outputs

    @property
    def nbytes(self) -> int:
        """Memory of codes, codebook, factors and bias."""
        return self._layer.nbytes

    def __call__(self, x: Any, *, n_jobs: int | None = None) -> np.ndarray:
        """x: (..., in_features) -> (..., out_features), float32."""
        rows = float32_of(x, "x")
        if rows.ndim == 0 or rows.shape[-1] != self.in_features:
            raise InvalidArgumentError(f"x: must have {self.in_features} values in a row, not shape {rows.shape}")
        flat = rows.reshape(-1, self.in_features)
        out = np.empty((len(flat), self.out_features), np.float32)
        self._layer.multiply(flat, out, threads_of(n_jobs))
        return out.reshape(*rows.shape[:-1], self.out_features)

    def __reduce__(self) -> tuple[Any, ...]:
        return _packed_linear, (self.weight, self.bias, self.options)

    def __repr__(self) -> str:
        return f"PackedLinear({self.in_features} -> {self.out_features}, {self.nbytes} bytes)"


def _packed_linear(weight: _core.QuantizedTensor, bias: Any, options: dict[str, Any]) -> PackedLinear:
    return PackedLinear(weight, bias, **options)


class PackedEmbedding:
    """Looks up rows of a weight in codes: (rows, dimension)."""

    def __init__(self, weight: _core.QuantizedTensor) -> None:
        self.weight = _checked(weight)
        self._layer = _core.PackedEmbedding(weight)

    @property
    def num_embeddings(self) -> int:
        return self._layer.rows

    @property
    def embedding_dim(self) -> int:
        return self._layer.dimension

    @property
    def nbytes(self) -> int:
        return self._layer.nbytes

    def __call__(self, indices: Any) -> np.ndarray:
        """indices: (...) -> (..., embedding_dim), float32."""
        index = to_numpy(indices, "indices")
        if index.dtype.kind not in "iu" and index.size:
            raise InvalidArgumentError(f"indices: must be whole numbers, not of type {index.dtype}")
        index = np.asarray(index, np.int64, order="C")
        out = np.empty((index.size, self.embedding_dim), np.float32)
        self._layer.lookup(index.reshape(-1), out)
        return out.reshape(*index.shape, self.embedding_dim)

    def __reduce__(self) -> tuple[Any, ...]:
        return PackedEmbedding, (self.weight,)

    def __repr__(self) -> str:
        return f"PackedEmbedding({self.num_embeddings} x {self.embedding_dim}, {self.nbytes} bytes)"
