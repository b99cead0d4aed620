"""Values in the forward pass whose gradient passes straight to a weight."""

from __future__ import annotations

from typing import Any

import torch


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        return value

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return gradient, None


def straight_through(weight: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Equals ``value`` bit by bit; its gradient is that of ``weight``."""
    out: torch.Tensor = _StraightThrough.apply(weight, value)  # type: ignore[no-untyped-call]
    return out
