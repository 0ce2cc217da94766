"""Where the report's links to documentation, tests and code lead."""

from __future__ import annotations

from urllib.parse import urlsplit

__all__ = ["link_to"]

SITE = "site"


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
