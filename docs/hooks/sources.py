"""Makes a page of every Python file that the documentation links to, so that claims, tests and code are a click apart.

A page links to a file as it lies in the repository, `[...](../../tests/theory/test_gan.py#test_name)`, which works where
the repository is browsed. In the site, the link goes to a listing with a heading for each function and class; a docstring
that names `docs/<page>.md#<heading>` gets a link back.
"""

from __future__ import annotations

import ast
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

__all__ = ["on_files", "on_page_markdown"]

LINK = re.compile(r"\]\((?:\.\./)+(?P<path>(?:src|tests)/[\w/]+\.py)(?P<anchor>#\w+)?\)")
CLAIM = re.compile(r"docs/(?P<page>[\w/-]+\.md)#(?P<heading>[\w-]+)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the listings of all files that pages link to."""
    root = Path(config.config_file_path).parent
    pages = [file.content_string for file in files.documentation_pages()]
    for path in sorted({match["path"] for text in pages for match in LINK.finditer(text)}):
        text = _listing(path, (root / path).read_text(encoding="utf-8"))
        files.append(File.generated(config, _page_of(path), content=text, inclusion=InclusionLevel.NOT_IN_NAV))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Sends a page's links to Python files to their listings."""
    folder = posixpath.dirname(page.file.src_uri)

    def redirect(match: re.Match[str]) -> str:
        return f"]({posixpath.relpath(_page_of(match['path']), folder)}{match['anchor'] or ''})"

    return LINK.sub(redirect, markdown)


def _page_of(path: str) -> str:
    return f"source/{path.removesuffix('.py')}.md"


def _listing(path: str, source: str) -> str:
    lines = source.splitlines()
    parts = ["---\nsearch:\n  exclude: true\n---", f"# {path}"]
    done = 0
    for node in ast.parse(source).body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        start = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]) - 1
        parts += [*_fenced(lines[done:start]), f"## {node.name}"]
        parts += [
            f"Checks [{claim[0]}]({posixpath.relpath(claim['page'], posixpath.dirname(_page_of(path)))}#{claim['heading']})."
            for claim in CLAIM.finditer(ast.get_docstring(node) or "")
        ]
        parts += _fenced(lines[start : node.end_lineno])
        done = node.end_lineno or done
    return "\n\n".join([*parts, *_fenced(lines[done:])])


def _fenced(lines: list[str]) -> list[str]:
    code = "\n".join(lines).strip("\n")
    return [f"~~~~~python\n{code}\n~~~~~"] if code else []
