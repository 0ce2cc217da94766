"""The list of references, from `references.yml`."""

from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import NamedTuple

import yaml

__all__ = ["REFERENCES", "Reference", "in_order"]


class Reference(NamedTuple):
    """How a work is cited in the text, and its entry in the list of references."""

    authors: str
    year: str
    entry: str


REFERENCES: Mapping[str, Reference] = {
    key: Reference(found["authors"], str(found["year"]), found["entry"].strip())
    for key, found in yaml.safe_load((files(__package__) / "references.yml").read_text(encoding="utf-8")).items()
}


def in_order(keys: Iterable[str]) -> list[str]:
    """Returns keys in the order of the list of references, each once."""
    return sorted(set(keys), key=lambda key: REFERENCES[key].entry.casefold())
