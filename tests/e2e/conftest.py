from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import make_project
from tests.e2e.command import kedro


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which everything has been run; not to be changed."""
    project = make_project(tmp_path_factory.mktemp("first"))
    done = kedro(project, "--env", "test")
    assert done.returncode == 0, done.stderr
    return project
