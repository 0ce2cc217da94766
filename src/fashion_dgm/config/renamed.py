"""Parameters and pipelines that have been renamed, so that an old name gives an error with the new one."""

import difflib
from collections.abc import Collection

__all__ = ["RENAMED", "nearest", "suggestion"]

RENAMED = {
    "flow_anatomy": "likelihood_decomposition",
    "headline": "primary_score",
    "least_share": "least_fraction",
    "missing_share": "missing_fraction",
    "stranger": "ood_set",
}
"""Old to new name: of a pipeline, of a block of parameters, or of a parameter within its block."""


def suggestion(name: str, known: Collection[str]) -> str:
    """Returns what an error adds about a name that is not known: its new name, the nearest known one, or all of them."""
    if name in RENAMED:
        return f"renamed to {RENAMED[name]}"
    near = nearest(name, known)
    listed = f"there are: {', '.join(sorted(known))}" if known else "there are none"
    return f"did you mean {near}?" if near else listed


def nearest(name: str, known: Collection[str], cutoff: float | None = None) -> str | None:
    """Returns the known name that `name` may be a slip of, or None if none is as like it as `cutoff`."""
    # Of many names the nearest is worth more than a list of all.
    cutoff = (0.6 if len(known) < 40 else 0) if cutoff is None else cutoff
    return next(iter(difflib.get_close_matches(name, known, 1, cutoff)), None)
