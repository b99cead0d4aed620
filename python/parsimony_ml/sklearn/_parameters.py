"""The parameters of estimators as options of the library."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from .._errors import InvalidArgumentError


def seed_of(random_state: Any) -> int:
    """The number itself, so that an estimator gives the clusters of the function and of the command; else a draw."""
    if isinstance(random_state, numbers.Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


def options_of(estimator: Any, **parameters: str) -> dict[str, Any]:
    """The parameter ``options``, in which no other parameter may be: ``parameters`` are those that have another name in
    the library, as ``neighbors="n_neighbors"``."""
    options = estimator.options or {}
    if not isinstance(options, Mapping):
        raise InvalidArgumentError(f"options: must be a dict or None, not {options!r}")
    own = dict.fromkeys(estimator.get_params(deep=False)) | parameters
    for name in options:
        if name in own:
            raise InvalidArgumentError(f"options: {name!r} is the parameter {own[name] or name} of the estimator")
    return dict(options)
