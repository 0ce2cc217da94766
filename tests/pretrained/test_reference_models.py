"""Models that come with the package are those that their cards describe."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from sklearn.metrics import roc_auc_score

from fashion_dgm import load_model, pretrained
from fashion_dgm.cli.main import main
from fashion_dgm.data.images import ImageSet
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows import Flow, bits_per_dim_of
from fashion_dgm.pretrained import ModelCard, reference_card, reference_checkpoint, reference_models
from tests.conftest import made_up_images

COMPUTED = {
    "gan": 0.28348,
    "gan_ema": 0.29141,
    "wgan": 0.26957,
    "wgan_gp": 0.29945,
    "realnvp": 4.47311,
    "mixture_flow": 4.42934,
}


def test_all_together_are_small() -> None:
    assert reference_models()
    assert sum(path.stat().st_size for path in pretrained._FOLDER.glob("*.safetensors")) < 20 * 2**20


@pytest.mark.parametrize("name", reference_models())
def test_card_is_complete_and_model_is_ready_for_use(name: str) -> None:
    card = reference_card(name)
    assert all(getattr(card, field) for field in ModelCard.__dataclass_fields__)
    assert re.fullmatch("[0-9a-f]{7,40}", card.commit)
    assert all({"value", "command"} <= metric.keys() for metric in card.metrics.values())
    assert not load_model(f"reference/{name}").training
    assert reference_checkpoint(name).training["data_sha256"] == card.data["train_sha256"]


@pytest.mark.parametrize("name", reference_models())
def test_models_compute_what_they_did(name: str) -> None:
    """Bits/dim of made-up images for flows, the mean pixel of 20 samples for generators, at their first release."""
    model = load_model(f"reference/{name}")
    if isinstance(model, Flow):
        images = torch.from_numpy(made_up_images(20, 0).images)
        found = bits_per_dim_of(model, images, 20, 0, torch.float32).mean()
    else:
        found = model.sample(20, generator=torch.Generator().manual_seed(0)).mean().item()
    assert found == pytest.approx(COMPUTED[name], abs=1e-3)


def test_an_unknown_model_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(FashionDGMError, match=f"there are: {', '.join(reference_models())}"):
        load_model("reference/nothing")


@pytest.mark.slow
@pytest.mark.parametrize("name", reference_models())
def test_samples_have_the_metrics_on_the_card(name: str, tmp_path: Path, official_images: ImageSet) -> None:
    real, samples = _saved(official_images, tmp_path), str(tmp_path / "samples.npz")
    _output("sample", f"reference/{name}", "-n", "10000", "-o", samples)
    output = _output("fid", samples, "--real", str(real))
    for metric, pattern, tolerance in (
        # Another processor rounds the pixels differently.
        ("Fréchet classifier distance", r"Fréchet classifier distance: ([\d.]+)", 0.01),
        ("KID", r"KID: ([\d.]+)", 0.0005),
        *((metric, rf"{metric} ([\d.]+)", 0.003) for metric in ("precision", "recall", "density", "coverage")),
    ):
        assert _number(pattern, output) == pytest.approx(reference_card(name).metrics[metric]["value"], abs=tolerance)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in reference_models() if "bits/dim" in reference_card(name).metrics])
def test_likelihoods_are_those_on_the_card(
    name: str, tmp_path: Path, official_images: ImageSet, mnist: ImageSet
) -> None:
    scores = []
    # Of MNIST the images that `data_split` chooses.
    for images, most in ((official_images, "10000"), (mnist, "1000")):
        csv = str(tmp_path / f"{images.name}.csv")
        _output("score", f"reference/{name}", str(_saved(images, tmp_path)), "-o", csv, "--max-images", most)
        scores.append(pd.read_csv(csv)["bits_per_dim"])
    metrics = reference_card(name).metrics
    assert scores[0].mean() == pytest.approx(metrics["bits/dim"]["value"], abs=0.001)
    auroc = roc_auc_score(np.repeat([0, 1], [len(bits) for bits in scores]), np.concatenate(scores))
    assert auroc == pytest.approx(metrics["AUROC of the likelihood on MNIST"]["value"], abs=0.001)


def _saved(images: ImageSet, folder: Path) -> Path:
    path = folder / f"{images.name}.npz"
    np.savez(path, images=images.images)
    return path


def _number(pattern: str, output: str) -> float:
    found = re.search(pattern, output)
    assert found is not None, output
    return float(found[1])


def _output(*arguments: str) -> str:
    return CliRunner().invoke(main, arguments, catch_exceptions=False).output
