"""The command `fashion-dgm`."""

from __future__ import annotations

import re
from pathlib import Path

import click
import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image

from fashion_dgm.checkpoint import checkpoint_of, save_checkpoint
from fashion_dgm.cli.main import main
from fashion_dgm.config import RealNVPConfig
from fashion_dgm.flows import RealNVP, bits_per_dim_of
from fashion_dgm.gans.networks import Discriminator, Generator
from tests.conftest import made_up_images

SMALL = RealNVPConfig(
    scales=2, checkerboard_couplings=1, channel_couplings=1, hidden_channels=4, residual_blocks=0, logit_alpha=1e-6
)


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
def test_samples_are_the_same_in_every_form(models: Path, tmp_path: Path, model: str) -> None:
    for output in ("all.npz", "grid.png", "folder"):
        done = run(
            "sample", models / f"{model}.safetensors", "-o", tmp_path / output, "-n", 5, "--columns", 3, "--seed", 7
        )
        assert done.exit_code == 0, done.output
    images = np.load(tmp_path / "all.npz")["images"]
    assert images.shape == (5, 1, 28, 28) and images.dtype == np.uint8
    singles = np.stack([np.asarray(Image.open(path)) for path in sorted((tmp_path / "folder").iterdir())])
    np.testing.assert_array_equal(singles, images[:, 0])
    grid = np.asarray(Image.open(tmp_path / "grid.png"))
    assert grid.shape == (2 * 30, 3 * 30)
    np.testing.assert_array_equal(grid[31:59, 31:59], images[4, 0])


def test_a_seed_decides_the_samples(models: Path, tmp_path: Path) -> None:
    drawn = []
    for index, seed in enumerate((1, 1, 2)):
        run("sample", models / "generator.safetensors", "-o", tmp_path / f"{index}.npz", "-n", 3, "--seed", seed)
        drawn.append(np.load(tmp_path / f"{index}.npz")["images"])
    assert np.array_equal(drawn[0], drawn[1]) and not np.array_equal(drawn[0], drawn[2])


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sample", "discriminator.safetensors", "-o", "x.png"), "draws no images"),
        (("sample", "generator.safetensors", "-o", "x.gif"), "name a .png, an .npz or a folder"),
        (("sample", "absent.safetensors", "-o", "x.png"), "is not a file"),
        (("sample", "flow.safetensors", "-o", "x.png", "--temperature", "0"), "temperature must be a number above 0"),
        (("sample", "flow.safetensors", "-o", "."), "is not empty"),
        (("score", "generator.safetensors", "flow.safetensors"), "name a flow"),
        (("score", "flow.safetensors", "flow.safetensors"), "safetensors"),
        (("fid", "flow.safetensors", "--real", "flow.safetensors"), "safetensors"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_1(
    models: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(models)
    done = run(*arguments)
    assert done.exit_code == 1
    assert message in done.output and "Traceback" not in done.output


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
