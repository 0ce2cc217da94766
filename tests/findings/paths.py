"""Findings by dotted paths of attributes, keys and places in tuples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["values_at"]


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
