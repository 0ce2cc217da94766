"""The command `fashion-dgm`."""

import dataclasses
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import torch
from click.testing import CliRunner, Result
from PIL import Image

from fashion_dgm import load_model
from fashion_dgm.checkpoint import checkpoint_of, load_checkpoint, save_checkpoint
from fashion_dgm.cli.main import main
from fashion_dgm.flows import RealNVP, bits_per_dim_of, quantize
from fashion_dgm.gans.networks import Discriminator, Generator
from tests.conftest import made_up_images
from tests.small import realnvp_config

SMALL = realnvp_config()


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    networks = {
        "flow": checkpoint_of(RealNVP(SMALL), "RealNVP", SMALL.model_dump(mode="json")),
        "generator": checkpoint_of(Generator(5, 2), "Generator", {"latent_dim": 5, "width": 2}),
        "discriminator": checkpoint_of(Discriminator(2), "Discriminator", {"width": 2}),
    }
    for name, checkpoint in networks.items():
        save_checkpoint(checkpoint, folder / f"{name}.safetensors")
    return folder


@pytest.mark.parametrize("model", ["flow", "generator"])
def test_samples_of_one_seed_are_the_same_in_every_form_and_those_of_another_are_not(
    models: Path, tmp_path: Path, model: str
) -> None:
    for output, seed in {"all.npz": 7, "grid.png": 7, "folder": 7, "other.npz": 8}.items():
        arguments = "-o", tmp_path / output, "-n", 5, "--columns", 3, "--seed", seed
        done = run("sample", models / f"{model}.safetensors", *arguments)
        assert done.exit_code == 0, done.output
    images = np.load(tmp_path / "all.npz")["images"]
    assert images.shape == (5, 1, 28, 28) and images.dtype == np.uint8
    assert not np.array_equal(images, np.load(tmp_path / "other.npz")["images"])
    singles = np.stack([np.asarray(Image.open(path)) for path in sorted((tmp_path / "folder").iterdir())])
    np.testing.assert_array_equal(singles, images[:, 0])
    grid = np.asarray(Image.open(tmp_path / "grid.png"))
    assert grid.shape == (2 * 30, 3 * 30)
    np.testing.assert_array_equal(grid[31:59, 31:59], images[4, 0])


def test_a_generator_has_no_temperature(models: Path, tmp_path: Path) -> None:
    arguments = "-o", tmp_path / "all.npz", "--temperature", "0.5"
    done = run("sample", models / "generator.safetensors", *arguments)
    assert done.exit_code != 0 and "--temperature is for flows" in done.output
    assert not (tmp_path / "all.npz").exists()


def test_a_flows_samples_have_the_grey_levels_of_its_density_not_rounded_ones(tmp_path: Path) -> None:
    done = run("sample", "reference/realnvp", "-n", 32, "-o", tmp_path / "samples.npz")
    assert done.exit_code == 0, done.output
    flow = load_model("reference/realnvp")
    samples = flow.sample(32, generator=torch.Generator().manual_seed(0))
    pixels = torch.from_numpy(np.load(tmp_path / "samples.npz")["images"])
    assert torch.equal(pixels, quantize(samples))
    levels, rounded = (
        bits_per_dim_of(flow, images, 32, 0, torch.float32).mean()
        for images in (pixels, (255 * samples).round().to(torch.uint8))
    )
    assert levels < rounded - 0.4


def test_scores_are_the_flows(models: Path, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 28, 28), dtype=np.uint8)
    np.save(tmp_path / "mine.npy", pixels)
    done = run("score", models / "flow.safetensors", tmp_path / "mine.npy", "-o", tmp_path / "scores.csv")
    assert done.exit_code == 0, done.output
    written = pd.read_csv(tmp_path / "scores.csv")
    assert list(written["file"]) == [str(tmp_path / "mine.npy")] * 6 and list(written["index"]) == list(range(6))
    torch.manual_seed(0)
    expected = bits_per_dim_of(RealNVP(SMALL).eval(), torch.from_numpy(pixels[:, None]), 6, 0, torch.float32)
    np.testing.assert_allclose(written["bits_per_dim"], expected, atol=1e-5)
    assert f"6 images: {expected.mean():.3f}" in done.output


def test_distances_grow_with_noise_and_are_not_called_fid(tmp_path: Path) -> None:
    real = made_up_images(300, seed=0).images
    np.save(tmp_path / "real.npy", real)
    distances = []
    for name, images in {"same": real, "other": made_up_images(300, seed=1).images, "noise": 255 - real}.items():
        np.save(tmp_path / f"{name}.npy", images)
        done = run("fid", tmp_path / f"{name}.npy", "--real", tmp_path / "real.npy")
        assert done.exit_code == 0, done.output
        assert "N = 300" in done.output and "FID" not in done.output
        distances.append(float(done.output.split("Fréchet classifier distance: ")[1].split()[0]))
    assert distances == sorted(distances)
    assert distances[0] == pytest.approx(0, abs=1e-3)


