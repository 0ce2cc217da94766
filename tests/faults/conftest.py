import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from kedro.config import OmegaConfigLoader
from kedro.framework.project import configure_project
from kedro.io import DataCatalog

from tests.e2e.command import Forks, forks
from tests.e2e.conftest import copy, finished
from tests.faults.report import Counts, write

__all__ = ["catalog_of", "copy", "finished"]


def catalog_of(project: Path) -> DataCatalog:
    configure_project("fashion_dgm")
    loader = OmegaConfigLoader(str(project / "conf"), base_env="base", default_run_env="test")
    return DataCatalog.from_config(loader["catalog"])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves these tests, which take minutes, to `pytest -m faults`."""
    own = [item for item in items if item.path.is_relative_to(Path(__file__).parent)]
    for item in own:
        item.add_marker(pytest.mark.faults)
    if config.option.markexpr != "faults":
        config.hook.pytest_deselected(items=own)
        items[:] = [item for item in items if item not in own]


@pytest.fixture(scope="session")
def commands() -> Forks:
    """Of this very package, of which each project has a copy."""
    return forks("--package")


@pytest.fixture(scope="module")
def counts() -> Iterator[Counts]:
    """What a module counts; written into the page that FAULTS_REPORT names."""
    found = Counts()
    yield found
    if (page := os.environ.get("FAULTS_REPORT")) and found.rows:
        write(Path(page), found.rows)
