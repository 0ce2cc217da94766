"""Puts each pipeline's README where a page includes it, with tables of the parameters that it mentions.

The links of a README are those of the repository; in a page they go to the page's own sections and to other pages.

What a parameter means is the description of its field in `fashion_dgm.config`; its values are those of `conf`, and so is
what a comment in `conf/base/parameters_*.yml` says of the value that it stands behind.
"""

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import yaml
from kedro.validation.type_extractor import TypeExtractor
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError

from fashion_dgm.config import Config
from fashion_dgm.pipeline_registry import register_pipelines

__all__ = ["on_page_markdown"]

README = re.compile(r'^--8<-- "(?P<path>\w+/README\.md)[:\d]*"$', re.MULTILINE)
TO_PIPELINE, TO_PAGE = re.compile(r"\]\(\.\./(\w+)/README\.md\)"), "](../../../../docs/"
MENTION = re.compile(r"`params:(?P<block>\w+)`")
LINE = re.compile(r"^(?P<indent> *)(?P<key>[\w-]+):(?P<value>.*?)(?:\s#\s(?P<comment>.*))?$")


def on_page_markdown(markdown: str, config: MkDocsConfig, **_: Any) -> str:
    """Puts READMEs and tables into a page."""
    root = Path(config.config_file_path).parent
    shown: set[str] = set()

    def with_tables(match: re.Match[str]) -> str:
        readme = (root / "src" / "fashion_dgm" / "pipelines" / match["path"]).read_text(encoding="utf-8")
        # What several pipelines read is shown with the first of them.
        blocks = [b for b in dict.fromkeys(mention["block"] for mention in MENTION.finditer(readme)) if b not in shown]
        shown.update(blocks)
        # Its heading is the page's own.
        text = TO_PIPELINE.sub(r"](#\1)", readme.split("\n", 2)[2]).replace(TO_PAGE, "](")
        return "\n\n".join([text, *(f"`params:{block}`:\n\n{_table(root / 'conf', block)}" for block in blocks)])

    return README.sub(with_tables, markdown)


def _table(conf: Path, block: str) -> str:
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted((conf / "base").glob("parameters_*.yml")))
    base, quick = yaml.safe_load(text), yaml.safe_load((conf / "quick" / "parameters.yml").read_text(encoding="utf-8"))
    common = yaml.safe_load((conf / "base" / "globals.yml").read_text(encoding="utf-8"))
    if block not in base:
        raise PluginError(f"conf/base has no block {block!r}")
    changed = dict(_leaves(quick.get(block, {})))
    comments = dict(_comments(text, block))
    lines = ["| parameter | `base` | `quick` | |", "|---|---|---|---|"]
    for name, value in _leaves(base[block]):
        meaning = [_description(_models()[block], name.split(".")), comments.get(name)]
        quickly = f"`{changed[name]}`" if name in changed else ""
        lines.append(f"| `{name}` | `{_resolved(value, common)}` | {quickly} | {'<br>'.join(filter(None, meaning))} |")
    return "\n".join(lines)


@functools.cache
def _models() -> dict[str, Any]:
    """By block of parameters, the class that nodes declare for it."""
    return TypeExtractor(register_pipelines()).extract_types_from_pipelines()


def _description(annotation: Any, names: list[str]) -> str:
    """What the field of that dotted name is for: of a class, or of one of those that an annotation is made of."""
    if not (isinstance(annotation, type) and issubclass(annotation, Config)):
        return next(filter(None, (_description(part, names) for part in get_args(annotation))), "")
    if names[0] not in annotation.model_fields:
        return ""
    field = annotation.model_fields[names[0]]
    return _description(field.annotation, names[1:]) if names[1:] else (field.description or "").replace("|", "\\|")


def _leaves(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _written(value)


def _written(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix("...\n").strip()
    return text.replace("|", "\\|")


def _resolved(value: str, common: dict[str, Any]) -> str:
    """A value with what it refers to in `globals.yml` in its place; a whole block of it by its name."""
    name = re.fullmatch(r"'?\$\{globals:(\w+)\}'?", value)
    if name is None:
        return value
    found = common[name[1]]
    return f"globals.yml: {name[1]}" if isinstance(found, dict) else _written(found)


def _comments(text: str, block: str) -> Iterator[tuple[str, str]]:
    """The comment behind each line of a block, by the dotted name of its key."""
    path: list[tuple[int, str]] = []
    for line in text.splitlines():
        match = LINE.match(line)
        if match is None or line.lstrip().startswith("#"):
            continue
        indent = len(match["indent"])
        path = [*(part for part in path if part[0] < indent), (indent, match["key"])]
        names = [name for _, name in path]
        if names[0] == block and match["comment"]:
            yield ".".join(names[1:]), match["comment"].replace("|", "\\|")
