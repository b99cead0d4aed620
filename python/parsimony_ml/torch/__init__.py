"""Training with quantization noise, and modules that compute with codes, for PyTorch.

Everything works in place on the modules of a program: names, order and objects of its parameters stay as they are.
"""

from __future__ import annotations

from ._files import load_model, load_state_dict, save_model
from ._ipq import IterativePQ
from ._noise import QuantNoise
from ._packed import PackedEmbedding, PackedLinear, quantize_
from ._training import distillation_loss, input_second_moments, recalibrate_batch_norm

__all__ = [
    "IterativePQ",
    "PackedEmbedding",
    "PackedLinear",
    "QuantNoise",
    "distillation_loss",
    "input_second_moments",
    "load_model",
    "load_state_dict",
    "quantize_",
    "recalibrate_batch_norm",
    "save_model",
]
