"""Which environment a command reads that names none."""

from pathlib import Path

import pytest

from fashion_dgm.catalog.configuration import current_project, environment
from fashion_dgm.errors import FashionDGMError


def test_environment_is_that_of_the_variable_or_local_or_base_where_there_is_no_local(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KEDRO_ENV", raising=False)
    assert environment(tmp_path) == "base"
    (tmp_path / "local").mkdir()
    assert environment(tmp_path) == "local"
    monkeypatch.setenv("KEDRO_ENV", "quick")
    assert environment(tmp_path) == "quick"
    assert environment(tmp_path, "test") == "test"


def test_a_project_is_found_from_its_folders_and_its_absence_is_one_sentence(project: Path) -> None:
    assert current_project(project / "conf" / "base") == project.resolve()
    with pytest.raises(FashionDGMError, match="not in a Kedro project; change to the project's folder"):
        current_project(project.parent)
