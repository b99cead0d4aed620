"""Tensors of NumPy and PyTorch as the library takes them: name, type, shape and bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .._arrays import real_numbers, to_numpy
from .._errors import InvalidArgumentError, UnsupportedError

Tensor = tuple[str, str, list[int], np.ndarray]

# Types in the words of safetensors, by the names that NumPy and PyTorch share.
_WORDS = {
    "bool": "BOOL",
    "uint8": "U8",
    "int8": "I8",
    "int16": "I16",
    "uint16": "U16",
    "float16": "F16",
    "bfloat16": "BF16",
    "int32": "I32",
    "uint32": "U32",
    "float32": "F32",
    "complex64": "C64",
    "float64": "F64",
    "int64": "I64",
    "uint64": "U64",
    "float8_e4m3fn": "F8_E4M3",
    "float8_e5m2": "F8_E5M2",
}
NAMES = {word: name for name, word in _WORDS.items()}


def tensor_of(name: str, value: Any) -> Tensor:
    """Views the bytes of an array or a tensor on the CPU; copies others."""
    torch_has_it = hasattr(value, "detach")
    if not torch_has_it:
        value = to_numpy(value, f"model: {name!r}")
    type_name = str(value.dtype).removeprefix("torch.") if torch_has_it else value.dtype.name
    if type_name not in _WORDS:
        raise UnsupportedError(f"model: {name!r} has the type {type_name}, which safetensors files do not have")
    if not torch_has_it:
        value = np.asarray(value, value.dtype.newbyteorder("="), order="C")
        data = value.reshape(-1).view(np.uint8)
    elif value.is_meta or str(value.layout) != "torch.strided":
        has = "no values: it is on the device meta" if value.is_meta else f"the layout {value.layout}, not torch.strided"
        raise InvalidArgumentError(f"model: {name!r} has {has}")
    else:
        value = value.detach().cpu().contiguous()
        data = _bytes_of_torch(value)
    return name, _WORDS[type_name], list(value.shape), data


def float32_of(value: Any, name: str) -> np.ndarray:
    """An array or a tensor as float32 in C order; shares memory where it can."""
    if hasattr(value, "detach"):
        if value.is_complex():
            raise InvalidArgumentError(f"{name}: is complex; must be real numbers")
        value = value.detach().cpu().float().numpy()
    return real_numbers(to_numpy(value, name), np.float32, name)


def _bytes_of_torch(value: Any) -> np.ndarray:
    import torch

    data: np.ndarray = value.reshape(-1).view(torch.uint8).numpy()
    return data


def tensors_of(model: Any) -> list[Tensor]:
    """The tensors of a module (its ``state_dict``) or of a mapping of names to arrays."""
    state = model.state_dict() if callable(getattr(model, "state_dict", None)) else model
    if not isinstance(state, Mapping):
        raise InvalidArgumentError(
            "model: must be a path, a PyTorch module, or a mapping of names to arrays or tensors, "
            f"not {type(model).__name__}"
        )
    if not state:
        raise InvalidArgumentError("model: has no tensors")
    for name, value in state.items():
        if not hasattr(value, "shape"):
            raise InvalidArgumentError(
                f"model: {str(name)!r} is of type {type(value).__name__}; must be an array or a tensor. "
                "parsimony_ml.torch.save_model writes models with packed modules"
            )
    return [tensor_of(str(name), value) for name, value in state.items()]


def array_of(name: str, word: str, shape: Iterable[int], data: bytearray) -> np.ndarray:
    """A NumPy array of bytes from a file. bfloat16, which NumPy does not have, becomes float32 exactly."""
    if word == "BF16":
        wide = np.frombuffer(data, np.uint16).astype(np.uint32) << 16
        return wide.view(np.float32).reshape(tuple(shape))
    if word not in NAMES or word.startswith("F8"):
        raise UnsupportedError(f"{name!r} in the file has values {word}, for which NumPy has no type")
    return np.frombuffer(data, NAMES[word]).reshape(tuple(shape))


def file_of(tensors: Iterable[Tensor]) -> bytes:
    """The bytes of a safetensors file."""
    header: dict[str, Any] = {}
    parts: list[bytes] = []
    end = 0
    for name, word, shape, data in tensors:
        header[name] = {"dtype": word, "shape": shape, "data_offsets": [end, end + data.nbytes]}
        end += data.nbytes
        parts.append(data.tobytes())
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *parts])
