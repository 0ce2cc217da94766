"""What the report's chapters rest on, from `claims.yml`: the pages and the docstrings of the tests lead back."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import NamedTuple

import yaml

__all__ = ["CLAIMS", "Claim"]


class Claim(NamedTuple):
    """A statement, and where it is explained, tested and computed: `path#anchor` each."""

    text: str
    page: str
    test: str
    code: str


def _read() -> Mapping[str, tuple[Claim, ...]]:
    text = (files("fashion_dgm.reporting") / "claims.yml").read_text(encoding="utf-8")
    return {chapter: tuple(Claim(**claim) for claim in claims) for chapter, claims in yaml.safe_load(text).items()}


CLAIMS = _read()
"""By a chapter's anchor."""
