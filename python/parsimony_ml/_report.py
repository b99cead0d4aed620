"""The record of a run."""

from __future__ import annotations

import html
import json
from typing import Any


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

    def __repr__(self) -> str:
        return f"Report({self['algorithm']}: {self['status']}, {self.seconds:.3f} s)"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(stage['name'])}</td><td>{stage['seconds']:.3f} s</td></tr>" for stage in self["stages"]
        )
        return f"<b>{html.escape(self['algorithm'])}</b>: {html.escape(self['status'])}<table>{rows}</table>"
