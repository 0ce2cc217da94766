"""A model is evaluated on the split that it was trained for, and a report states what made its results."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import kedro


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """The finished project, to be changed at will; MLflow, whose database takes seconds to make, is off."""
    project = Path(shutil.copytree(finished, tmp_path / "copy", ignore=shutil.ignore_patterns("09_tracking")))
    (project / "conf" / "test" / "tracking.yml").write_text("enabled: false\n")
    return project


def metrics_of(project: Path) -> dict[str, Any]:
    return json.loads((project / "data" / "08_reporting" / "metrics.json").read_text())


def test_every_result_carries_the_parameters_and_the_data_that_made_it(finished: Path) -> None:
    metrics = metrics_of(finished)
    blocks = {
        "data": "data_split",
        "flow": "train_flow",
        "mixture_flow": "train_mixture_flow",
        "gan": "train_gan",
        "wgan": "train_wgan",
        "ood": "ood_eval",
        "fid": "fid_eval",
        "latents": "latent_space",
        "likelihood": "likelihood_decomposition",
    }
    split = metrics["data"]["splits"]["train"]["sha256"]
    for name, block in blocks.items():
        assert block in metrics[name]["origin"]["parameters"], name
        assert metrics[name]["origin"]["train_sha256"] == split
    assert metrics["gan"]["origin"]["parameters"]["train_gan"]["epochs"] == 2


def test_a_model_of_another_split_is_refused_and_marked_on_request(copy: Path) -> None:
    other = ("--env", "test", "--pipelines", "data_split", "--params", "data_split.seed=1")
    assert kedro(copy, *other).returncode == 0
    refused = kedro(copy, "--env", "test", "--pipelines", "latent_space")
    assert refused.returncode != 0
    assert "flow was trained on other images" in refused.stderr and "Traceback" not in refused.stderr
    marked = kedro(
        copy, "--env", "test", "--pipelines", "latent_space,report", "--params", "data_mismatch=mark,data_split.seed=1"
    )
    assert marked.returncode == 0, marked.stderr
    (warning,) = metrics_of(copy)["latents"]["origin"]["mismatches"]
    assert warning.startswith("flow was trained on other images")
    page = (copy / "data" / "08_reporting" / "report.html").read_text()
    assert page.count("flow was trained on other images") >= 2
    # What was not made anew belongs to the split before, and says so.
    assert "the results <code>gan</code> were made with another training split" in page


def test_a_pool_that_holds_the_official_test_images_contaminates_nothing_in_silence(copy: Path) -> None:
    """The flow learns from images that `benchmark` holds after the split is made as usual again."""
    pooled = ("--pipelines", "data_split,train_flow", "--params", "data_split.pool=all")
    assert kedro(copy, "--env", "test", *pooled).returncode == 0
    assert kedro(copy, "--env", "test", "--pipelines", "data_split").returncode == 0
    refused = kedro(copy, "--env", "test", "--pipelines", "ood_eval,report")
    assert refused.returncode != 0
    assert "Train again" in refused.stderr


def test_a_report_made_under_another_configuration_prints_that_of_its_results(copy: Path) -> None:
    done = kedro(copy, "--env", "test", "--pipelines", "report", "--params", "train_gan.epochs=77")
    assert done.returncode == 0, done.stderr
    page = (copy / "data" / "08_reporting" / "report.html").read_text()
    assert "1 of them differs from the configuration" in page
    row = page[page.index("<code>train_gan.epochs</code>") :][:200]
    assert "<code>2</code>" in row and "<code>77</code>" in row
