"""What findings hold, by dotted paths of attributes, keys and places in tuples, and results with nothing finite."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["values_at", "with_nothing_finite"]

PARAMETERS = ("level", "confidence", "least_difference", "least_fraction", "small_bias", "lipschitz", "expected_terms")
"""Keys of floats that are no results."""


def values_at(found: Any, paths: Iterable[str]) -> dict[str, Any]:
    """Returns what stands at each path."""
    return {path: _at(found, path.split(".")) for path in paths}


def _at(found: Any, path: list[str]) -> Any:
    for name in path:
        if isinstance(found, Mapping):
            found = found[name]
        elif isinstance(found, tuple | list):
            found = found[int(name)] if name.isdigit() else [_at(one, [name]) for one in found]
        else:
            found = getattr(found, name)
    return found


def with_nothing_finite(value: Any) -> Any:
    """Returns results with NaN in the place of every float; parameters stay."""
    if isinstance(value, dict):
        return {key: item if key in PARAMETERS else with_nothing_finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_nothing_finite(item) for item in value]
    return math.nan if isinstance(value, float) else value
