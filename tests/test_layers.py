"""The two layers stay two: the library beneath the pipelines knows neither Kedro nor MLflow."""

import ast
from pathlib import Path

import pytest

import fashion_dgm

PACKAGE = Path(fashion_dgm.__file__).parent
ABOVE = {"pipelines", "catalog", "hooks.py", "settings.py", "pipeline_registry.py", "cli.py", "sweep.py", "__main__.py"}
ABOVE |= {"commands.py", "__init__.py"}
LIBRARY = [path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] not in ABOVE]

LAYOUT = Path(__file__).parents[1] / "docs" / "layout.md"


def test_layout_names_every_part() -> None:
    text = LAYOUT.read_text(encoding="utf-8")
    parts = [path for path in PACKAGE.iterdir() if path.suffix in ("", ".py") and path.name[:2] != "__"]
    assert [path.name for path in parts if f"`{path.name}{'/' if path.is_dir() else ''}`" not in text] == []


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_library_imports_neither_kedro_nor_mlflow_nor_the_layer_above(path: Path) -> None:
    above = tuple(f"fashion_dgm.{name.removesuffix('.py')}" for name in ABOVE)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            assert name.split(".")[0] not in {"kedro", "kedro_datasets", "kedro_viz", "mlflow"}
            assert not name.startswith(above)
