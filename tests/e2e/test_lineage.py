"""The lineage as a static site, built by the real command."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from fashion_dgm.cli.lineage import lineage as command
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.pipeline_registry import DEFAULT
from tests.e2e.command import run


def keys(lineage: Path) -> dict[str, str]:
    """What Kedro-Viz calls each node or dataset in addresses, by its full name."""
    nodes = json.loads((lineage / "api" / "main").read_text())["nodes"]
    return {node.get("full_name") or node["name"]: node["id"] for node in nodes}


def panels(lineage: Path) -> dict[str, dict[str, Any]]:
    """What the panel of each node or dataset shows, by its full name."""
    return {name: json.loads((lineage / "api" / "nodes" / key).read_text()) for name, key in keys(lineage).items()}


def test_site_opens_on_the_pipelines_alone(lineage: Path) -> None:
    assert '"?types=nodes"' in (lineage / "index.html").read_text()
    root = json.loads((lineage / "api" / "main").read_text())["modular_pipelines"]["__root__"]["children"]
    # What is neither a dataset nor the parameters of one is drawn: a box for each pipeline, and no node outside of one.
    assert {child["id"] for child in root if child["type"] not in ("data", "parameters")} == set(DEFAULT)


def test_site_has_previews_of_results(lineage: Path) -> None:
    kinds = {name: about.get("preview") and about.get("preview_type") for name, about in panels(lineage).items()}
    assert kinds["gan_strip_figure"] == kinds["gan_animation"] == kinds["train"] == "ImagePreview"
    assert kinds["gan_history"] == "TablePreview"
    assert kinds["gan_generator"] == kinds["gan_metrics"] == "JSONPreview"


def test_commands_run_in_the_environment_that_is_shown(lineage: Path, copy: Path) -> None:
    """Without one, they would train for 100 epochs."""
    commands = {name: about.get("run_command") for name, about in panels(lineage).items()}
    given = [shlex.split(command) for command in commands.values() if command]
    assert len(given) > 100 and all(words[:4] == ["kedro", "run", "--env", "test"] for words in given)
    for name in ("data_split.split_images", "split_summary"):
        run(copy, *shlex.split(commands[name])[2:])


def test_command_of_an_opt_in_node_names_its_pipeline(lineage: Path, copy: Path) -> None:
    every = (json.loads(path.read_text()).get("run_command") for path in (lineage / "api" / "nodes").iterdir())
    (command,) = (command for command in every if command and command.endswith("'train_wgan_gp.train_wgan_gp'"))
    assert "--pipelines train_wgan_gp" in command
    run(copy, *shlex.split(command)[2:])


def test_site_does_not_name_the_folder_of_the_project(lineage: Path) -> None:
    project = lineage.parents[2]
    paths = [about["filepath"] for about in panels(lineage).values() if about.get("filepath")]
    assert {path.split("/")[0] for path in paths} == {"data", "docs", "src"}
    assert [path for path in (lineage / "api").rglob("*") if path.is_file() and str(project) in path.read_text()] == []


def test_a_folder_without_a_project_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FashionDGMError, match=r"^this folder is not in a Kedro project; [^.]*$"):
        command.callback("test", tmp_path / "lineage", None)
