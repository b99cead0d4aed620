"""Quantization noise: while a model trains, its layers compute with weights of which random blocks are quantized."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from .. import _core
from .._call import make_call
from .._errors import InvalidArgumentError
from .._options import with_options
from ._device_noise import noise_on_device
from ._layers import Layer, choose, rules_of, scheme_options
from ._straight_through import straight_through


class _LayerState:
    """Noise of one weight. Layers that share a weight share it."""

    def __init__(self, layer: Layer, options: dict[str, Any]) -> None:
        shape = list(layer.outputs_first(layer.weight).shape)
        self.layer = layer
        self.noise = _core.LayerNoise(
            shape, layer.convolution, layer.number, layer.padding_row, make_call(seed="seed"), options
        )
        self.codebook: np.ndarray | None = None
        self.learned_at = -1

    @property
    def has_codebook(self) -> bool:
        return self.noise.function.startswith("product")

    def codebook_for(self, weight: torch.Tensor, step: int, refresh: bool) -> np.ndarray | None:
        """The codebook of the step. It is learned once a step, however often the layer runs in it."""
        if not self.has_codebook:
            return None
        every = self.noise.refresh_steps
        due = refresh or (every > 0 and step > 0 and step % every == 0)
        if self.codebook is None or (due and self.learned_at != step):
            values = weight.float().cpu().contiguous().numpy()
            self.codebook = self.noise.learn(values, self.codebook, make_call())
            self.learned_at = step
        return self.codebook


def _check_finite(weight: torch.Tensor, layer: Layer) -> None:
    """The sum is cheap, and not finite if a value is not; it may also overflow."""
    if torch.isfinite(weight.sum()):
        return
    bad = (~torch.isfinite(weight)).reshape(-1).nonzero()
    if len(bad):
        at = int(bad[0])
        raise InvalidArgumentError(
            f"the weight of layer {layer.name!r} has the value {weight.reshape(-1)[at]} at {at}; noise needs finite weights"
        )


class _Hook:
    """Shadows the weight of a module while its caller's forward runs."""

    def __init__(self, noise: QuantNoise | None, states: list[tuple[Layer, _LayerState]]) -> None:
        self.noise = noise
        self.states = states

    def __reduce__(self) -> tuple[Any, ...]:
        return _Hook, (None, [])  # copies of a model have no noise

    def before(self, caller: nn.Module, inputs: Any) -> None:
        if self.noise is None or not caller.training or not self.noise.enabled:
            return
        for layer, state in self.states:
            layer.module.__dict__[layer.attribute] = self.noise._noised(layer, state)

    def after(self, caller: nn.Module, inputs: Any, output: Any) -> None:
        for layer, _ in self.states:
            layer.module.__dict__.pop(layer.attribute, None)


