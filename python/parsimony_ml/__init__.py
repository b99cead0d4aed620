"""Machine learning with less: clusters of graphs, operators for signals and images, small networks.

Names are loaded when they are first used, so that ``import parsimony_ml`` costs some milliseconds. Messages of the
library go to the logger ``parsimony_ml``. Estimators for scikit-learn are in ``parsimony_ml.sklearn``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _core, _errors

if TYPE_CHECKING:
    from ._cluster import agreement as agreement
    from ._cluster import choose_n_clusters as choose_n_clusters
    from ._cluster import cluster as cluster
    from ._cluster import load_graph as load_graph
    from ._cluster import score as score
    from ._clustering import Choice as Choice
    from ._clustering import Clustering as Clustering
    from ._errors import *  # noqa: F403
    from ._images import denoise as denoise
    from ._images import estimate_sigma as estimate_sigma
    from ._images import inpaint as inpaint
    from ._images import quality as quality
    from ._operators import Certificate as Certificate
    from ._operators import LearnedOperator as LearnedOperator
    from ._operators import certify_operator as certify_operator
    from ._operators import learn_operator as learn_operator
    from ._operators import shipped_operator as shipped_operator
    from ._points import PointModel as PointModel
    from ._points import knn_graph as knn_graph
    from ._report import Report as Report

__version__ = _core.version()

_HOMES = {
    "Certificate": "_operators",
    "Choice": "_clustering",
    "Clustering": "_clustering",
    "LearnedOperator": "_operators",
    "PointModel": "_points",
    "Report": "_report",
    "agreement": "_cluster",
    "certify_operator": "_operators",
    "choose_n_clusters": "_cluster",
    "cluster": "_cluster",
    "denoise": "_images",
    "estimate_sigma": "_images",
    "inpaint": "_images",
    "knn_graph": "_points",
    "learn_operator": "_operators",
    "load_graph": "_cluster",
    "quality": "_images",
    "score": "_cluster",
    "shipped_operator": "_operators",
}
_ERRORS = _errors.__all__
# Submodules with packages besides NumPy are loaded when they are first used.
_SUBMODULES = ("quant", "run", "sklearn", "torch", "transformers")
__all__ = sorted([*_HOMES, *_ERRORS])


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _SUBMODULES:
        try:
            return import_module(f"{__name__}.{name}")
        except ModuleNotFoundError as error:
            # hasattr() and help() look at every name, and pass over this error alone.
            raise AttributeError(f"{__name__}.{name}: {error}") from error
    home = "_errors" if name in _ERRORS else _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_SUBMODULES})
