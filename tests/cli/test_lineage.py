"""What `fashion-dgm lineage` leaves alone; tests/e2e/test_lineage.py looks at a site."""

import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fashion_dgm.cli.main import main
from tests.conftest import ROOT


@pytest.fixture
def builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The working directory is a project in which Kedro-Viz builds a page of the number of builds so far, noted here."""
    pytest.importorskip("kedro_viz")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "conf" / "quick").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    counted: list[int] = []

    def build(command: list[str], **_: Any) -> None:
        assert "viz" in command
        counted.append(len(counted))
        (tmp_path / "build" / "api" / "nodes").mkdir(parents=True)
        (tmp_path / "build" / "api" / "main").touch()
        (tmp_path / "build" / "index.html").write_text(f"page {counted[-1]}")
        (tmp_path / "build" / f"only in {counted[-1]}").touch()

    monkeypatch.setattr(subprocess, "run", build)
    return counted


def lineage(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["lineage", *arguments])


def contents(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("output", ["data/site", "build"])
def test_a_site_replaces_an_earlier_one_as_a_whole(builds: list[int], tmp_path: Path, output: str) -> None:
    for number in (0, 1):
        done = lineage("-o", output)
        assert done.exit_code == 0, done.output
        assert contents(tmp_path / output) == ["api", "index.html", f"only in {number}"]
        assert (tmp_path / output / "index.html").read_text() == f"page {number}"
    assert contents(tmp_path) == sorted({"conf", "pyproject.toml", Path(output).parts[0]})


def test_a_folder_of_other_files_is_refused_and_kept(builds: list[int], tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").touch()
    done = lineage("-o", "thesis")
    assert done.exit_code == 1 and "the folder thesis holds other files than a lineage" in done.output
    assert contents(tmp_path / "thesis") == ["chapter.tex"] and not builds


def test_a_build_that_fails_leaves_the_earlier_site(
    builds: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lineage("-o", "site").exit_code == 0
    before = contents(tmp_path / "site")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: None)
    done = lineage("-o", "site")
    assert done.exit_code == 1 and "Kedro-Viz could not build the lineage" in done.output
    assert contents(tmp_path / "site") == before


def test_a_used_port_is_one_message_before_anything_is_built(builds: list[int], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as used:
        port = used.getsockname()[1]
        done = lineage("-o", "site", "--serve", str(port))
    assert done.exit_code == 1 and isinstance(done.exception, SystemExit)
    assert f"cannot serve on port {port}: Address already in use; end the program" in done.output
    assert not builds and not (tmp_path / "site").exists()


def test_an_unknown_environment_is_one_message_before_anything_is_built(builds: list[int]) -> None:
    done = lineage("--env", "quik")
    assert done.exit_code == 1 and "there is no environment quik; did you mean quick?" in done.output
    assert not builds
