"""What `docs/how-to/own-model.md` says is done, to the letter, in a project of its own."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.e2e.command import client_of, copy_of, metrics_of, python, run, table_of
from tests.e2e.conftest import made_once

PAGE = ROOT / "docs" / "how-to" / "own-model.md"
FILE = re.compile(r'^```(?P<language>\w+) title="(?P<path>[^"]+)"\n(?P<text>.*?)^```', re.DOTALL | re.MULTILINE)
ADDED = re.compile(r"^ (?P<after>.*)\n\+(?P<line>.*)$", re.MULTILINE)
SMALL = {
    "train_lsgan": "epochs=2 batch_size=32 width=4 images_per_epoch=96 records.samples=40 records.neighbours=10",
    "train_nice_flow": "images_per_epoch=96 batch_size=32 evaluation_images=40 kept_epochs=1",
}


def follow(page: Path, project: Path) -> None:
    """Writes the files that the page shows, and adds the lines that it adds to others."""
    for file in FILE.finditer(page.read_text(encoding="utf-8")):
        path = project / file["path"]
        text = file["text"]
        if file["language"] == "diff":
            text = path.read_text(encoding="utf-8")
            for added in ADDED.finditer(file["text"]):
                assert text.count(f"{added['after']}\n") == 1, added["after"]
                text = text.replace(f"{added['after']}\n", f"{added['after']}\n{added['line']}\n")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def project(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the finished project, to which the page's models are added."""

    def add_and_run(folder: Path) -> None:
        project = copy_of(finished, folder / "project", tracking=True)
        follow(PAGE, project)
        small = ",".join(f"{block}.{value}" for block, values in SMALL.items() for value in values.split())
        pipelines = "train_lsgan,train_nice_flow,fid_eval,ood_eval,report"
        run(project, "--pipelines", pipelines, "--params", small)

    return made_once(tmp_path_factory, "own_model", add_and_run) / "project"


def test_models_are_trained_and_loaded_by_name(project: Path) -> None:
    assert len(table_of(project, "lsgan_history")) == 2
    bits = table_of(project, "nice_flow_history")["test_bits_per_dim"]
    assert bits.iloc[-1] < bits.iloc[0]
    assert metrics_of(project)["nice_flow"]["reconstruction_error"] < 1e-3
    code = """
from fashion_dgm import load_model
from fashion_dgm.gans import OBJECTIVES
for name in ("lsgan_generator", "nice_flow"):
    print(type(load_model(name)).__name__, *load_model(name).sample(2).shape)
print("hinge_non_saturating" in OBJECTIVES)
"""
    done = python(project, "-c", code)
    assert done.stdout.splitlines() == ["Generator 2 1 28 28", "NICE 2 1 28 28", "True"], done.stderr


def test_models_are_evaluated_and_reported(project: Path) -> None:
    distances, scores = table_of(project, "fid_by_epoch"), table_of(project, "ood_scores")
    assert set(distances.loc[distances["model"] == "lsgan", "epoch"]) == {1, 2}
    assert {"likelihood", "typicality", "waic"} <= set(scores.columns)
    assert np.isfinite(scores.loc[scores["model"] == "NICE", "waic"]).all()
    assert {"lsgan", "nice_flow", "nice_flow_discrete_likelihood"} <= set(metrics_of(project))
    report = (project / "data" / "08_reporting" / "report.html").read_text()
    assert "Samples of the lsgan from the same latents" in report and 'id="nice-flow"' in report
    for name in ("lsgan_strip.png", "lsgan_animation.gif", "nice_flow_curve.png", "nice_flow_samples.png"):
        assert (project / "data" / "08_reporting" / name).is_file()


def test_models_are_in_kedro_viz_and_mlflow(project: Path) -> None:
    nodes = python(project, "-m", "kedro", "registry", "describe", "train_nice_flow").stdout
    assert "train_nice_flow.train_nice_flow" in nodes
    assert {"lsgan_generator", "nice_flow"} <= {model.name for model in client_of(project).search_registered_models()}
