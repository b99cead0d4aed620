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
    """A file cannot be opened, read or written.

    ``errno`` is the number that the operating system gives the reason, or None. As with ``OSError``, the error is also
    the builtin of its number: ``FileNotFoundError``, ``PermissionError``, ``IsADirectoryError``, ``NotADirectoryError``
    or ``FileExistsError``.
    """

    def __new__(cls, message: str = "", number: int | None = None) -> FileError:  # noqa: PYI034 - Self is younger
        builtin = OSError if number is None else type(OSError(number, ""))
        kind = next((kind for kind in _KINDS if builtin in kind.__bases__), cls) if cls is FileError else cls
        return super().__new__(kind, message)

    def __init__(self, message: str = "", number: int | None = None) -> None:
        super().__init__(message)
        self.errno = number

    def __reduce__(self) -> tuple[type[FileError], tuple[str, int | None]]:
        return type(self), (str(self), self.errno)


class MissingFileError(FileError, FileNotFoundError):
    """A file or its folder is not there."""


class FilePermissionError(FileError, PermissionError):
    """The user may not read or write the file."""


class FolderError(FileError, IsADirectoryError):
    """A folder is where a file must be."""


class NoFolderError(FileError, NotADirectoryError):
    """A file is where a folder must be."""


class OccupiedError(FileError, FileExistsError):
    """A file is where none must be."""


_KINDS = (MissingFileError, FilePermissionError, FolderError, NoFolderError, OccupiedError)


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
