import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from tests.conftest import ROOT, make_project
from tests.e2e.command import copy_of, environment_of, run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.e2e)


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Returns a folder that `make` has filled, once for all of pytest-xdist's processes; not to be changed."""
    base = factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, done = base / name, base / f"{name}.done"
    with FileLock(base / f"{name}.lock"):
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


def build_documentation(folder: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which everything has been run; not to be changed."""
    return made_once(tmp_path_factory, "finished", lambda folder: run(make_project(folder)))


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    return copy_of(finished, tmp_path / "copy")


@pytest.fixture
def untrained(finished: Path, tmp_path: Path) -> Path:
    """A copy without models, whose runs are recorded."""
    return copy_of(finished, tmp_path / "untrained", "06_models", tracking=True)


@pytest.fixture(scope="session")
def lineage(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lineage as `make viz-static` builds it."""

    def build(folder: Path) -> None:
        project = copy_of(finished, folder / "project")
        shutil.copy(ROOT / "Makefile", project)
        # The environment that runs the tests, taken as it is.
        command = ["make", "-o", f"{sys.prefix}/.installed", f"VENV={sys.prefix}", "ENV=test", "viz-static"]
        options = {"env": environment_of(project), "capture_output": True, "text": True, "timeout": 120}
        done = subprocess.run(command, cwd=project, **options)
        assert done.returncode == 0, done.stdout + done.stderr
        assert not (project / "build").exists()

    return made_once(tmp_path_factory, "lineage", build) / "project" / "data" / "08_reporting" / "lineage"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation as `make docs` builds it."""
    return made_once(tmp_path_factory, "site", build_documentation)
