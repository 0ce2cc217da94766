"""Lists the catalog's datasets in `datasets.md`: what `conf/base/catalog_*.yml` says of each, a section a layer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from mkdocs.config.defaults import MkDocsConfig

__all__ = ["on_page_markdown"]

PLACE = "<!-- catalog -->"


def on_page_markdown(markdown: str, config: MkDocsConfig, **_: Any) -> str:
    """Puts the tables into the page that has a place for them."""
    if PLACE not in markdown:
        return markdown
    files = sorted((Path(config.config_file_path).parent / "conf" / "base").glob("catalog_*.yml"))
    return markdown.replace(PLACE, "\n".join(line for path in files for line in _section(path)))


def _section(path: Path) -> Iterator[str]:
    yield from (f"## {path.stem.removeprefix('catalog_')}", "", "| dataset | is | file |", "|---|---|---|")
    for name, entry in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        if not name.startswith("_"):
            file = entry.get("filepath", "").replace("${_outputs}", "data")
            yield f"| `{name}` | {entry['metadata']['description']} | {f'`{file}`' if file else ''} |"
    yield ""
