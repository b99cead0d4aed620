"""Tables of options in docstrings, from the one description of each option in the library."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from . import _core

F = TypeVar("F", bound=Callable[..., Any])

# Options that have a keyword of their own in every signature.
_IN_SIGNATURES = {"clusters", "seed", "symmetrize"}


def rows_of(*tables: str) -> Iterator[dict[str, Any]]:
    """The rows of these tables of the library, each option once."""
    seen: set[str] = set(_IN_SIGNATURES)
    for table in tables:
        for row in _core.options[table]():
            if row["name"] not in seen:
                seen.add(row["name"])
                yield row


def values_of(row: dict[str, Any]) -> str:
    """The values that an option takes, as a reader of help needs them: '"auto" or 1 to 16'."""
    if "values" in row:
        return " | ".join(f'"{value}"' for value in row["values"])
    if row["type"] in ("int", "float"):
        low, high = row["low"], row["high"]
        whole = row["type"] == "int"
        bounds = [None if bound is None else f"{bound:.0f}" if whole else f"{bound:g}" for bound in (low, high)]
        text = row["type"]
        if bounds[0] is not None and bounds[1] is not None:
            text = f"{bounds[0]} to {bounds[1]}"
        elif bounds[0] is not None:
            text = f"at least {bounds[0]}"
        return f'"{row["word"]}" or {text}' if "word" in row else text
    return {"bool": "True | False", "str": "text", "list": "list of texts"}[row["type"]]


def table_text(*tables: str) -> str:
    """The options as the lines of a docstring."""
    lines = []
    for row in rows_of(*tables):
        default = "" if row["default"] is None else f", default {row['default']!r}"
        text = " ".join(row["help"].split())  # some have two lines
        lines.append(f"    {row['name']} ({values_of(row)}{default}): {text}.")
    return "Options:\n" + "\n".join(lines)


def with_options(*tables: str) -> Callable[[F], F]:
    """Adds the options of these tables to a docstring."""

    def add(function: F) -> F:
        if function.__doc__ is not None:  # python -OO
            import inspect

            function.__doc__ = f"{inspect.cleandoc(function.__doc__)}\n\n{table_text(*tables)}\n"
        return function

    return add
