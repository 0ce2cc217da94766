"""The notebooks run on what a finished run leaves, and are stored without outputs.

Their claims are assertions in their cells, so a false one fails the test. Claims about garments need a run on the real data:
`NOTEBOOKS_ON=. pytest tests/e2e/test_notebooks.py` after `make run`.
"""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
EACH = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@EACH
def test_nothing_is_stored_but_text_and_code_with_claims(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert cell.cell_type != "code" or (cell.outputs == [] and cell.execution_count is None)
    assert any("assert " in cell.source for cell in notebook.cells if cell.cell_type == "code")


def execute(path: Path, project: Path) -> nbformat.NotebookNode:
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(project)}}).execute()
    return notebook


@EACH
def test_it_runs_from_the_catalog_of_a_finished_run(
    path: Path, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(finished / "src"))
    notebook = execute(path, finished)
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")


@pytest.mark.skipif(
    "NOTEBOOKS_ON" not in os.environ, reason="NOTEBOOKS_ON names no project with a run on the real data"
)
@EACH
def test_its_claims_hold_on_the_real_data(path: Path) -> None:
    execute(path, Path(os.environ["NOTEBOOKS_ON"]).resolve())
