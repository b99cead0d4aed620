"""Reads compact files and safetensors files, and finds the model in a Hugging Face folder."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np

from .. import _core
from .._call import make_call
from .._errors import FileError, InvalidArgumentError
from ._tensors import array_of

MODEL_FILES = ("model.safetensors", "model.safetensors.index.json")


def model_file(path: str | os.PathLike[str]) -> Path:
    """The file of the model: the path itself, or that of a folder as ``save_pretrained`` writes it."""
    found = Path(path)
    if not found.is_dir():
        return found
    for name in MODEL_FILES:
        if (found / name).is_file():
            return found / name
    files = sorted(found.glob("*.safetensors"))
    if len(files) == 1:
        return files[0]
    if files:
        names = ", ".join(file.name for file in files)
        raise InvalidArgumentError(f"{found}: has several models ({names}); name one of them")
    raise FileError(f"{found}: has no {MODEL_FILES[0]} and no {MODEL_FILES[1]}", errno.ENOENT)


def open_model(path: str | os.PathLike[str], progress: Any = None) -> _core.OpenModel:
    return _core.open_model(model_file(path), make_call(None, progress))


def load(path: str | os.PathLike[str], *, progress: Any = None) -> dict[str, np.ndarray]:
    """Reads a compact file, a safetensors file or the folder of either as arrays by name.

    Weights are decoded and have the type that they had in the model: float32 and float16; bfloat16, which NumPy does
    not have, becomes float32. Tied tensors are one array under several names. Takes the memory of the whole model.

    Raises:
        FileError: The file cannot be read.
        FormatError: It is neither, or is damaged: names file and tensor.
    """
    model = open_model(path, progress)
    out: dict[str, np.ndarray] = {}
    for name, (dtype, weight) in model.weights.items():
        values = weight.decode()
        out[name] = values.astype(np.float16) if dtype == "F16" else values
    for name, (dtype, shape, stored, data) in model.others.items():
        values = array_of(name, stored, shape, data)
        out[name] = values.astype(np.float32) if stored == "F16" and dtype == "F32" else values
    for name, target in model.aliases.items():
        out[name] = out[target]
    return dict(sorted(out.items()))
