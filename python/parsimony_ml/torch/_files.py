"""Models to and from compact files."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn

from .. import _core, quant
from .._call import make_call
from .._errors import FormatError, InvalidArgumentError
from ..quant._files import open_model
from ..quant._tensors import NAMES, Tensor, tensor_of
from ._packed import PackedEmbedding, PackedLinear, put_codes, with_tied

_TYPES = {word: getattr(torch, name) for word, name in NAMES.items() if hasattr(torch, name)}


def coded_type(dtype: torch.dtype) -> str:
    """The type of a weight in codes, in the words of safetensors: float32 unless it is a half."""
    return {torch.float16: "F16", torch.bfloat16: "BF16"}.get(dtype, "F32")


def _tensor(stored: str, shape: list[int], data: bytearray) -> torch.Tensor:
    if not data:
        return torch.empty(shape, dtype=_TYPES[stored])
    return torch.frombuffer(data, dtype=torch.uint8).clone().view(_TYPES[stored]).reshape(shape)


def load_state_dict(path: str | os.PathLike[str]) -> dict[str, torch.Tensor]:
    """The tensors of a compact file, a safetensors file or the folder of either, decoded, in the types of the model."""
    model = open_model(path)
    out = {name: torch.from_numpy(weight.decode()).to(_TYPES[dtype]) for name, (dtype, weight) in model.weights.items()}
    for name, (dtype, shape, stored, data) in model.others.items():
        out[name] = _tensor(stored, shape, data).to(_TYPES[dtype])
    for name, target in model.aliases.items():
        out[name] = out[target]
    return out


def load_model(
    model: nn.Module, path: str | os.PathLike[str], *, packed: bool = False, strict: bool = True, **options: Any
) -> nn.Module:
    """Sets a model of the same architecture to the values of a compact file, and returns it.

    Args:
        model (Module): Its parameters are written in place, in their own types and on their devices.
        path (path): A compact file, a safetensors file, or a folder with ``model.safetensors``.
        packed (bool): Linear layers and embeddings become ``PackedLinear`` and ``PackedEmbedding``, which compute with
            the codes on the CPU: the memory is about that of the file.
        strict (bool): Refuse a file that lacks a tensor of the model or has others. False: take those that both have.
        **options: ``accuracy``, ``tiles``, ``switch_batch`` and ``keep_tiles`` of ``PackedLinear``.

    Raises:
        FormatError: The tensors do not fit the model: names them. Nothing has been changed then.
    """
    if options and not packed:
        raise InvalidArgumentError(f"{next(iter(options))}: has an effect only with packed=True")
    file = open_model(path)
    targets = model.state_dict(keep_vars=True)
    for name, target in targets.items():
        if getattr(target, "is_meta", False):
            raise InvalidArgumentError(f"model: {name!r} is on the device meta; to_empty(device='cpu') gives it memory")
    shapes = {name: tuple(weight.shape) for name, (_, weight) in file.weights.items()}
    shapes |= {name: tuple(shape) for name, (_, shape, _, _) in file.others.items()}
    shapes |= {name: shapes[target] for name, target in file.aliases.items()}
    _check_names(path, targets, shapes, strict)
    codes = {name: weight for name, (_, weight) in file.weights.items()}
    codes |= {name: codes[target] for name, target in file.aliases.items() if target in codes}
    others = file.others
    names = {name: name for name in others}
    names |= {name: target for name, target in file.aliases.items() if target in others}
    with torch.no_grad():
        for name, source in names.items():
            if name in targets:
                _, shape, stored, data = others[source]
                targets[name].copy_(_tensor(stored, shape, data))
    put_codes(model, {name: weight for name, weight in codes.items() if name in targets}, packed, options)
    return model


def _check_names(path: Any, targets: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]], strict: bool) -> None:
    missing = [name for name in targets if name not in shapes]
    unexpected = [name for name in shapes if name not in targets]
    # Tied tensors are in a file under one name at least, and in a state_dict under all of them.
    known = {id(value) for name, value in targets.items() if name in shapes}
    missing = [name for name in missing if id(targets[name]) not in known]
    faults = []
    if strict and missing:
        faults.append(f"it lacks {_some(missing)}")
    if strict and unexpected:
        faults.append(f"the model lacks {_some(unexpected)}")
    for name, shape in shapes.items():
        if name in targets and tuple(targets[name].shape) != shape:
            faults.append(f"{name!r} has the shape {shape}, and in the model {tuple(targets[name].shape)}")
            break
    if len(missing) == len(targets) and targets:
        faults = [f"it has none of the tensors of the model, such as {missing[0]!r}"]
    if faults:
        raise FormatError(f"{os.fspath(path)}: does not fit the model: {'; '.join(faults)}")


def _some(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"


def _packed_modules(model: nn.Module) -> Iterator[tuple[str, PackedLinear | PackedEmbedding]]:
    for name, module in model.named_modules():
        if isinstance(module, PackedLinear | PackedEmbedding):
            yield f"{name}.weight" if name else "weight", module


def save_model(
    model: nn.Module,
    path: str | os.PathLike[str],
    *,
    half: bool = False,
    deflate_header: bool = False,
    metadata: Mapping[str, str] | None = None,
) -> int:
    """Writes a model with packed modules to a compact file: their codes, and all other tensors as they are.

    Args:
        half (bool): float32 tensors that are not in codes take float16.
        deflate_header (bool): Deflates names and shapes; for models below some hundred kilobytes.

    Returns:
        int: Bytes of the file.

    Raises:
        InvalidArgumentError: The model has no packed modules: ``parsimony_ml.quant.compress`` makes its codes.
    """
    codes = {name: ("F32", module.quantized) for name, module in _packed_modules(model)}
    if not codes:
        raise InvalidArgumentError(
            "model: has no packed modules; parsimony_ml.quant.compress makes a file of a model, and quantize_ its codes"
        )
    return write_model(model, path, codes, half, deflate_header, metadata or {})


def write_model(
    model: nn.Module,
    path: str | os.PathLike[str],
    codes: Mapping[str, tuple[str, quant.QuantizedTensor]],
    half: bool,
    deflate_header: bool,
    metadata: Mapping[str, str],
) -> int:
    """Writes codes with the types of their weights; all other tensors of the model as they are, tied ones once."""
    for word, text in metadata.items():
        if not isinstance(text, str):
            raise InvalidArgumentError(f"metadata: {word!r} is {text!r}; must be text")
    state = model.state_dict(keep_vars=True)
    codes = with_tied(state, codes)
    weights: list[tuple[str, str, quant.QuantizedTensor]] = []
    aliases: dict[str, str] = {}
    # Tied modules hold codes of the same bytes.
    known: dict[bytes, str] = {}
    for name, (dtype, weight) in codes.items():
        key = hashlib.sha256(pickle.dumps(weight)).digest()
        if key in known:
            aliases[name] = known[key]
        else:
            known[key] = name
            weights.append((name, dtype, weight))
    others: list[Tensor] = []
    dtypes: dict[str, str] = {}
    first: dict[int, str] = {}
    for name, value in state.items():
        if name in codes or not isinstance(value, torch.Tensor):
            continue
        if id(value) in first:
            aliases[name] = first[id(value)]
            continue
        first[id(value)] = name
        tensor = tensor_of(name, value.half() if half and value.dtype == torch.float32 else value)
        others.append(tensor)
        if half and value.dtype == torch.float32:
            dtypes[name] = "F32"
    _core.write_compact(path, weights, others, dtypes, aliases, dict(metadata), deflate_header, make_call())
    return os.stat(path).st_size
