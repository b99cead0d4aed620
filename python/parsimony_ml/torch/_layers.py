"""The weights of a model that noise and codes apply to, and the patterns that choose among them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from .._errors import InvalidArgumentError

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)


@dataclass(eq=False)
class Layer:
    """A weight that a forward pass reads."""

    name: str
    """Dotted name of the module; that of the attribute too unless it is ``weight``."""
    module: nn.Module
    """The module that has the weight."""
    attribute: str
    caller: nn.Module
    """The module whose forward reads the weight: itself, or the attention around it."""
    number: int
    """Its place among the layers of the model, from 1 on: part of the draw."""

    @property
    def weight(self) -> nn.Parameter:
        weight = self.module._parameters[self.attribute]
        assert weight is not None
        return weight

    @property
    def key(self) -> str:
        """Name of the weight in the ``state_dict``, without the prefix of the model."""
        if self.attribute == "weight":
            return f"{self.name}.weight" if self.name else "weight"
        return self.name

    @property
    def convolution(self) -> bool:
        return isinstance(self.module, _CONVOLUTIONS + _TRANSPOSED)

    @property
    def embedding(self) -> bool:
        return isinstance(self.module, _EMBEDDINGS)

    @property
    def padding_row(self) -> int:
        """The row ``padding_idx`` of an embedding; -1: none."""
        row = getattr(self.module, "padding_idx", None) if self.embedding else None
        return -1 if row is None else int(row)

    @property
    def inputs_first(self) -> bool:
        """Whether the first dimension counts the inputs: transposed convolutions, and the Conv1D of GPT-2."""
        return isinstance(self.module, _TRANSPOSED) or type(self.module).__name__ == "Conv1D"

    def outputs_first(self, weight: torch.Tensor) -> torch.Tensor:
        return weight.transpose(0, 1) if self.inputs_first else weight


def _own_weights(module: nn.Module) -> Iterator[tuple[nn.Module, str, str]]:
    """(module, attribute, name) of the weights that the forward of the module reads."""
    if isinstance(module, nn.MultiheadAttention):
        for attribute in ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"):
            yield module, attribute, attribute
        yield module.out_proj, "weight", "out_proj"
    else:
        yield module, "weight", ""


def weight_layers(model: nn.Module) -> list[Layer]:
    """All weights of 2 to 5 dimensions in the order of registration: Linear, Embedding, Conv1d to Conv3d, attention,
    and any other module with a floating-point parameter ``weight``. Recurrent layers, whose weights torch reads in
    another way, have none.
    """
    layers: list[Layer] = []
    seen: set[tuple[int, str]] = set()
    for name, caller in model.named_modules():
        for module, attribute, inner in _own_weights(caller):
            weight = module._parameters.get(attribute)
            if weight is None or not 2 <= weight.dim() <= 5 or not weight.is_floating_point():
                continue
            if weight.numel() == 0 or (id(module), attribute) in seen:
                continue
            seen.add((id(module), attribute))
            full = ".".join(part for part in (name, inner) if part)
            layers.append(Layer(full, module, attribute, caller, len(layers) + 1))
    return layers


Rules = list[tuple[re.Pattern[str], dict[str, Any]]]


def rules_of(layers: Any, words: Any) -> Rules:
    """Patterns with the options that they set. ``words`` turns a string value into options."""
    if layers is None:
        layers = {".*": {}}
    elif isinstance(layers, str):
        layers = {layers: {}}
    elif not isinstance(layers, Mapping):
        layers = {pattern: {} for pattern in layers}
    rules: Rules = []
    for pattern, value in layers.items():
        try:
            expression = re.compile(pattern)
        except (re.error, TypeError) as error:
            raise InvalidArgumentError(f"layers: {pattern!r} is not a regular expression: {error}") from None
        if isinstance(value, str):
            value = words(value)
        if not isinstance(value, Mapping):
            raise InvalidArgumentError(f"layers: {pattern!r} must have a dict of options or a word, not {value!r}")
        rules.append((expression, dict(value)))
    return rules


def choose(model: nn.Module, rules: Rules) -> list[tuple[Layer, dict[str, Any]]]:
    """The layers whose whole name a rule matches, each with the options of the first that does."""
    layers = weight_layers(model)
    chosen: list[tuple[Layer, dict[str, Any]]] = []
    used = set()
    for layer in layers:
        for number, (pattern, options) in enumerate(rules):
            if pattern.fullmatch(layer.name):
                chosen.append((layer, options))
                used.add(number)
                break
    for number, (pattern, _) in enumerate(rules):
        if number not in used:
            example = f"; one of them is {layers[0].name!r}" if layers else ""
            raise InvalidArgumentError(
                f"layers: {pattern.pattern!r} matches none of the {len(layers)} layers with weights of the model"
                f" that no earlier pattern matches{example}"
            )
    return chosen


def scheme_options(word: str) -> dict[str, Any]:
    """Options of noise and of iterative quantization for a word of ``compress``."""
    integer = re.fullmatch(r"int([2-8])", word)
    product = re.fullmatch(r"pq(\d+)?(?:x(\d+))?", word)
    if integer:
        return {"function": "integer", "bits": int(integer[1])}
    if product:
        sizes = {"block_size": product[1], "centroids": product[2]}
        return {"function": "product", **{name: int(size) for name, size in sizes.items() if size}}
    return {"function": word}
