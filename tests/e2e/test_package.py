"""The packaged project, a wheel and an archive of the configuration, runs where its source is not."""

import os
import shutil
import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.conftest import ROOT, make_project

# Packages of the extras, and this project, which the environment of the tests has as its source.
LEFT_OUT = ("__editable__", "fashion_dgm", "kedro_viz", "mkdocs", "moto", "playwright", "pytest", "ray", "s3fs")


class Deployment:
    """A wheel in a fresh environment without the extras, and a folder that holds raw images and nothing else."""

    def __init__(self, base: Path) -> None:
        source = make_project(base / "source")
        for name in ("README.md", "LICENSE"):
            shutil.copy(ROOT / name, source)
        self.folder = base / "Ein Ordner für Läufe"
        self.bin = base / "fresh" / "bin"
        venv.create(base / "fresh", with_pip=False)
        self.site = self.run("python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=base)
        # The libraries are those of the environment that runs the tests: to download them takes minutes.
        for entry in Path(sysconfig.get_path("purelib")).iterdir():
            if not entry.name.lower().startswith(LEFT_OUT):
                (Path(self.site) / entry.name).symlink_to(entry)
        self.run("python", "-m", "pip", "-q", "install", "--no-deps", "--no-build-isolation", source, cwd=base)
        # As `kedro package` makes it.
        self.archive = shutil.make_archive(str(base / "conf-fashion_dgm"), "gztar", source, "conf")
        shutil.move(source / "data", self.folder / "data")
        shutil.rmtree(source)

    def run(self, *command: str | Path, code: int = 0, cwd: Path | None = None) -> str:
        """Runs a command of the environment and returns what it prints: of a refusal, the errors."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP"))}
        environment |= {"PYTHONDONTWRITEBYTECODE": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        options = {"cwd": cwd or self.folder, "env": environment, "capture_output": True, "text": True, "timeout": 300}
        done = subprocess.run([self.bin / command[0], *command[1:]], **options)
        assert done.returncode == code, done.stderr
        return (done.stderr if code else done.stdout).strip()


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    return Deployment(tmp_path_factory.mktemp("package"))


def test_wheel_and_archive_train_a_model_from_which_samples_are_drawn(deployment: Deployment) -> None:
    where = deployment.run("python", "-c", "import fashion_dgm; print(fashion_dgm.__file__)")
    assert Path(where).is_relative_to(deployment.site)
    pipelines = ("--env", "test", "--pipelines", "data_split,train_gan")
    deployment.run("python", "-m", "fashion_dgm", "--conf-source", deployment.archive, *pipelines)
    model = deployment.folder / "data" / "06_models" / "gan_generator.safetensors"
    drawn = deployment.run("fashion-dgm", "sample", model, "-o", "samples.png", "-n", "4")
    assert "4 images in samples.png" in drawn
    # With the archive unpacked it need not be named.
    shutil.unpack_archive(deployment.archive, deployment.folder)
    deployment.run("python", "-m", "fashion_dgm", "--env", "test", "--nodes", "summarise_split")


def test_what_needs_an_extra_names_it(deployment: Deployment) -> None:
    shutil.copy(ROOT / "pyproject.toml", deployment.folder)
    assert "install the extra `viz`" in deployment.run("fashion-dgm", "lineage", code=1)