def test_images_to_compare_with_are_chosen_from_all_of_a_sorted_set(tmp_path: Path) -> None:
    bright, dark = made_up_images(200, seed=0).images, 255 - made_up_images(200, seed=1).images
    sets = {"mixed": (bright[100:], dark[100:]), "sorted": (bright, dark), "half": (bright,)}
    for name, parts in sets.items():
        np.save(tmp_path / f"{name}.npy", np.concatenate(parts))
    distances = []
    for name in ("sorted", "half"):
        done = run("fid", tmp_path / "mixed.npy", "--real", tmp_path / f"{name}.npy")
        assert "N = 200" in done.output, done.output
        distances.append(float(done.output.split("Fréchet classifier distance: ")[1].split()[0]))
    assert distances[0] < distances[1] / 10


def test_distances_by_efficientnet_have_their_own_name(tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite_pytorch")
    for seed in (0, 1):
        np.save(tmp_path / f"{seed}.npy", made_up_images(100, seed).images)
    command = "fid", tmp_path / "0.npy", "--real", tmp_path / "1.npy", "-n", 100, "--efficientnet"
    done = run(*command)
    assert done.exit_code == 0, done.output
    assert "Fréchet EfficientNet distance: " in done.output and "FID" not in done.output
    assert "images resized to 96x96" in done.output and "far too high" in done.output
    both = run(*command, "--inception", tmp_path / "0.npy")
    assert both.exit_code == 2 and "choose one" in both.output


def checkpoint(**changes: Any) -> Callable[[Path, Path], object]:
    """A copy of a checkpoint with other parts, whether or not they fit: given, or made of the checkpoint."""

    def make(flow: Path, path: Path) -> None:
        found = load_checkpoint(flow)
        made = {name: change(found) if callable(change) else change for name, change in changes.items()}
        save_checkpoint(dataclasses.replace(found, **made), path)

    return make


def config(**changes: Any) -> Callable[[Path, Path], object]:
    return checkpoint(config=lambda found: dict(found.config) | changes)


def weights(change: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[Path, Path], object]:
    return checkpoint(weights=lambda found: {name: change(tensor) for name, tensor in found.weights.items()})


def header(text: str) -> Callable[[Path, Path], object]:
    return lambda flow, path: path.write_bytes(
        safetensors.torch.save(dict(load_checkpoint(flow).weights), metadata={"fashion_dgm": text})
    )


HOSTILE: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "metadata are a list": (header("[1]"), "not a checkpoint"),
    "metadata are deep": (header("[" * 100_000), "not a checkpoint"),
    "config is a list": (header('{"architecture": "RealNVP", "config": [], "training": {}}'), "another form"),
    "unknown architecture": (checkpoint(architecture="Diffusion"), "no architecture Diffusion"),
    "a billion couplings": (
        config(checkerboard_couplings=10**9),
        "asks for checkerboard_couplings = 1,000,000,000",
    ),
    "a billion channels": (config(hidden_channels=10**9), "asks for hidden_channels"),
    "text for a number": (config(scales="two"), "don't fit"),
    "NaN": (weights(lambda tensor: tensor * float("nan")), "hold NaN or infinity"),
    "integers": (weights(lambda tensor: tensor.to(torch.int32)), "are torch.int32, not torch.float32"),
    "half precision": (weights(torch.Tensor.half), "are torch.float16, not torch.float32"),
    "no weights": (checkpoint(weights={}), "don't fit"),
    "a terabyte": (lambda flow, path: os.truncate(shutil.copy(flow, path), 10**12), "more than any model"),
    "pipe": (lambda flow, path: os.mkfifo(path), "is a pipe"),
    "link to itself": (lambda flow, path: path.symlink_to(path), "Too many levels"),
    "folder": (lambda flow, path: path.mkdir(), "is not a file"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_checkpoint_that_no_training_made_is_one_line(models: Path, tmp_path: Path, kind: str) -> None:
    make, message = HOSTILE[kind]
    make(models / "flow.safetensors", tmp_path / "hostile.safetensors")
    np.save(tmp_path / "images.npy", made_up_images(2, seed=0).images)
    done = run("score", tmp_path / "hostile.safetensors", tmp_path / "images.npy")
    assert done.exit_code == 1 and isinstance(done.exception, SystemExit)
    assert message in done.output and len(done.output.splitlines()) == 1


MISTAKES = {
    "sample discriminator.safetensors -o x.npz": "cannot generate images",
    "sample flow.safetensors -o x.gif": "name a .png, an .npz or a folder",
    "sample flow.safetensors -o .": "is not empty",
    "sample flow.safetensors -o file": "file already exists and is not a folder",
    "sample flow.safetensors -o folder.png": "folder.png already exists and is a folder",
    "sample flow.safetensors -o pipe.npz": "pipe.npz is a pipe",
    "sample flow.safetensors -o file/x.npz": "cannot write file/x.npz: ",
    f"sample flow.safetensors -o {'x' * 300}.npz": "File name too long",
    f"sample {'x' * 5000} -o x.npz": "looked up in a project's catalog",
    f"sample {'x' * 5000}.safetensors -o x.npz": "is not a file",
    "sample ~nosuchuser/flow -o x.npz": "unknown user",
    f"sample flow.safetensors -o x.npz --seed {2**70}": "is not in the range",
    f"sample flow.safetensors -o x.npz -n {10**12}": "is not in the range",
    "sample flow.safetensors -o x.npz --temperature 0": "temperature must be a number above 0",
    "sample flow.safetensors -o x.npz --temperature nan": "temperature must be a number above 0",
    "sample flow.safetensors -o x.npz --temperature inf": "temperature must be a number above 0",
    "score generator.safetensors images.npy": "name a flow",
    "score flow.safetensors flow.safetensors": "flow.safetensors is none of .png",
    f"score flow.safetensors images.npy --seed {2**70}": "is not in the range",
    f"score flow.safetensors {'x' * 5000}": "does not exist",
    "score flow.safetensors images.npy -o folder.png": "File 'folder.png' is a directory",
    "score flow.safetensors pipe.npz": "pipe.npz is a pipe",
    # A name cannot steer the terminal.
    "score flow.safetensors red\x1b[31m.png": "red\\x1b[31m.png is damaged or no picture",
    "fid images.npy --real images.npy --inception file": "does not hold Inception-2015 weights",
    "fid images.npy --real images.npy --inception flow.safetensors": "does not hold Inception-2015 weights",
    "fid images.npy --real images.npy --inception pipe.pth": "pipe.pth is a pipe",
    "fid images.npy --real images.npy --inception folder.png": "does not hold Inception-2015 weights",
    "fid one.npy --real images.npy": "N >= 2",
    # Outside a project, or before its images are split.
    "fid images.npy": (
        "there is no data/05_model_input/benchmark.npz here; in the project's folder, "
        "`kedro run --env quick --pipelines data_split` makes it"
    ),
    "sweep --pipelines train_gan,trian_wgan": "there is no pipeline trian_wgan; did you mean train_wgan?",
    "sweep --vary width": "write NAME=VALUE,VALUE",
    "sweep --vary width=": "write NAME=VALUE,VALUE",
    "sweep --vary =3": "write NAME=VALUE,VALUE",
    "sweep --vary seed=3,4": "give seeds as --seeds 0,1,2",
}


@pytest.fixture(scope="module")
def crowded(models: Path) -> Path:
    """A folder in which much is in the way."""
    for name in ("file", "red\x1b[31m.png"):
        (models / name).write_text("a")
    (models / "folder.png").mkdir()
    os.mkfifo(models / "pipe.npz")
    os.mkfifo(models / "pipe.pth")
    np.save(models / "images.npy", made_up_images(120, seed=0).images)
    np.save(models / "one.npy", made_up_images(1, seed=0).images)
    return models


@pytest.mark.parametrize("arguments", MISTAKES, ids=lambda arguments: arguments[:60])
def test_mistakes_are_one_message(crowded: Path, monkeypatch: pytest.MonkeyPatch, arguments: str) -> None:
    monkeypatch.chdir(crowded)
    done = run(*arguments.split())
    assert done.exit_code in (1, 2) and isinstance(done.exception, SystemExit), done.exception
    assert MISTAKES[arguments] in " ".join(done.output.split())
    assert not (crowded / "x.npz").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("artifact_megabyte: 5", "there is no such parameter; did you mean artifact_megabytes?"),
        ("system_metrics: falze", "tracking.system_metrics is 'falze': "),
        ("enabled: [", "conf/test/tracking.yml, unable to read line 1"),
        ("enabled: ${nosuch}", "enabled: Interpolation key 'nosuch' not found"),
    ],
)
def test_a_mistake_in_tracking_yml_is_one_message(
    project: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    (project / "conf" / "test" / "tracking.yml").write_text(f"{text}\n")
    monkeypatch.chdir(project)
    done = run("mlflow-sync", "--env", "test")
    assert done.exit_code == 1 and isinstance(done.exception, SystemExit), done.exception
    assert message in done.output and "pydantic" not in done.output


def test_more_columns_than_images_are_as_many(models: Path, tmp_path: Path) -> None:
    done = run("sample", models / "generator.safetensors", "-o", tmp_path / "x.png", "-n", 3, "--columns", 10**9)
    assert done.exit_code == 0, done.output
    assert Image.open(tmp_path / "x.png").size == (3 * 30, 30)


def test_without_utf_8_results_are_printed(models: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", made_up_images(3, seed=0).images)
    arguments = ["score", models / "flow.safetensors", tmp_path / "images.npy"]
    command = [sys.executable, "-m", "fashion_dgm.cli.main", *arguments]
    environment = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(command, env=environment, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert b"3 images: " in done.stdout


@pytest.mark.parametrize("name", main.commands)
def test_help_explains_every_option(name: str) -> None:
    done = run(name, "--help")
    shown = " ".join(done.output.split())
    command = main.commands[name]
    assert done.exit_code == 0 and command.get_short_help_str(30).rstrip(".") in run("--help").output
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help and " ".join(option.help.split()) in shown, option.name
            assert set(option.opts) <= set(re.split(r"[\s,]", shown))
        else:
            # click has no help for arguments: a text names them, the command's or the one above all commands.
            assert str(option.human_readable_name) in f"{command.help} {main.help}", option.name
