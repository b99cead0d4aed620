"""Noise by PyTorch on the device of a weight: the same draw and functions as in the library, in any precision."""

from __future__ import annotations

import numpy as np
import torch

from .. import _core
from .._call import make_call

_CHUNK = 1 << 16  # blocks that are compared with the centroids at once


def noise_on_device(weight: torch.Tensor, noise: _core.LayerNoise, step: int, codebook: np.ndarray | None) -> torch.Tensor:
    """psi(weight), outputs first; blocks that are not drawn keep their bits."""
    mask = torch.from_numpy(noise.drawn(step, torch.get_num_threads())).to(weight.device, non_blocking=True)
    flat = weight.reshape(weight.shape[0], -1)
    if noise.function == "integer":
        return torch.where(mask.bool(), _integers(flat.float(), noise).to(flat.dtype), flat).view(weight.shape)
    at = mask.reshape(-1).nonzero()[:, 0]
    each = mask.shape[1]
    offsets = torch.from_numpy(noise.offsets()).to(weight.device)
    own = offsets[at % each]
    kept = own >= 0  # padding completes the last block of an output
    index = (at // each * flat.shape[1])[:, None] + own.clamp_min(0)
    blocks = flat.reshape(-1)[index].float() * kept
    if noise.function == "proxy":
        values = torch.zeros_like(blocks)
    elif noise.function == "mean":
        values = (blocks.sum(1) / kept.sum(1)).unsqueeze(1).expand_as(blocks)
    else:
        assert codebook is not None
        values = _centroids(blocks, torch.from_numpy(noise.rounded(codebook)).to(weight.device))
    noised = flat.reshape(-1).clone()
    noised[index[kept]] = values[kept].to(noised.dtype)
    return noised.view(weight.shape)


def _integers(flat: torch.Tensor, noise: _core.LayerNoise) -> torch.Tensor:
    """phi(w) = (clamp(round(w / s + z), 0, 2^N - 1) - z) s with one s and z for all or for each output."""
    if noise.range == "min-max":
        low, high = torch.aminmax(flat, dim=1, keepdim=True)
        if noise.granularity == "per-tensor":
            low, high = low.min(), high.max()
        scale = ((high - low) / (2**noise.bits - 1)).clamp_min(torch.finfo(torch.float32).tiny)
        zero = -torch.round(low / scale)
    else:
        code = _core.integer_quantize(
            flat.cpu().contiguous().numpy(),
            make_call(),
            {"bits": noise.bits, "granularity": noise.granularity, "range": noise.range},
        )
        scale = torch.from_numpy(code.scale).to(flat.device)[:, None]
        zero = torch.from_numpy(code.zero_point).to(flat.device)[:, None].float()
    level = torch.clamp(torch.round(flat / scale + zero), 0, 2**noise.bits - 1)
    return (level - zero).mul(scale)


def _centroids(blocks: torch.Tensor, book: torch.Tensor) -> torch.Tensor:
    """The nearest centroid of each block."""
    half = book.square().sum(1) / 2
    nearest = [(half - part @ book.T).argmin(1) for part in torch.split(blocks, _CHUNK)]
    return book[torch.cat(nearest)] if nearest else blocks
