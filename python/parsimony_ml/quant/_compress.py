"""A network becomes a compact file in one call."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

from .. import _core
from .._call import bytes_of, make_call
from .._counts import comparison_of_bytes
from .._errors import InvalidArgumentError
from .._options import with_options
from .._report import Report
from ._files import model_file
from ._tensors import file_of, float32_of, tensor_of, tensors_of

# Files with weights, which a compact file replaces.
_WEIGHTS = (
    "*.safetensors", "*.index.json", "*.bin", "*.h5", "*.msgpack", "*.onnx", "*.pt", "*.pth", "*.ckpt", "*.gguf",
)  # fmt: skip


@dataclass(frozen=True)
class Compression:
    """The result of ``compress``."""

    bytes: int
    """Bytes of the compact file, to the byte after a dry run too."""
    model_bytes: int
    """Bytes of the model's safetensors file."""
    weights: list[dict[str, Any]]
    """For each weight in codes: name, shape, dtype, scheme, bits, bytes, model_bytes, relative_mse, ..."""
    aliases: dict[str, str]
    """Name of a tied tensor: name of the tensor that has its values."""
    left_alone: list[tuple[str, str, bool]] = field(repr=False)
    """(name, reason, expected) of each tensor that is not in codes."""
    path: Path | None
    """The compact file; None after a dry run."""
    report: Report = field(repr=False)
    """Options as used, seconds and bytes of each stage, memory, version."""

    @property
    def ratio(self) -> float:
        """Bytes of the model for each byte of the file: below 1 where the file is larger."""
        return self.model_bytes / self.bytes

    @property
    def relative_mse(self) -> float | None:
        """The squared error of the weights in codes, divided by their squares: the mean over all weights. None where
        nothing was quantized, as after a dry run."""
        sizes = [prod(weight["shape"]) for weight in self.weights]
        errors = [weight["relative_mse"] for weight in self.weights]
        if not sizes or None in errors:
            return None
        return float(sum(size * error for size, error in zip(sizes, errors, strict=True)) / sum(sizes))

    def plot(
        self, beside: Sequence[Compression] = (), *, accuracies: Sequence[float] | None = None, figure: Any = None
    ) -> Any:
        """Draws the bits of a weight and its error layer by layer, and the error of the whole file against its bytes.

        Args:
            beside: Other compressions of the same model, for the last picture.
            accuracies: Measured ones of this compression and of those beside, drawn in place of the errors.
            figure: A figure of matplotlib to draw in.

        Needs matplotlib; returns the figure.
        """
        from .._plots import plot_compression

        return plot_compression(self, beside, accuracies, figure)

    def __repr__(self) -> str:
        where = "dry run" if self.path is None else str(self.path)
        size = comparison_of_bytes(self.bytes, self.model_bytes)
        return f"<Compression: {self.bytes} bytes of {self.model_bytes}, {size}, {where}>"


@with_options("compress")
def compress(
    model: Any,
    target: str | os.PathLike[str] | None = None,
    *,
    budget: int | str | None = None,
    scheme: str | None = None,
    layers: Mapping[str, str] | str | None = None,
    preset: str | None = None,
    calibration: Any = None,
    dry_run: bool = False,
    n_jobs: int | None = None,
    progress: Any = None,
    max_memory: int | str | None = None,
    **options: Any,
) -> Compression:
    """Makes a compact file: weights in codes, everything else as it is.

    Args:
        model (module, mapping, or path): A PyTorch module or its ``state_dict``, arrays by name, a safetensors file,
            the index of a sharded model, or a Hugging Face folder. Tensors on the CPU are not copied.
        target (path, optional): The file to write; for a folder, the folder: configuration and tokenizer are copied
            beside the model. Needed unless ``dry_run``.
        budget (int or str, optional): Largest size of the file, as ``"3.3MB"`` or a number of bytes. Schemes are then
            chosen for each layer.
        scheme (str, optional): One word for all layers (``"int8"``, the default; ``"int4g64"``, ``"levels4"``,
            ``"nf4"``, ``"pq8"``, ...), or rules ``"ffn=pq8,*=int8"``.
        layers (mapping, optional): {pattern: scheme}: a role (``"ffn"``, ``"attention"``, ``"embedding"``,
            ``"depthwise"``, ...) or a regular expression searched in the name. The first that selects a layer counts;
            all others get ``scheme``. A string is the expression of the tensors that become codes at all.
        preset ({"none", "paper", "small", "accurate"}, optional): Schemes by role for a whole network.
        calibration (path or mapping, optional): Inputs of the layers: ``"m.input"``, or E[x^2] as
            ``"m.input_second_moment"``, for a weight ``"m.weight"``.
        dry_run (bool): Plans and tells the size, but writes nothing.
        n_jobs, progress, max_memory: Threads (-1: all), a function of (stage, done, total) or True for a bar, most
            bytes of memory. The file does not depend on the threads.
        **options: The other options of the command ``parsimony quantize``, and ``seed``. The table is below.

    Returns:
        Compression

    Raises:
        InvalidArgumentError: Options; a budget below the least possible size, which is named.
        UnsupportedError, FormatError, FileError: As the library: the message names the tensor or the file.
    """
    if preset is not None:
        options["preset"] = preset
    given = compress_options(scheme, layers, budget, options)
    if target is None and not dry_run:
        raise InvalidArgumentError("target: names no file; must name one unless dry_run is set")
    folder = isinstance(model, str | os.PathLike) and Path(model).is_dir()
    source: Any = model_file(model) if isinstance(model, str | os.PathLike) else tensors_of(model)
    path = None if target is None or dry_run else Path(target)
    if folder and path is not None:
        _check_folder(Path(model), path)
        path = path / "model.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
    made = _core.compress(
        source,
        {},
        path,
        make_call(n_jobs, progress, max_memory, seed="seed", output="target"),
        {"dry_run": dry_run, **given},
        calibration_of(calibration),
    )
    if folder and path is not None:
        types = [_FLOATS[weight["dtype"]] for weight in made["weights"]]
        pruned = given.get("prune", "none") != "none"
        _copy_beside(Path(model), path.parent, pruned, types[0] if types else "float32")
    return Compression(
        bytes=made["bytes"],
        model_bytes=made["model_bytes"],
        weights=made["weights"],
        aliases=made["aliases"],
        left_alone=made["left_alone"],
        path=path,
        report=Report.parse(made["report"]),
    )


