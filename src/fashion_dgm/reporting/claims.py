"""What the report's chapters rest on, from `claims.yml`, and links to it: pages and docstrings of tests lead back."""

from collections.abc import Mapping
from importlib.resources import files
from typing import NamedTuple
from urllib.parse import urlsplit

import yaml

__all__ = ["CLAIMS", "Claim", "link_to"]

SITE = "site"


class Claim(NamedTuple):
    """A statement, where it is explained, tested and computed (`path#anchor` each), and whether it is of every flow."""

    text: str
    page: str
    test: str
    code: str
    every_flow: bool = False


CLAIMS: Mapping[str, tuple[Claim, ...]] = {
    chapter: tuple(Claim(**claim) for claim in claims)
    for chapter, claims in yaml.safe_load((files(__package__) / "claims.yml").read_text(encoding="utf-8")).items()
}
"""By a chapter's anchor."""


def link_to(target: str, root: str) -> str:
    """Returns the link to a file of the repository.

    Arguments:
        target: its path in the repository, with an anchor or without.
        root: the folder of the repository as seen from the report, its URL, or either of the documentation's site, known by
            its name `site`, where a file is a page: of `docs` by its own name, of code its listing under `source`.
    """
    root = root.rstrip("/")
    if urlsplit(root).path.rpartition("/")[2] != SITE:
        return f"{root}/{target}"
    path, mark, anchor = target.partition("#")
    stem = path.rpartition(".")[0]
    page = stem.removeprefix("docs/") if path.startswith("docs/") else f"source/{stem}"
    return f"{root}/{page}.html{mark}{anchor.lower()}"  # as MkDocs writes the anchors of headings
