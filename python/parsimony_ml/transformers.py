"""Compact folders in Hugging Face transformers: import this module, and ``from_pretrained`` reads them.

import parsimony_ml.transformers
model = AutoModel.from_pretrained("small")                    # a folder that parsimony_ml.quant.compress made
model.save_pretrained("copy")                                 # again a compact file
model = AutoModel.from_pretrained("floats", quantization_config=ParsimonyConfig("int4g64", packed=True))
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from transformers.quantizers import auto
from transformers.quantizers.base import HfQuantizer
from transformers.utils.quantization_config import QuantizationConfigMixin

from . import _core
from ._call import make_call
from ._errors import InvalidArgumentError, UnsupportedError
from .quant._compress import calibration_of, compress_options
from .quant._files import open_model
from .quant._tensors import tensors_of
from .torch._files import coded_type, write_model
from .torch._packed import PackedEmbedding, PackedLinear, put_codes, with_tied

__all__ = ["ParsimonyConfig", "ParsimonyQuantizer"]


class ParsimonyConfig(QuantizationConfigMixin):
    """The ``quantization_config`` of ``from_pretrained``.

    Args:
        scheme, layers, budget, **options: For a folder of floats: as in ``parsimony_ml.quant.compress``. A compact
            folder has its codes already.
        packed (bool): Linear layers and embeddings compute with the codes, on the CPU, and take the memory of the file.
            False: the weights are decoded, so that every device and all of PyTorch can use them.
        accuracy ({"tables8", "tables16", "exact"}): Accuracy of the inner products of packed product codes.
    """

    def __init__(
        self,
        scheme: str | None = None,
        *,
        layers: Mapping[str, str] | str | None = None,
        budget: int | str | None = None,
        packed: bool = False,
        accuracy: str = "tables8",
        quant_method: str = "parsimony",
        **options: Any,
    ) -> None:
        self.quant_method: Any = quant_method
        self.scheme, self.layers, self.budget = scheme, layers, budget
        self.packed, self.accuracy = packed, accuracy
        self.options = options.pop("options", {}) | options

    def get_loading_attributes(self) -> dict[str, Any]:
        """The choices that the caller of ``from_pretrained`` has for a compact folder."""
        return {"packed": self.packed, "accuracy": self.accuracy}


class ParsimonyQuantizer(HfQuantizer):
    """Loads compact files, quantizes models that are loaded, and saves the codes."""

    requires_calibration = False
    quantization_config: ParsimonyConfig

    def __init__(self, quantization_config: ParsimonyConfig, **kwargs: Any) -> None:
        super().__init__(quantization_config, **kwargs)
        self._decoded: tempfile.TemporaryDirectory[str] | None = None
        self._codes: dict[str, tuple[str, _core.QuantizedTensor]] = {}

    def validate_environment(self, *args: Any, device_map: Any = None, **kwargs: Any) -> None:
        places = device_map.values() if isinstance(device_map, Mapping) else [device_map]
        if self.quantization_config.packed and not all(str(place) in ("None", "cpu") for place in places):
            raise UnsupportedError(f"packed: computes on the CPU, and device_map is {device_map!r}")

    def _process_model_before_weight_loading(
        self, model: Any, checkpoint_files: list[str] | None = None, **kwargs: Any
    ) -> Any:
        if not self.pre_quantized or not checkpoint_files:
            return model
        if len(checkpoint_files) != 1:
            raise UnsupportedError("a compact model is one file, and the folder has several")
        # transformers then loads the decoded file as any other: names, types, devices and tied weights are its work.
        self._decoded = tempfile.TemporaryDirectory(prefix="parsimony-")
        decoded = Path(self._decoded.name) / "model.safetensors"
        file = open_model(checkpoint_files[0])
        _core.dequantize(Path(checkpoint_files[0]), decoded, make_call())
        codes = file.weights
        codes.update({alias: codes[name] for alias, name in file.aliases.items() if name in codes})
        self._codes = codes
        checkpoint_files[:] = [str(decoded)]
        return model

    def _process_model_after_weight_loading(self, model: Any, **kwargs: Any) -> Any:
        config = self.quantization_config
        if self._decoded is not None:
            self._decoded.cleanup()
            self._decoded = None
        state = model.state_dict(keep_vars=True)
        if self.pre_quantized:
            self._codes = _in_names_of(model, state, self._codes)
        else:
            given = compress_options(config.scheme, config.layers, config.budget, config.options)
            calibration = calibration_of(given.pop("calibration", None))
            codes, aliases = _core.quantize_model(tensors_of(model), make_call(seed="seed"), given, calibration)
            codes.update({alias: codes[name] for alias, name in aliases.items() if name in codes})
            self._codes = {name: (coded_type(state[name].dtype), weight) for name, weight in codes.items()}
        if config.packed or not self.pre_quantized:
            weights = {name: weight for name, (_, weight) in self._codes.items()}
            put_codes(model, weights, config.packed, {"accuracy": config.accuracy})
        return model

    def get_state_dict_and_metadata(self, model: Any) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
        """The tensors and the metadata of the compact file, which ``save_pretrained`` writes as they are."""
        self._check_unchanged(model)
        with tempfile.TemporaryDirectory(prefix="parsimony-") as folder:
            path = os.path.join(folder, "model.safetensors")
            write_model(model, path, self._codes, False, False, {})
            with safe_open(path, framework="pt") as file:
                return {name: file.get_tensor(name).clone() for name in file.keys()}, dict(file.metadata())  # noqa: SIM118

    def _check_unchanged(self, model: Any) -> None:
        for name, (_, weight) in self._codes.items():
            module = model.get_submodule(name.rpartition(".")[0])
            if isinstance(module, PackedLinear | PackedEmbedding):
                continue
            own = model.get_parameter(name)
            if not torch.equal(own.detach().cpu(), torch.from_numpy(weight.decode()).to(own.dtype)):
                raise InvalidArgumentError(
                    f"save_pretrained: {name!r} has changed since it was loaded, and its codes have not; "
                    "parsimony_ml.quant.compress(model, path) makes new ones"
                )

    def is_serializable(self, *args: Any, **kwargs: Any) -> bool:
        return True

    @property
    def is_trainable(self) -> bool:
        return not self.quantization_config.packed


def _in_names_of(
    model: Any, state: Mapping[str, Any], codes: Mapping[str, tuple[str, _core.QuantizedTensor]]
) -> dict[str, tuple[str, _core.QuantizedTensor]]:
    """The codes by the names of the model, which has a prefix more or less than the file where one of both is a base
    model and the other has a head. Weights that transformers renamed or merged stay decoded."""
    prefix = f"{model.base_model_prefix}."
    out = {}
    for name in state:
        for candidate in (name, name.removeprefix(prefix), prefix + name):
            if candidate in codes and tuple(state[name].shape) == tuple(codes[candidate][1].shape):
                out[name] = codes[candidate]
                break
    return with_tied(state, out)


def _register() -> None:
    auto.AUTO_QUANTIZATION_CONFIG_MAPPING["parsimony"] = ParsimonyConfig
    auto.AUTO_QUANTIZER_MAPPING["parsimony"] = ParsimonyQuantizer
    kinds = getattr(auto, "LOADING_ATTRIBUTES_CONFIG_TYPES", ())
    if ParsimonyConfig not in kinds:
        auto.LOADING_ATTRIBUTES_CONFIG_TYPES = (*kinds, ParsimonyConfig)


_register()
