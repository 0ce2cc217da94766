"""Makes a page of every Python file that documentation or report link to, so that claims, tests and code are a click apart.

A page links to a file as it lies in the repository, `[...](../../tests/theory/test_gan.py#test_name)`, which works where
the repository is browsed. In the site, the link goes to a listing with a heading for each function and class; a docstring
that names `docs/<page>.md#<heading>` gets a link back, and so does a file that names `docs/<page>.md` in its head.
"""

import ast
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

from fashion_dgm.reporting.claims import CLAIMS

__all__ = ["on_files", "on_page_markdown"]

LINK = re.compile(r"\]\((?:\.\./)+(?P<path>(?:src|tests)/[\w/]+\.py)(?P<anchor>#\w+)?\)")
PAGE = re.compile(r"docs/(?P<page>[\w/-]+\.md)")
CLAIM = re.compile(r"docs/(?P<page>[\w/-]+\.md)#(?P<heading>[\w-]+)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the listings of all files that pages link to."""
    root = Path(config.config_file_path).parent
    pages = [file.content_string for file in files.documentation_pages()]
    linked = {match["path"] for text in pages for match in LINK.finditer(text)}
    reported = {target.partition("#")[0] for claims in CLAIMS.values() for c in claims for target in (c.test, c.code)}
    for path in sorted(linked | reported):
        text = _listing(path, (root / path).read_text(encoding="utf-8"))
        files.append(File.generated(config, _page_of(path), content=text, inclusion=InclusionLevel.NOT_IN_NAV))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Sends a page's links to Python files to their listings."""
    folder = posixpath.dirname(page.file.src_uri)

    def redirect(match: re.Match[str]) -> str:
        return f"]({posixpath.relpath(_page_of(match['path']), folder)}{(match['anchor'] or '').lower()})"

    return LINK.sub(redirect, markdown)


def _page_of(path: str) -> str:
    return f"source/{path.removesuffix('.py')}.md"


def _listing(path: str, source: str) -> str:
    lines = source.splitlines()
    parts = ["---\nsearch:\n  exclude: true\n---", f"# {path}"]
    definitions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    head = "\n".join(lines[: definitions[0].lineno - 1 if definitions else None])
    parts += [f"See {_link(path, page)}." for page in dict.fromkeys(PAGE.findall(head))]
    done = 0
    for node in definitions:
        if node.name.startswith("_"):
            continue
        start = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]) - 1
        parts += [*_fenced(lines[done:start]), f"## {node.name}"]
        parts += [
            f"Checks {_link(path, claim['page'], '#' + claim['heading'])}."
            for claim in CLAIM.finditer(ast.get_docstring(node) or "")
        ]
        parts += _fenced(lines[start : node.end_lineno])
        done = node.end_lineno or done
    return "\n\n".join([*parts, *_fenced(lines[done:])])


def _link(path: str, page: str, anchor: str = "") -> str:
    """A link from the listing of `path` to a page."""
    return f"[docs/{page}{anchor}]({posixpath.relpath(page, posixpath.dirname(_page_of(path)))}{anchor})"


def _fenced(lines: list[str]) -> list[str]:
    code = "\n".join(lines).strip("\n")
    return [f"~~~~~python\n{code}\n~~~~~"] if code else []
