"""Counts and sizes in texts: "1 cluster", "2 clusters"."""

from __future__ import annotations


def count_of(count: int, one: str) -> str:
    """The count with its noun, whose plural ends in s."""
    return f"{count} {one if count == 1 else one + 's'}"


def comparison_of_bytes(size: int, model_size: int, digits: int = 2) -> str:
    """ "2.00 times fewer", "1.02 times more" or "as many", for bytes and those of the model."""
    if size == model_size:
        return "as many"
    direction = "fewer" if size < model_size else "more"
    times = max(size, model_size) / max(1, min(size, model_size))
    text = f"{times:.{digits}f}"
    return f"hardly {direction}" if float(text) == 1 else f"{text} times {direction}"
