"""Models that come with the package are those that their cards describe."""

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from fashion_dgm import load_model, pretrained
from fashion_dgm.cli.main import main
from fashion_dgm.data.images import ImageSet
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.pretrained import ModelCard, reference_card, reference_checkpoint, reference_models


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


def test_an_unknown_model_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(FashionDGMError, match=f"there are: {', '.join(reference_models())}"):
        load_model("reference/nothing")


@pytest.mark.slow
@pytest.mark.parametrize("name", reference_models())
def test_main_results_on_the_card_are_reached(name: str, tmp_path: Path, official_images: ImageSet) -> None:
    real, samples = str(tmp_path / "real.npz"), str(tmp_path / "samples.npz")
    np.savez(real, images=official_images.images)
    metrics = reference_card(name).metrics
    if "bits/dim" in metrics:
        found = _number(r"10000 images: ([\d.]+)", _output("score", f"reference/{name}", real))
        assert found == pytest.approx(metrics["bits/dim"]["value"], abs=0.001)
    _output("sample", f"reference/{name}", "-n", "10000", "-o", samples)
    found = _number(r"Fréchet classifier distance: ([\d.]+)", _output("fid", samples, "--real", real))
    # Another processor rounds the pixels differently.
    assert found == pytest.approx(metrics["Fréchet classifier distance"]["value"], abs=0.01)


def _number(pattern: str, output: str) -> float:
    found = re.search(pattern, output)
    assert found is not None, output
    return float(found[1])


def _output(*arguments: str) -> str:
    return CliRunner().invoke(main, arguments, catch_exceptions=False).output
