"""Steps around quantization in training: distillation, batch norm, and inputs of layers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from .._errors import InvalidArgumentError
from ._layers import weight_layers

_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


def distillation_loss(student: torch.Tensor, teacher: torch.Tensor, temperature: float = 2.0) -> torch.Tensor:
    """T^2 KL(softmax(teacher / T) || softmax(student / T)), averaged over the rows [Hinton et al., 2015].

    student, teacher: logits, (..., classes). The teacher gets no gradient. The factor T^2 keeps the size of the
    gradients independent of the temperature T.
    """
    if student.shape != teacher.shape or student.dim() == 0:
        raise InvalidArgumentError(
            f"teacher: has the shape {tuple(teacher.shape)}; must have that of student, {tuple(student.shape)}"
        )
    if not temperature > 0:
        raise InvalidArgumentError(f"temperature: must be positive, not {temperature}")
    log_student = torch.log_softmax(student / temperature, -1)
    log_teacher = torch.log_softmax(teacher.detach() / temperature, -1)
    return (log_teacher.exp() * (log_teacher - log_student)).sum(-1).mean() * temperature**2


def _run(model: nn.Module, batch: Any) -> None:
    if isinstance(batch, Mapping):
        model(**batch)
    elif isinstance(batch, tuple | list):
        model(*batch)
    else:
        model(batch)


@contextmanager
def _evaluating(model: nn.Module) -> Any:
    """Evaluation mode without gradients; then every module has its mode again."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def recalibrate_batch_norm(
    model: nn.Module, batches: Iterable[Any], *, forward: Callable[[nn.Module, Any], object] = _run
) -> None:
    """Recomputes the statistics of every batch norm, as is necessary after weights were quantized.

    They become the averages of the means and variances of all batches. All other layers are in evaluation mode
    meanwhile, and no gradients are recorded.

    Args:
        batches (iterable): Inputs of the model: a tensor, a tuple of arguments, or a dict of keywords. 100 to 1000
            examples are enough.
        forward (callable): How a batch goes through the model, ``forward(model, batch)``.

    Raises:
        InvalidArgumentError: No batch reached a batch norm. After this or any other exception the statistics are as
            before.
    """
    norms = [module for module in model.modules() if isinstance(module, _BATCH_NORMS) and module.running_mean is not None]
    names = ("running_mean", "running_var", "num_batches_tracked")
    kept = [[getattr(norm, name).clone() for name in names] for norm in norms]
    momenta = [norm.momentum for norm in norms]
    try:
        with _evaluating(model):
            for norm in norms:
                norm.train()
                norm.reset_running_stats()
                norm.momentum = None  # the average of all batches
            for batch in batches:
                forward(model, batch)
            if not any(getattr(norm, "num_batches_tracked").item() for norm in norms):  # noqa: B009
                raise InvalidArgumentError("batches: no batch went through a batch norm of the model")
    except BaseException:
        for norm, values in zip(norms, kept, strict=True):
            for name, value in zip(names, values, strict=True):
                getattr(norm, name).copy_(value)
        raise
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


def _input(module: nn.Module, inputs: tuple[Any, ...], keywords: dict[str, Any]) -> torch.Tensor | None:
    """The first argument of a call, in the order of the parameters of forward, that is a tensor of floats."""
    try:
        bound = inspect.signature(module.forward).bind(*inputs, **keywords)
    except TypeError:  # forward refuses the arguments, and says why
        return None
    for value in (*bound.args, *bound.kwargs.values()):
        if isinstance(value, torch.Tensor) and value.is_floating_point():
            return value
    return None


def input_second_moments(
    model: nn.Module, batches: Iterable[Any], *, forward: Callable[[nn.Module, Any], object] = _run
) -> dict[str, np.ndarray]:
    """E[x^2] of each input channel of linear layers and convolutions, over the batches in evaluation mode.

    The result is the ``calibration`` of ``compress`` and ``quantize_``: errors then count as they change the outputs of
    the layers. Convolutions in groups have the channels of all groups. The input of a layer is the first of the
    arguments of its ``forward``, by position or by keyword, that is a tensor of floats; a layer that gets none is left
    out.
    """
    sums: dict[str, torch.Tensor] = {}
    counts: dict[str, int] = {}

    def hook_for(name: str, channel: int) -> Callable[..., None]:
        def hook(module: nn.Module, inputs: Any, keywords: Any) -> None:
            given = _input(module, inputs, keywords)
            if given is None:
                return
            x = given.detach().double()
            axis = channel % x.dim()
            square = x.square().movedim(axis, -1).reshape(-1, x.shape[axis]).sum(0).cpu()
            sums[name] = sums.get(name, torch.zeros_like(square)) + square
            counts[name] = counts.get(name, 0) + x.numel() // x.shape[axis]

        return hook

    handles = []
    for layer in weight_layers(model):
        if layer.embedding or layer.attribute != "weight" or layer.caller is not layer.module or layer.inputs_first:
            continue
        channel = -(layer.weight.dim() - 1) if layer.convolution else -1
        handles.append(layer.module.register_forward_pre_hook(hook_for(layer.name, channel), with_kwargs=True))
    try:
        with _evaluating(model):
            for batch in batches:
                forward(model, batch)
    finally:
        for handle in handles:
            handle.remove()
    if not sums:
        raise InvalidArgumentError("batches: no batch went through a linear layer or a convolution of the model")
    suffix = "input_second_moment"
    return {f"{name}.{suffix}" if name else suffix: (total / counts[name]).float().numpy() for name, total in sums.items()}
