"""The record of a run."""

from __future__ import annotations

import html
import io
import json
import os
from collections.abc import Mapping
from typing import Any

from . import _core
from ._errors import InvalidArgumentError


def _png(caption: str, picture: Any) -> bytes:
    if isinstance(picture, bytes) and picture.startswith(b"\x89PNG"):
        return picture
    if not hasattr(picture, "savefig"):
        raise InvalidArgumentError(f"pictures: {caption!r} is neither a matplotlib figure nor the bytes of a PNG file")
    stream = io.BytesIO()
    picture.savefig(stream, format="png", dpi=100)
    return stream.getvalue()


class Report(dict[str, Any]):
    """The record of a run, with the keys of the command's ``--json``: options as used, status, iterations, stages with
    seconds and bytes, memory, figures. ``report["status"]`` is "converged" or "iteration_limit"."""

    @classmethod
    def parse(cls, text: str) -> Report:
        """The report of its JSON text."""
        return cls(json.loads(text))

    @property
    def converged(self) -> bool:
        """Whether no limit of iterations was met."""
        return bool(self["status"] == "converged")

    @property
    def seconds(self) -> float:
        """Wall time of all stages."""
        return float(sum(stage["seconds"] for stage in self["stages"]))

    def save(self, path: str | os.PathLike[str], pictures: Mapping[str, Any] | None = None) -> None:
        """Write the report as one page of HTML, which loads nothing from elsewhere: figures, charts of their lists, the
        stages with their share of the time and of the memory's bandwidth, and the options as used.

        Args:
            path: the file, which ends in .html. It appears whole or not at all.
            pictures: by caption, matplotlib figures or the bytes of PNG files.

        Raises:
            InvalidArgumentError: the name does not end in .html; a picture is neither of the two.
            FileError: the file cannot be written.

        Takes 128 MiB of memory for a tenth of a second, to measure the bandwidth of a copy.
        """
        name = os.fspath(path)
        if not name.endswith((".html", ".htm")):
            raise InvalidArgumentError(f"path: {name!r} does not end in .html")
        shown = [(caption, _png(caption, picture)) for caption, picture in (pictures or {}).items()]
        _core.save_report(name, json.dumps(self), str(self.get("algorithm", "report")), shown)

    def __repr__(self) -> str:
        return f"Report({self['algorithm']}: {self['status']}, {self.seconds:.3f} s)"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(stage['name'])}</td><td>{stage['seconds']:.3f} s</td></tr>" for stage in self["stages"]
        )
        return f"<b>{html.escape(self['algorithm'])}</b>: {html.escape(self['status'])}<table>{rows}</table>"