def compress_options(
    scheme: str | None, layers: Mapping[str, str] | str | None, budget: int | str | None, options: Mapping[str, Any]
) -> dict[str, Any]:
    """The options of the library for these keywords."""
    given = dict(options)
    if budget is not None:
        given["budget"] = bytes_of(budget, "budget")
    rules = []
    if isinstance(layers, Mapping):
        for pattern, word in layers.items():
            if not isinstance(pattern, str) or not isinstance(word, str):
                raise InvalidArgumentError(f"layers: must be patterns and schemes as text, not {pattern!r}: {word!r}")
            if any(mark in pattern for mark in ",="):
                raise InvalidArgumentError(f"layers: the pattern {pattern!r} must have neither a comma nor '='")
            rules.append(f"{pattern}={word}")
    elif layers is not None:
        given["layers"] = layers
    if scheme is not None:
        if not isinstance(scheme, str):
            raise InvalidArgumentError(f"scheme: must be a word such as 'int8', not {scheme!r}")
        rules.append(f"*={scheme}" if rules and "=" not in scheme else scheme)
    if rules:
        given["scheme"] = ",".join(rules)
    return given


def calibration_of(calibration: Any) -> Any:
    """A path, or the bytes of a safetensors file with the arrays."""
    if calibration is None:
        return None
    if isinstance(calibration, str | os.PathLike):
        return Path(calibration)
    if not isinstance(calibration, Mapping):
        raise InvalidArgumentError(
            f"calibration: must be a path or a mapping of names to arrays, not {type(calibration).__name__}"
        )
    return file_of(tensor_of(str(name), float32_of(value, f"calibration: {name!r}")) for name, value in calibration.items())


def _check_folder(model: Path, target: Path) -> None:
    if target.exists() and not target.is_dir():
        raise InvalidArgumentError(f"target: {target} must be a folder, since the model is one")
    if target.exists() and target.samefile(model):
        raise InvalidArgumentError(f"target: {target} is the folder of the model; name another one")


_FLOATS = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}


def _copy_beside(model: Path, target: Path, pruned: bool, dtype: str) -> None:
    """Copies all but weights, and tells transformers how to read these. A pruned model has its own config.json."""
    for entry in sorted(model.iterdir()):
        if entry.name.startswith(".") or any(entry.match(pattern) for pattern in _WEIGHTS):
            continue
        if entry.is_dir():
            shutil.copytree(entry, target / entry.name, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*_WEIGHTS))
        elif entry.name != "config.json" or not pruned:
            shutil.copyfile(entry, target / entry.name)
    config = target / "config.json"
    if config.is_file():
        content = json.loads(config.read_text(encoding="utf-8"))
        content["quantization_config"] = {"quant_method": "parsimony"}
        if not {"dtype", "torch_dtype"} & content.keys():
            content["dtype"] = dtype  # else transformers takes it from the first tensor of the file, a scale perhaps
        written = config.with_name(".config.json.partial")
        written.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        os.replace(written, config)
