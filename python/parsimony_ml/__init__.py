"""Machine learning with less: clusters of graphs, operators for signals and images, small networks.

Names are loaded when they are first used, so that ``import parsimony_ml`` costs some milliseconds. Messages of the
library go to the logger ``parsimony_ml``. Estimators for scikit-learn are in ``parsimony_ml.sklearn``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _core, _errors

if TYPE_CHECKING:
    from ._cluster import agreement as agreement
    from ._cluster import cluster as cluster
    from ._clustering import Clustering as Clustering
    from ._errors import *  # noqa: F403

__version__ = _core.version()

_HOMES = {
    "Clustering": "_clustering",
    "agreement": "_cluster",
    "cluster": "_cluster",
}
_ERRORS = _errors.__all__
__all__ = sorted([*_HOMES, *_ERRORS])


def __getattr__(name: str) -> Any:
    home = "_errors" if name in _ERRORS else _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
