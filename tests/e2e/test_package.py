"""The packaged project, a wheel and an archive of the configuration, runs where its source is not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, make_project


class Deployment:
    """An installed wheel, and a folder to run it in that holds raw images and nothing else."""

    def __init__(self, base: Path) -> None:
        source = make_project(base / "source")
        for name in ("README.md", "LICENSE"):
            shutil.copy(ROOT / name, source)
        self.installed, self.folder = base / "installed", base / "Ein Ordner für Läufe"
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        # The libraries are those of the environment that runs the tests.
        alone = ["--no-deps", "--no-build-isolation"]
        subprocess.run([*pip, "install", *alone, "--target", self.installed, source], check=True, timeout=300)
        # As `kedro package` makes it.
        self.archive = shutil.make_archive(str(base / "conf-fashion_dgm"), "gztar", source, "conf")
        shutil.move(source / "data", self.folder / "data")
        shutil.rmtree(source)

    def run(self, *command: str | Path) -> str:
        environment = os.environ | {"PYTHONPATH": str(self.installed), "PYTHONDONTWRITEBYTECODE": "1"}
        options = {"cwd": self.folder, "env": environment, "capture_output": True, "text": True, "timeout": 300}
        done = subprocess.run(command, **options)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    return Deployment(tmp_path_factory.mktemp("package"))


def test_wheel_and_archive_train_a_model_from_which_samples_are_drawn(deployment: Deployment) -> None:
    where = deployment.run(sys.executable, "-c", "import fashion_dgm; print(fashion_dgm.__file__)")
    assert Path(where).is_relative_to(deployment.installed)
    pipelines = ("--env", "test", "--pipelines", "data_split,train_gan")
    deployment.run(sys.executable, "-m", "fashion_dgm", "--conf-source", deployment.archive, *pipelines)
    model = deployment.folder / "data" / "06_models" / "gan_generator.safetensors"
    drawn = deployment.run(
        deployment.installed / "bin" / "fashion-dgm", "sample", model, "-o", "samples.png", "-n", "4"
    )
    assert "4 images in samples.png" in drawn
    # With the archive unpacked it need not be named.
    shutil.unpack_archive(deployment.archive, deployment.folder)
    deployment.run(sys.executable, "-m", "fashion_dgm", "--env", "test", "--nodes", "summarise_split")
