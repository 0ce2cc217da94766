"""What a page offers to link to, and what it links to."""

import ast
import functools
import json
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import markdown

# As in mkdocs.yml, as far as links depend on it.
EXTENSIONS = ("toc", "tables", "pymdownx.superfences")


class Page(HTMLParser):
    """Anchors and targets of an HTML text; `loaded` are those that a browser fetches unasked."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.targets: list[str] = []
        self.loaded: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value for name, value in attrs if value is not None}
        self.anchors |= {named[name] for name in ("id", "name") if name in named}
        if "src" in named:
            self.loaded.append(named["src"])
        elif "href" in named:
            fetched = tag == "link" and named.get("rel") in ("stylesheet", "icon", "preload")
            (self.loaded if fetched else self.targets).append(named["href"])


@functools.cache
def page(path: Path) -> Page:
    """A file of Markdown, or a notebook, as it is browsed."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        text = "\n\n".join("".join(c["source"]) for c in json.loads(text)["cells"] if c["cell_type"] == "markdown")
    return Page(markdown.markdown(text, extensions=EXTENSIONS))


@functools.cache
def anchors(path: Path) -> set[str]:
    """What can be linked to in a file: headings, or functions and classes."""
    if path.suffix == ".py":
        definitions = ast.FunctionDef | ast.ClassDef
        return {node.name for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, definitions)}
    return page(path).anchors


def is_elsewhere(target: str) -> bool:
    # What starts above the repository is a page of the service that it lies on, such as the last runs of CI.
    return bool(urlsplit(target).scheme or urlsplit(target).netloc) or target.startswith("../../actions/")


def resolve(target: str, page: Path) -> tuple[Path, str]:
    """The file that a page's link leads to, and the anchor in it, empty for none."""
    parts = urlsplit(target)
    path = page.parent / unquote(parts.path) if parts.path else page
    return path.resolve(), unquote(parts.fragment)
