"""Lists the inputs and outputs of pipelines in `datasets.md`, one section for each layer of `conf/base/catalog_*.yml`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from kedro.io import CatalogConfigResolver
from mkdocs.config.defaults import MkDocsConfig

from fashion_dgm.pipeline_registry import register_pipelines

__all__ = ["on_page_markdown"]

PLACE = "<!-- catalog -->"


def on_page_markdown(markdown: str, config: MkDocsConfig, **_: Any) -> str:
    """Puts the tables into the page that has a place for them."""
    if PLACE not in markdown:
        return markdown
    files = sorted((Path(config.config_file_path).parent / "conf" / "base").glob("catalog_*.yml"))
    names = {name for pipeline in register_pipelines().values() for name in pipeline.datasets()}
    datasets = sorted(name for name in names if name != "parameters" and not name.startswith("params:"))
    return markdown.replace(PLACE, "\n".join(line for path in files for line in _section(path, datasets)))


def _section(path: Path, datasets: list[str]) -> Iterator[str]:
    yield from (f"## {path.stem.removeprefix('catalog_')}", "", "| dataset | description | file |", "|---|---|---|")
    entries = yaml.safe_load(path.read_text(encoding="utf-8").replace("${_outputs}", "data"))
    described = {name: entry for name, entry in entries.items() if not name.startswith("_")}
    catalog = CatalogConfigResolver(described, default_runtime_patterns={})
    for name in datasets:
        entry = catalog.resolve_pattern(name)
        if "metadata" in entry:  # else Kedro's fallback for names that no entry of this layer matches
            file = entry.get("filepath", "")
            yield f"| `{name}` | {entry['metadata']['description']} | {f'`{file}`' if file else ''} |"
    yield ""
