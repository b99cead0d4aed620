"""Counts and sizes in texts."""

from __future__ import annotations

import pytest

from parsimony_ml._counts import comparison_of_bytes, count_of


def test_only_one_is_singular() -> None:
    assert count_of(1, "cluster") == "1 cluster"
    assert [count_of(count, "cluster") for count in (0, 2, 11)] == ["0 clusters", "2 clusters", "11 clusters"]


@pytest.mark.parametrize(
    ("size", "model_size", "text"),
    [
        (50, 100, "2.00 times fewer"),
        (102, 100, "1.02 times more"),
        (100, 100, "as many"),
        (1001, 1000, "hardly more"),
        (999, 1000, "hardly fewer"),
        (5, 0, "5.00 times more"),
    ],
)
def test_sizes_are_compared_in_the_right_direction(size: int, model_size: int, text: str) -> None:
    assert comparison_of_bytes(size, model_size) == text