@with_options("noise")
class QuantNoise:
    """Quantization noise [Fan et al., Training with quantization noise for extreme model compression, ICLR 2021].

    In each forward pass of a layer in training mode, every block of its weight is drawn with probability ``rate`` and
    takes its quantized value; all others are the weight bit by bit. The gradient is exact for blocks that were not
    drawn and passes straight through the quantization of the others (section 4 of the paper). Parameters are neither
    written nor replaced: ``state_dict()``, optimizers, checkpoints and DistributedDataParallel see the model as it is.

    A draw is a function of seed, step, layer and block, the same as that of the C++ library. So all processes of a
    group draw the same blocks, activation checkpointing recomputes the same weights, and a run that is resumed with
    ``load_state_dict`` goes on as if it had not stopped. Call ``step()`` after each step of the optimizer, or pass the
    ``optimizer``; with several forward passes in a step all see the same noise.

        with QuantNoise(model, "product", rate=0.1, optimizer=optimizer):
            for x, y in batches:
                loss(model(x), y).backward()
                optimizer.step()
                optimizer.zero_grad()

    Without ``with`` the noise stays until ``remove()``. Copies of the model, such as averages of its weights, and models
    that were pickled have none.

    Args:
        model (Module): Any. Weights of Linear, Embedding, Conv1d to Conv3d, MultiheadAttention, and of modules with a
            parameter ``weight`` of 2 to 5 dimensions. Recurrent layers are left alone, as is the row ``padding_idx``.
        function (str): ``"proxy"``: zeros, a good first choice for product codes; ``"mean"``: the mean of the block;
            ``"integer"`` (``"int4"``: with 4 ``bits``): each weight rounded to one of 2^bits values of a range;
            ``"product"`` (``"pq8"``: blocks of 8): the nearest centroid of the layer; ``"product-integer"``: the same
            with centroids rounded to integers. Use that of the file to be made.
        rate (float): Probability of a draw. The authors use 0.05 to 0.2, and 0.5 for integers; 1 is quantization-aware
            training.
        layers (str, list or mapping, optional): Regular expressions for whole names of layers, with options or a word
            for ``function`` that replace those of the call: ``{".*fc[12]": {"function": "pq8", "rate": 0.05}, "embed":
            "int8"}``. Default: all layers.
        schedule ({"constant", "linear", "random"}): Rate as a function of the step: rises from ``first_rate`` to
            ``rate`` within ``ramp_steps`` steps, or is drawn between both at every step.
        seed: Seed of the draws.
        optimizer (torch.optim.Optimizer, optional): Its ``step()`` advances the noise.
        **options: See the table below.

    A step costs a copy of the weights and one pass over them; the product functions also compare the drawn blocks with
    all centroids. Weights that are not float32 on the CPU are noised on their device by PyTorch.

    Raises:
        InvalidArgumentError: For an option out of range, and a pattern that matches no layer.
    """

    def __init__(
        self,
        model: nn.Module,
        function: str = "proxy",
        rate: float = 0.1,
        *,
        layers: Any = None,
        schedule: str = "constant",
        seed: int = 0,
        optimizer: torch.optim.Optimizer | None = None,
        **options: Any,
    ) -> None:
        self.enabled = True
        """False: layers compute with their own weights, as in evaluation mode."""
        self._step = 0
        self._refresh_at = -1
        defaults = {"rate": rate, "schedule": schedule, "seed": seed, **scheme_options(function), **options}
        self._states: dict[str, _LayerState] = {}
        by_weight: dict[int, _LayerState] = {}
        by_caller: dict[nn.Module, list[tuple[Layer, _LayerState]]] = {}
        for layer, own in choose(model, rules_of(layers, scheme_options)):
            state = by_weight.get(id(layer.weight))
            if state is None:
                word = own.get("function")
                given = {**own, **scheme_options(word)} if isinstance(word, str) else own
                state = by_weight[id(layer.weight)] = _LayerState(layer, {**defaults, **given})
                self._states[layer.name] = state
            by_caller.setdefault(layer.caller, []).append((layer, state))
        self._handles = []
        for caller, states in by_caller.items():
            hook = _Hook(self, states)
            self._handles.append(caller.register_forward_pre_hook(hook.before))
            self._handles.append(caller.register_forward_hook(hook.after, always_call=True))
        if optimizer is not None:
            self._handles.append(optimizer.register_step_post_hook(self._after_step))

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def _noised(self, layer: Layer, state: _LayerState) -> torch.Tensor:
        weight = getattr(layer.module, layer.attribute)  # with the noise of an outer QuantNoise, if there is one
        with torch.no_grad():
            own = layer.outputs_first(weight.detach())
            codebook = state.codebook_for(own, self._step, self._refresh_at == self._step)
            if own.device.type == "cpu" and own.dtype == torch.float32:
                own = own.contiguous()
                _check_finite(own, layer)
                noised = torch.empty_like(own)
                state.noise.apply(own.numpy(), self._step, codebook, noised.numpy(), None, torch.get_num_threads())
            else:
                noised = noise_on_device(own, state.noise, self._step, codebook)
            noised = layer.outputs_first(noised)
        return straight_through(weight, noised)

    def _after_step(self, *_: Any) -> None:
        self.step()

    def step(self) -> None:
        """Ends a step: the next forward pass draws anew."""
        self._step += 1

    def refresh(self) -> None:
        """Updates the codebooks by k-means at the next forward pass, from the present ones; once an epoch, say."""
        self._refresh_at = self._step

    def rate(self, layer: str | None = None) -> float:
        """The rate at this step, of a layer or of the first."""
        return self._state(layer).noise.rate(self._step)

    def drawn(self, layer: str | None = None) -> np.ndarray:
        """Which blocks of a layer this step draws: bool, (outputs, blocks of an output)."""
        drawn: np.ndarray = self._state(layer).noise.drawn(self._step, torch.get_num_threads()).astype(bool)
        return drawn

    def _state(self, layer: str | None) -> _LayerState:
        if layer is None:
            return next(iter(self._states.values()))
        if layer not in self._states:
            raise InvalidArgumentError(f"layer: {layer!r} has no noise; layers that have: {', '.join(self._states)}")
        return self._states[layer]

    @property
    def layers(self) -> list[str]:
        """Names of the layers with noise; of those that share a weight the first."""
        return list(self._states)

    def state_dict(self) -> dict[str, Any]:
        """The step and the codebooks, which a run needs to resume."""
        books = {
            name: torch.from_numpy(state.codebook.copy())
            for name, state in self._states.items()
            if state.codebook is not None
        }
        return {"step": self._step, "codebooks": books}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from ``state_dict()`` of a noise with the same options on the same model."""
        for name, book in state["codebooks"].items():
            self._state(name).codebook = np.ascontiguousarray(book.cpu().numpy(), np.float32)
            self._state(name).learned_at = int(state["step"])
        self._step = int(state["step"])

    def remove(self) -> None:
        """Takes the noise off the model."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def __enter__(self) -> QuantNoise:  # noqa: PYI034
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()
