"""Networks in fewer bytes: compact files, weights in codes, and layers that compute with codes.

``compress`` makes a compact file of a PyTorch module, a dict of arrays, a safetensors file or a Hugging Face folder;
``load`` reads it. PyTorch is not needed: ``parsimony_ml.torch`` puts the weights back into modules.
"""

from __future__ import annotations

from .._core import QuantizedTensor
from ._compress import Compression, compress
from ._files import load
from ._weights import PackedEmbedding, PackedLinear, quantize

__all__ = [
    "Compression",
    "PackedEmbedding",
    "PackedLinear",
    "QuantizedTensor",
    "compress",
    "load",
    "quantize",
]
