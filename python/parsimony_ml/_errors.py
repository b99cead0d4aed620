"""Errors of the library. Each is also the builtin that Python programs expect, and names the keyword."""

from __future__ import annotations

from . import _core

__all__ = [
    "CancelledError",
    "Error",
    "FileError",
    "FormatError",
    "InternalError",
    "InvalidArgumentError",
    "MemoryLimitError",
    "UnsupportedError",
]


class Error(Exception):
    """The base of all errors of this package."""


class InvalidArgumentError(Error, ValueError):
    """An argument is out of range, or arguments contradict each other."""


class FileError(Error, OSError):
    """A file cannot be opened, read or written."""


class FormatError(Error, ValueError):
    """The content of a file breaks its format."""


class UnsupportedError(Error, NotImplementedError):
    """Valid, but this build or version cannot do it."""


class MemoryLimitError(Error, MemoryError):
    """The estimated memory is above ``max_memory``, or above the limit of the container."""


class CancelledError(Error):
    """The work was stopped."""


class InternalError(Error, RuntimeError):
    """An invariant of the library is broken: please report it."""


_core.set_errors(
    {
        "invalid_argument": InvalidArgumentError,
        "io": FileError,
        "format": FormatError,
        "unsupported": UnsupportedError,
        "memory_limit": MemoryLimitError,
        "cancelled": CancelledError,
        "internal": InternalError,
    }
)
