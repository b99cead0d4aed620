"""Iterative product quantization: a network is quantized stage by stage, and trained on with what is quantized."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from .. import _core, quant
from .._call import make_call
from .._errors import InvalidArgumentError
from ._files import coded_type, write_model
from ._layers import Layer, choose, rules_of, scheme_options, weight_layers
from ._packed import plain_state, weight_of
from ._straight_through import straight_through

_PRODUCT = {
    "block_size": 0, "layout": "row", "centroids": 256, "codebook": "float16", "max_iterations": 20,
    "shared_codebook": False, "latent_weights": False, "seed": 0,
}  # fmt: skip
_INTEGER = {"bits": 8, "range": "mse"}


class _Decode(torch.autograd.Function):
    """C[A]; the gradient of a centroid is the mean of the gradients of its blocks."""

    @staticmethod
    def forward(
        ctx: Any, centroids: torch.Tensor, index: torch.Tensor, counts: torch.Tensor, shape: tuple[int, ...]
    ) -> torch.Tensor:
        ctx.save_for_backward(index, counts)
        ctx.size = centroids.shape
        return centroids.reshape(-1)[index].view(shape)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None, None]:
        index, counts = ctx.saved_tensors
        total = torch.zeros(counts.shape, dtype=gradient.dtype, device=gradient.device)
        total.index_add_(0, index, gradient.reshape(-1))
        return (total / counts).view(ctx.size), None, None, None


@dataclass(eq=False)
class _Member:
    layers: list[Layer]  # the first, and those that share its weight
    tensor: Any = None  # quant.QuantizedTensor, once it is learned
    index: torch.Tensor | None = None

    @property
    def layer(self) -> Layer:
        return self.layers[0]

    def values(self) -> np.ndarray:
        """The weight outputs first, as float32."""
        weight = self.layer.outputs_first(self.layer.weight.detach())
        return weight.float().cpu().contiguous().numpy()


@dataclass(eq=False)
class _Group:
    """Layers with one codebook, or one layer in integers."""

    options: dict[str, Any]
    members: list[_Member] = field(default_factory=list)
    centroids: nn.Parameter | None = None
    counts: torch.Tensor | None = None

    @property
    def integer(self) -> bool:
        return bool(self.options["function"] == "integer")

    def learn(self, importance: Mapping[str, np.ndarray], n_jobs: int | None) -> None:
        call = make_call(n_jobs, seed="seed")
        if self.integer:
            options = {name: self.options[name] for name in _INTEGER}
            for member in self.members:
                member.tensor = _core.with_half_scales(_core.integer_quantize(member.values(), call, options))
            return
        names = ("block_size", "layout", "centroids", "max_iterations", "seed")
        options = {name: self.options[name] for name in names} | {"codebook": "float32"}
        given = [importance.get(member.layer.name) for member in self.members]
        made = _core.product_quantize([member.values() for member in self.members], given, call, options)
        for member, tensor in zip(self.members, made, strict=True):
            member.tensor = tensor
        self.take(torch.from_numpy(made[0].centroids))

    def take(self, centroids: torch.Tensor) -> None:
        """Starts from these centroids with the codes of the members."""
        weight = self.members[0].layer.weight
        self.centroids = nn.Parameter(centroids.to(weight.device, weight.dtype))
        self.take_codes()

    def take_codes(self) -> None:
        assert self.centroids is not None
        counts = torch.zeros(self.centroids.numel(), dtype=torch.int64)
        for member in self.members:
            index = torch.from_numpy(_core.codebook_index(member.tensor))
            counts += torch.bincount(index, minlength=len(counts))
            member.index = index.to(self.centroids.device)
        self.counts = counts.clamp_min(1).to(self.centroids.device, self.centroids.dtype)

    def reassign(self, n_jobs: int | None) -> tuple[int, int]:
        """Gives each block of the latent weights its nearest centroid: (changed, all) codes."""
        tensors = self.with_centroids("float32")
        values = [member.values() for member in self.members]
        made = _core.assign_codes(values, tensors[0], make_call(n_jobs))
        changed = sum(int(np.count_nonzero(old.codes != new.codes)) for old, new in zip(tensors, made, strict=True))
        for member, tensor in zip(self.members, made, strict=True):
            member.tensor = tensor
        self.take_codes()
        return changed, sum(tensor.codes.size for tensor in made)

    def decoded(self, member: _Member) -> torch.Tensor:
        weight = member.layer.weight
        if self.integer:
            with torch.no_grad():
                value = torch.from_numpy(_core.with_values(member.tensor, member.values()).decode())
                value = member.layer.outputs_first(value.to(weight.device, weight.dtype))
            return straight_through(weight, value)
        shape = tuple(member.layer.outputs_first(weight).shape)
        decoded: torch.Tensor = _Decode.apply(  # type: ignore[no-untyped-call]
            self.centroids, member.index, self.counts, shape
        )
        decoded = member.layer.outputs_first(decoded)
        if self.options["latent_weights"]:
            decoded = decoded + (weight - weight.detach())
        return decoded

    def with_centroids(self, kind: str) -> list[quant.QuantizedTensor]:
        """The codes with the present centroids, rounded as a file of this kind stores them."""
        assert self.centroids is not None
        centroids = self.centroids.detach().float().cpu().contiguous().numpy()
        return _core.with_centroids([member.tensor for member in self.members], centroids, kind)

    def stored(self) -> list[quant.QuantizedTensor]:
        if self.integer:
            return [_core.with_values(member.tensor, member.values()) for member in self.members]
        return self.with_centroids(self.options["codebook"])


class _Hook:
    """Shadows the weight of a layer with its decoded weight while the forward of its caller runs."""

    def __init__(self, owner: IterativePQ, group: _Group, member: _Member, layer: Layer) -> None:
        self.owner, self.group, self.member, self.layer = owner, group, member, layer

    def before(self, caller: nn.Module, inputs: Any) -> None:
        if self.owner.enabled:
            self.layer.module.__dict__[self.layer.attribute] = self._decoded()

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def _decoded(self) -> torch.Tensor:
        return self.group.decoded(self.member)

    def after(self, caller: nn.Module, inputs: Any, output: Any) -> None:
        self.layer.module.__dict__.pop(self.layer.attribute, None)


class IterativePQ:
    """Iterative product quantization [Stock et al., And the bit goes down, ICLR 2020; Fan et al., 2021].

    A quantized weight is C[A]: the rows of its codebook C that its codes A select. The gradient of a centroid is the
    **mean** of the gradients of its blocks, c <- c - lr / |J_c| sum of dL/db over J_c (the program of the authors sums
    them in linear layers and embeddings); codes stay. Layers that are not quantized yet are trained as usual.

        ipq = IterativePQ(model, {r".*\\.fc[12]": "pq8", "embed": "pq8", r".*attn.*": "pq4", "head": "int8"})
        for stage in ipq:                                     # k-means on the weights as they are now
            optimizer = torch.optim.SGD(ipq.parameters(), lr=0.01)
            for x, y in batches:
                distillation_loss(model(x), teacher(x)).backward()
                optimizer.step()
                optimizer.zero_grad()
        ipq.save("small.safetensors")

    The model computes with the decoded weights, in training and in evaluation, until ``remove()`` or ``store()``. Its
    parameters are neither written nor replaced before ``store()``.

    Args:
        model: Module.
        stages (mapping): {regular expression for whole names of layers: scheme}, in the order of the stages. A scheme
            is a word of ``compress`` ("pq8", "pq4x128", "int8") or a dict of options with ``function`` "product" or
            "integer". A layer belongs to the first stage that matches it. The authors take feed-forward layers,
            embeddings, attention; and convolutions one after the other.
        importance (mapping, optional): Second moments of the inputs (``input_second_moments``): errors then count as
            they change the outputs.
        n_jobs: int, optional.
        **options: For all stages. Products: ``block_size`` (default: a kernel; 4 for convolutions of one position; 8),
            ``layout``, ``centroids`` (256), ``codebook`` ("float16", "int8", "float32"), ``max_iterations``,
            ``shared_codebook`` (one for all layers of a stage with blocks of one kind), ``latent_weights`` (train the
            float weights W too, as C[A] + W - stopgrad(W), so that ``reassign()`` changes codes), ``seed``. Integers:
            ``bits``, ``range``.

    Raises:
        InvalidArgumentError: For options out of range, and a stage that no layer belongs to.
    """

    def __init__(
        self,
        model: nn.Module,
        stages: Mapping[str, Any],
        *,
        importance: Mapping[str, Any] | None = None,
        n_jobs: int | None = None,
        **options: Any,
    ) -> None:
        self.model = model
        self.enabled = True
        """False: the model computes with its own weights."""
        self.n_jobs = n_jobs
        self._importance = {
            name.removesuffix("input_second_moment").removesuffix("."): np.ascontiguousarray(values, np.float32)
            for name, values in (importance or {}).items()
        }
        rules = rules_of(stages, scheme_options)
        self.stages = [pattern.pattern for pattern, _ in rules]
        own = {id(rule): _checked(rule, options) for _, rule in rules}
        self._plan = [(layer, own[id(rule)], id(rule)) for layer, rule in choose(model, rules)]
        if self._importance and not self._importance.keys() & {layer.name for layer, _, _ in self._plan}:
            other = next(iter(self._importance))
            raise InvalidArgumentError(f"importance: has none of the layers of the stages, but {other!r}")
        self._order = [id(rule) for _, rule in rules]
        self._groups: list[_Group] = []
        self._handles: list[Any] = []
        self.stage = 0
        """Number of stages that are quantized."""

    def __iter__(self) -> Iterator[str]:
        """Quantizes a stage and yields its expression, for all stages that are left."""
        while self.stage < len(self.stages):
            self.quantize_stage()
            yield self.stages[self.stage - 1]

    def quantize_stage(self) -> list[str]:
        """Learns the codes of the next stage on the present weights. Returns the names of its layers."""
        if self.stage == len(self.stages):
            raise InvalidArgumentError("stages: all are quantized")
        groups = self._groups_of(self.stage)
        for group in groups:
            group.learn(self._importance, self.n_jobs)
        self._add(groups)
        self.stage += 1
        return [layer.name for group in groups for member in group.members for layer in member.layers]

    def _groups_of(self, stage: int) -> list[_Group]:
        known = {id(layer.weight) for group in self._groups for member in group.members for layer in member.layers}
        groups: dict[Any, _Group] = {}
        members: dict[int, _Member] = {}
        for layer, options, rule in self._plan:
            if rule != self._order[stage] or id(layer.weight) in known:
                continue
            if id(layer.weight) in members:
                continue
            shape = list(layer.outputs_first(layer.weight).shape)
            settings = dict(options)
            if settings["function"] == "product":
                settings["block_size"], settings["layout"] = _core.layer_grid(
                    shape, layer.convolution, settings["block_size"], settings["layout"]
                )
            together = settings.get("shared_codebook", False)
            key = (settings.get("block_size"), settings.get("layout")) if together else layer.name
            sharing = [other for other in weight_layers(self.model) if other.weight is layer.weight]
            sharing.sort(key=lambda other: other.name != layer.name)
            member = members[id(layer.weight)] = _Member(sharing)
            groups.setdefault(key, _Group(settings)).members.append(member)
        return list(groups.values())

    def _add(self, groups: list[_Group]) -> None:
        for group in groups:
            for member in group.members:
                for layer in member.layers:
                    hook = _Hook(self, group, member, layer)
                    self._handles.append(layer.caller.register_forward_pre_hook(hook.before))
                    self._handles.append(layer.caller.register_forward_hook(hook.after, always_call=True))
        self._groups.extend(groups)

    def centroids(self) -> list[nn.Parameter]:
        """The codebooks, K x d each, in the order of quantization."""
        return [group.centroids for group in self._groups if group.centroids is not None]

    def parameters(self) -> list[nn.Parameter]:
        """Everything that the next steps train: codebooks, and parameters that are not quantized or stay latent."""
        frozen = {
            id(member.layer.weight)
            for group in self._groups
            for member in group.members
            if not group.integer and not group.options["latent_weights"]
        }
        own = [parameter for parameter in self.model.parameters() if id(parameter) not in frozen]
        return self.centroids() + [parameter for parameter in own if parameter.requires_grad]

    def reassign(self) -> float:
        """Gives each block with latent weights its nearest centroid. Returns the fraction of codes that changed."""
        changed = total = 0
        for group in self._groups:
            if not group.integer and group.options["latent_weights"]:
                some, count = group.reassign(self.n_jobs)
                changed, total = changed + some, total + count
        if total == 0:
            raise InvalidArgumentError("reassign: needs latent_weights, which codes follow; no quantized layer has any")
        return changed / total

    def fit_ranges(self) -> None:
        """Fits the ranges of integers to the present weights."""
        for group in self._groups:
            if group.integer:
                group.learn({}, self.n_jobs)

    def tensors(self) -> dict[str, quant.QuantizedTensor]:
        """The quantized weights by their names in the ``state_dict``, as a file stores them."""
        out: dict[str, quant.QuantizedTensor] = {}
        for group in self._groups:
            for member, tensor in zip(group.members, group.stored(), strict=True):
                weight = member.layer.weight
                if member.layer.inputs_first:
                    tensor = _core.with_axes(tensor, list(weight.shape), [1], [0, *range(2, weight.dim())])
                out[member.layer.key] = tensor
        return out

    def save(
        self, path: str | os.PathLike[str], *, half: bool = True, deflate_header: bool = False, **metadata: str
    ) -> int:
        """Writes a compact file: codes of quantized weights, and the other tensors, in float16 with ``half``. Returns
        its bytes. ``load_model`` gives a model that computes the same up to that rounding.
        """
        state = self.model.state_dict(keep_vars=True)
        codes = {name: (coded_type(state[name].dtype), tensor) for name, tensor in self.tensors().items()}
        return write_model(self.model, path, codes, half, deflate_header, metadata)

    def store(self) -> None:
        """Sets the parameters of the model to the decoded weights as a file stores them, and takes the hooks off."""
        with torch.no_grad():
            state = self.model.state_dict(keep_vars=True)
            for name, tensor in self.tensors().items():
                state[name].copy_(torch.from_numpy(tensor.decode()))
        self.remove()

    def remove(self) -> None:
        """Takes the hooks off: the model computes with its own weights again."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def state_dict(self) -> dict[str, Any]:
        """Codes and centroids, all that a run needs to resume beside the model's own state."""
        groups = []
        for group in self._groups:
            centroids = None if group.centroids is None else group.centroids.detach().clone()
            weights = [plain_state(member.tensor) for member in group.members if member.tensor is not None]
            names = [member.layer.name for member in group.members]
            groups.append({"layers": names, "weights": weights, "centroids": centroids})
        return {"stage": self.stage, "groups": groups}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from ``state_dict()`` of an object with the same stages and options on the same model."""
        if self._groups:
            raise InvalidArgumentError("load_state_dict: must come before the first stage")
        saved = {tuple(entry["layers"]): entry for entry in state["groups"]}
        for stage in range(int(state["stage"])):
            groups = self._groups_of(stage)
            for group in groups:
                names = tuple(member.layer.name for member in group.members)
                if names not in saved:
                    raise InvalidArgumentError(f"load_state_dict: has no codes for {', '.join(names)}")
                for member, weight in zip(group.members, saved[names]["weights"], strict=True):
                    member.tensor = weight_of(weight)
                if not group.integer:
                    group.take(saved[names]["centroids"])
            self._add(groups)
        self.stage = int(state["stage"])


def _checked(rule: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """The options of a stage with the defaults of its kind."""
    given = {"function": "product", **options, **rule}
    word = str(given["function"])
    given = {**given, **scheme_options(word)}
    defaults = {"product": _PRODUCT, "integer": _INTEGER}.get(given["function"])
    if defaults is None:
        raise InvalidArgumentError(f"stages: must have products or integers, such as 'pq8' or 'int8', not {word!r}")
    known = {**_PRODUCT, **_INTEGER, "function": None}
    for name in given:
        if name not in known:
            raise InvalidArgumentError(f"{name}: there is no such option; there are {', '.join(sorted(known))}")
    return {**defaults, **{name: value for name, value in given.items() if name in defaults or name == "function"}}
