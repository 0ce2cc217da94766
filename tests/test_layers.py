"""The packages stand in one order, and each imports only those before it; the library knows neither Kedro nor MLflow."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import fashion_dgm

PACKAGE = Path(fashion_dgm.__file__).parent
LAYOUT = Path(__file__).parents[1] / "docs" / "layout.md"

LIBRARY = (
    "errors",
    "nested",
    "files",
    "provenance",
    "config",
    "data",
    "metrics",
    "training",
    "checkpoint",
    "pretrained",
    "flows",
    "classifier",
    "gans",
    "registry",
    "evaluation",
    "ood",
    "experiments",
    "findings",
    "reporting",
)
"""A package or module may import those before it, anywhere in its code."""

ON_TOP = ("tracking", "catalog", "pipelines", "pipeline_registry", "hooks", "settings", "cli")
"""What may import Kedro and MLflow, and all of the library."""

PARTS = [path for path in PACKAGE.iterdir() if path.suffix in ("", ".py") and path.name[:2] != "__"]


def imported(path: Path) -> Iterator[str]:
    """Yields the modules and names that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_layout_names_every_part() -> None:
    text = LAYOUT.read_text(encoding="utf-8")
    assert [path.name for path in PARTS if f"`{path.name}{'/' if path.is_dir() else ''}`" not in text] == []


def test_every_part_has_its_place() -> None:
    assert sorted(path.stem for path in PARTS) == sorted((*LIBRARY, *ON_TOP))


def test_settings_load_no_library_that_every_command_would_wait_for() -> None:
    code = (
        "import sys, fashion_dgm.settings; print({'numpy', 'torch', 'pandas', 'mlflow', 'matplotlib'} & {*sys.modules})"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "set()\n"


def test_no_node_imports_a_command_line() -> None:
    nodes = [path for folder in ("pipelines", "catalog") for path in (PACKAGE / folder).rglob("*.py")]
    assert nodes
    assert [path for path in nodes if any(name.startswith("fashion_dgm.cli") for name in imported(path))] == []


@pytest.mark.parametrize("part", LIBRARY)
def test_a_part_of_the_library_imports_only_those_before_it(part: str) -> None:
    forbidden = {"kedro", "kedro_datasets", "kedro_viz", "mlflow"}
    allowed = {f"fashion_dgm.{name}" for name in LIBRARY[: LIBRARY.index(part) + 1]}
    single = PACKAGE / f"{part}.py"
    wrong = []
    for path in [single] if single.exists() else (PACKAGE / part).rglob("*.py"):
        for name in imported(path):
            top = ".".join(name.split(".")[:2])
            if name.split(".")[0] in forbidden or (name.startswith("fashion_dgm") and top not in allowed):
                wrong.append(f"{path.relative_to(PACKAGE)} imports {name}")
    assert wrong == []
