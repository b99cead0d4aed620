"""Modules that compute with codes, and the functions that put them into a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
import torch
from torch import nn

from .. import _core, quant
from .._call import make_call
from .._errors import InvalidArgumentError, UnsupportedError
from ..quant._compress import calibration_of, compress_options
from ..quant._tensors import tensors_of


def plain_state(weight: quant.QuantizedTensor) -> dict[str, Any]:
    """The parts of a weight in codes as numbers, words and tensors, which ``torch.load(weights_only=True)`` reads."""
    state = weight.__getstate__()
    state["packed"] = torch.frombuffer(bytearray(state["packed"]), dtype=torch.uint8)
    if state["codebook"] is not None:
        centroids, kind, scales = state["codebook"]
        state["codebook"] = [torch.from_numpy(np.array(centroids)), kind, list(scales)]
    return state


def weight_of(state: Mapping[str, Any]) -> quant.QuantizedTensor:
    """The inverse of ``plain_state``. Refuses parts that do not fit together."""
    parts = dict(state)
    parts["packed"] = parts["packed"].numpy().tobytes()
    if parts["codebook"] is not None:
        centroids, kind, scales = parts["codebook"]
        parts["codebook"] = (centroids.float().numpy(), kind, scales)
    weight = quant.QuantizedTensor.__new__(quant.QuantizedTensor)
    weight.__setstate__(parts)
    return weight


class _Multiply(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, layer: PackedLinear) -> torch.Tensor:
        ctx.layer = layer
        return layer._multiply(x)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        weight = torch.from_numpy(ctx.layer.quantized.decode())
        return (gradient.float() @ weight).to(gradient.dtype), None


class PackedLinear(nn.Module):
    """A linear layer whose weight stays in codes, in memory and while it computes.

    x: (..., in_features) -> (..., out_features), in float32 on the CPU; results have the type of x. The weight cannot
    be trained, but gradients pass to x, so that adapters before the layer can. ``bias`` is a parameter as before.

    Args:
        quantized: parsimony_ml.quant.QuantizedTensor.
        bias: Parameter, optional.
        **options: ``accuracy`` ("tables8", "tables16", "exact"), ``tiles``, ``switch_batch`` and ``keep_tiles``: see
            ``parsimony_ml.quant.PackedLinear``.
    """

    bias: nn.Parameter | None

    def __init__(self, quantized: quant.QuantizedTensor, bias: nn.Parameter | None = None, **options: Any) -> None:
        super().__init__()
        self.options = options
        self._set(quantized)
        self.register_parameter("bias", bias)

    def _set(self, quantized: quant.QuantizedTensor) -> None:
        self.quantized = quantized
        self.packed = quant.PackedLinear(quantized, **self.options)
        self.in_features, self.out_features = self.packed.in_features, self.packed.out_features

    @property
    def weight(self) -> torch.Tensor:
        """The decoded weight, made anew by each access: for programs that look at type or shape."""
        return torch.from_numpy(self.quantized.decode())

    def _multiply(self, x: torch.Tensor) -> torch.Tensor:
        if x.device.type != "cpu":
            raise UnsupportedError(f"PackedLinear computes on the CPU, and x is on {x.device}; load without packed")
        if not x.is_floating_point():
            raise InvalidArgumentError(f"x: must be floats, not {x.dtype}")
        y = self.packed(x.detach(), n_jobs=torch.get_num_threads())
        return torch.from_numpy(y).to(x.dtype)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor
        y = _Multiply.apply(x, self) if x.requires_grad else self._multiply(x)  # type: ignore[no-untyped-call]
        return y if self.bias is None else y + self.bias.to(y.dtype)

    def get_extra_state(self) -> dict[str, Any]:
        return plain_state(self.quantized)

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        self._set(weight_of(state))

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, {self.packed.nbytes} bytes"


class PackedEmbedding(nn.Module):
    """An embedding whose rows are decoded when they are looked up: (...) indices -> (..., embedding_dim) float32."""

    def __init__(self, quantized: quant.QuantizedTensor, padding_idx: int | None = None, dtype: Any = None) -> None:
        super().__init__()
        self.padding_idx = padding_idx
        self.dtype = dtype or torch.float32
        self._set(quantized)

    def _set(self, quantized: quant.QuantizedTensor) -> None:
        self.quantized = quantized
        self.packed = quant.PackedEmbedding(quantized)
        self.num_embeddings, self.embedding_dim = self.packed.num_embeddings, self.packed.embedding_dim

    @property
    def weight(self) -> torch.Tensor:
        """The decoded weight, made anew by each access."""
        return torch.from_numpy(self.quantized.decode()).to(self.dtype)

    def forward(self, indices: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(self.packed(indices.cpu())).to(self.dtype)

    def get_extra_state(self) -> dict[str, Any]:
        return plain_state(self.quantized)

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        self._set(weight_of(state))

    def extra_repr(self) -> str:
        return f"{self.num_embeddings}, {self.embedding_dim}, {self.packed.nbytes} bytes"


def _packed_module(module: nn.Module, codes: quant.QuantizedTensor, options: dict[str, Any]) -> nn.Module | None:
    """The module with codes that takes the place of this one; None where there is none."""
    if type(module) is nn.Linear:
        return PackedLinear(codes, module.bias, **options)
    if type(module) is nn.Embedding and module.max_norm is None and not module.scale_grad_by_freq:
        return PackedEmbedding(codes, module.padding_idx, module.weight.dtype)
    return None


Coded = TypeVar("Coded")


def with_tied(state: Mapping[str, Any], codes: Mapping[str, Coded]) -> dict[str, Coded]:
    """The codes by all names of a ``state_dict(keep_vars=True)`` whose parameters have some."""
    by_parameter = {id(state[name]): value for name, value in codes.items() if name in state}
    tied = {name: by_parameter[id(value)] for name, value in state.items() if id(value) in by_parameter}
    return dict(codes) | tied


def put_codes(model: nn.Module, codes: Mapping[str, quant.QuantizedTensor], packed: bool, options: dict[str, Any]) -> None:
    """Gives the weights of these names their codes: as packed modules where there are some, else decoded in place."""
    state = model.state_dict(keep_vars=True)
    for name, weight in with_tied(state, codes).items():
        path, _, attribute = name.rpartition(".")
        module = model.get_submodule(path)
        replaced = _packed_module(module, weight, options) if packed and path and attribute == "weight" else None
        if replaced is None:
            with torch.no_grad():
                state[name].copy_(torch.from_numpy(weight.decode()))
            continue
        replaced.train(module.training)
        parent, _, child = path.rpartition(".")
        setattr(model.get_submodule(parent), child, replaced)


def quantize_(
    model: nn.Module,
    scheme: str | None = None,
    *,
    layers: Mapping[str, str] | str | None = None,
    budget: int | str | None = None,
    calibration: Any = None,
    accuracy: str = "tables8",
    n_jobs: int | None = None,
    progress: Any = None,
    **options: Any,
) -> nn.Module:
    """Puts the weights of a model into codes in place, and returns it: the codes that ``compress`` would write.

    Linear layers and embeddings become ``PackedLinear`` and ``PackedEmbedding``, which hold the codes alone; all other
    weights take their decoded values. ``save_model`` writes the result.

    Args:
        model (Module): On the CPU.
        scheme, layers, budget, calibration, **options: As in ``parsimony_ml.quant.compress``: ``quantize_(model,
            "int4g64")``, ``quantize_(model, budget="8MB")``, ``quantize_(model, layers={"ffn": "pq8", "attention":
            "pq4"})``.
        accuracy ({"tables8", "tables16", "exact"}): Accuracy of the inner products of product codes.
    """
    given = compress_options(scheme, layers, budget, options)
    tensors = tensors_of(model)
    codes, aliases = _core.quantize_model(
        tensors, make_call(n_jobs, progress, seed="seed"), given, calibration_of(calibration)
    )
    if not codes:
        raise InvalidArgumentError("model: none of its tensors can become codes")
    codes.update({alias: codes[target] for alias, target in aliases.items() if target in codes})
    put_codes(model, codes, True, {"accuracy": accuracy})
    return model
