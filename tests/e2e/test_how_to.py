"""What `docs/how-to/own-model.md` says is done, to the letter, in a project of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from fashion_dgm import load_model
from tests.conftest import ROOT, make_project
from tests.e2e.command import kedro

PAGE = ROOT / "docs" / "how-to" / "own-model.md"
FILE = re.compile(r'^```(?P<language>\w+) title="(?P<path>[^"]+)"\n(?P<text>.*?)^```', re.DOTALL | re.MULTILINE)
ADDED = re.compile(r"^ (?P<after>.*)\n\+(?P<line>.*)$", re.MULTILINE)
SMALL = ",".join(
    f"train_lsgan.{name}"
    for name in (
        "epochs=2",
        "batch_size=32",
        "width=4",
        "images_per_epoch=96",
        "records.samples=40",
        "records.neighbours=10",
    )
)


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
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = make_project(tmp_path_factory.mktemp("own_model"))
    follow(PAGE, project)
    done = kedro(project, "--env", "test", "--pipelines", "data_split,train_lsgan", "--params", SMALL)
    assert done.returncode == 0, done.stderr
    return project


def test_the_gan_is_trained_and_its_checkpoint_is_found(project: Path) -> None:
    assert (project / "data" / "08_reporting" / "lsgan_strip.png").is_file()
    assert len((project / "data" / "07_model_output" / "lsgan_history.csv").read_text().splitlines()) == 3
    assert load_model("lsgan_generator", project).sample(2).shape == (2, 1, 28, 28)


def test_the_flow_learns_and_is_inverted(project: Path) -> None:
    command = [sys.executable, "nice.py"]
    environment = {"PYTHONPATH": str(project / "src")}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    *epochs, inverse = done.stdout.splitlines()
    bits = [float(re.search(r"bits_per_dim': ([\d.]+)", line)[1]) for line in epochs]
    assert len(bits) == 3 and bits[-1] < bits[0]
    assert float(inverse.rpartition(":")[2]) < 1e-5
