"""How a call runs: the keywords n_jobs, progress, max_memory and random_state, which most functions have."""

from __future__ import annotations

import logging
import operator
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import _core
from ._errors import InvalidArgumentError

if TYPE_CHECKING:
    import numpy as np

Progress = Callable[[str, int, int], object]

LOGGER = logging.getLogger("parsimony_ml")

# Options of the library that have another keyword in Python, in all functions.
_KEYWORDS = {
    "clusters": "n_clusters",
    "seed": "random_state",
    "threads": "n_jobs",
    "warm_start": "initial",
}


def make_call(
    n_jobs: int | None = None,
    progress: bool | Progress | None = None,
    max_memory: int | str | None = None,
    **keywords: str,
) -> _core.Call:
    """The settings of a call. ``keywords`` are more options with another keyword, as ``neighbors="n_neighbors"``."""
    return _core.Call(
        threads=threads_of(n_jobs),
        max_memory=bytes_of(max_memory),
        progress=callback_of(progress),
        log=LOGGER.log,
        keywords=_KEYWORDS | keywords,
    )


def with_named(options: dict[str, Any], **named: Any) -> dict[str, Any]:
    """The options of a call with those that have a parameter of their own, by their names in the library."""
    for name in named:
        if name in options:
            raise InvalidArgumentError(f"{name}: there is no such keyword; did you mean {_KEYWORDS.get(name, name)}?")
    return {**options, **named}


def threads_of(n_jobs: int | None) -> int:
    """The number of threads, 0 for the library's choice: joblib's -1 is all cores, -2 all but one."""
    if n_jobs is None:
        return 0
    try:
        count = operator.index(n_jobs)
    except TypeError:
        raise InvalidArgumentError(f"n_jobs: must be a whole number or None, not {n_jobs!r}") from None
    if count == 0:
        raise InvalidArgumentError("n_jobs: must be at least 1, or -1 for all cores, not 0")
    return count if count > 0 else max(1, _core.default_thread_count() + 1 + count)


_SIZES = {
    "": 1,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}


def bytes_of(size: int | str | None, name: str = "max_memory") -> int:
    """A number of bytes, or a text such as "3.3MB" or "4GiB"; 0 for None and "auto"."""
    if size is None or size == "auto":
        return 0
    if isinstance(size, str):
        match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*([kMGT]i?)?B?\s*", size)
        count = round(float(match[1]) * _SIZES[match[2] or ""]) if match else 0
    else:
        try:
            count = operator.index(size)
        except TypeError:
            count = 0
    if count < 1:
        raise InvalidArgumentError(f'{name}: must be a number of bytes or a text such as "4GiB", not {size!r}')
    return count


def seed_of(random_state: int | np.random.Generator | np.random.RandomState | None) -> int:
    """The seed of a run: the number itself, a draw from a generator, or a new one for None."""
    if random_state is None:
        import secrets

        return secrets.randbits(64)
    if hasattr(random_state, "integers"):
        return int(random_state.integers(0, 2**63))
    if hasattr(random_state, "randint"):
        return int(random_state.randint(0, 2**31 - 1))
    try:
        seed = operator.index(random_state)
    except TypeError:
        seed = -1
    if not 0 <= seed < 2**64:
        raise InvalidArgumentError(
            f"random_state: must be a whole number from 0 to 2^64 - 1, a NumPy generator or None, not {random_state!r}"
        )
    return seed


def callback_of(progress: bool | Progress | None) -> Progress | None:
    """The function that hears of the progress: a bar for True."""
    if progress is None or progress is False:
        return None
    if progress is True:
        return _Bar()
    if not callable(progress):
        raise InvalidArgumentError(f"progress: must be True, False or a function of (stage, done, total), not {progress!r}")
    return progress


class _Bar:
    """A bar of tqdm for each stage; lines in the log where tqdm is not installed."""

    def __init__(self) -> None:
        self._stage: str | None = None
        self._bar: Any = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage != self._stage:
            self._stage = stage
            self._start(stage, total)
        if self._bar is not None:
            self._bar.update(done - self._bar.n)

    def _start(self, stage: str, total: int) -> None:
        if self._bar is not None:
            self._bar.close()
        try:
            from tqdm.auto import tqdm
        except ImportError:
            LOGGER.warning("%s (pip install tqdm for a bar)", stage)
        else:
            self._bar = tqdm(total=total, desc=stage, leave=False)

    def __del__(self) -> None:
        if self._bar is not None:
            self._bar.close()
