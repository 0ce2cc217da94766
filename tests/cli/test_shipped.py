"""`fashion-dgm models` and `demo`: the models that come with the package are listed, sampled and used for scores."""

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fashion_dgm import pretrained
from fashion_dgm.checkpoint import checkpoint_of, save_checkpoint
from fashion_dgm.flows import RealNVP
from fashion_dgm.gans.networks import Generator
from fashion_dgm.pretrained import reference_card, reference_models
from tests.cli.test_commands import SMALL, run
from tests.conftest import made_up_images
from tests.links import Page

CARD = reference_card(reference_models()[0])


def test_every_model_is_listed_with_the_numbers_of_its_card() -> None:
    listed = run("models").output
    for name in reference_models():
        card = reference_card(name)
        shown = run("models", name).output
        assert f"reference/{name}: {card.title}" in listed
        for metric, found in card.metrics.items():
            assert f"{metric} {found['value']}" in listed and f"| {metric} | {found['value']} |" in shown
        for part in (card.command, card.commit, card.hardware, card.limits, card.sha256):
            assert part in shown
    unknown = run("models", "nothing")
    assert unknown.exit_code == 1 and "there are: " in unknown.output


@pytest.mark.parametrize("names", [("gan",), ("gan", "realnvp")], ids=" and ".join)
def test_the_page_has_samples_of_every_model_and_scores_by_every_flow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    networks = {
        "gan": checkpoint_of(Generator(5, 2), "Generator", {"latent_dim": 5, "width": 2}),
        "realnvp": checkpoint_of(RealNVP(SMALL), "RealNVP", SMALL.model_dump(mode="json")),
    }
    monkeypatch.setattr(pretrained, "_FOLDER", tmp_path / "pretrained")
    for name in names:
        path = tmp_path / "pretrained" / f"{name}.safetensors"
        save_checkpoint(networks[name], path)
        card = replace(CARD, title=f"A small {name}", sha256=hashlib.sha256(path.read_bytes()).hexdigest())
        path.with_suffix(".json").write_text(json.dumps(asdict(card)), encoding="utf-8")
    real, mine, output = tmp_path / "real.npz", tmp_path / "mine", tmp_path / "demo"
    np.savez(real, images=made_up_images(60, 0).images)
    mine.mkdir()
    for i, image in enumerate(np.random.default_rng(0).integers(0, 256, (20, 40, 40), dtype=np.uint8)):
        Image.fromarray(image).save(mine / f"{i}.png")
    done = run("demo", mine, "--real", real, "-o", output, "-n", 5)
    assert done.exit_code == 0, done.output
    scored = "realnvp" if "realnvp" in names else "none"
    assert f"samples of {', '.join(names)}; scores by {scored}" in done.output
    html = (output / "index.html").read_text(encoding="utf-8")
    page = Page(html)
    assert all(f"A small {name}" in html and (output / f"{name}.png").is_file() for name in names)
    assert sum(target.startswith("data:image/png") for target in page.loaded) == len(names)
    assert all(target.startswith(("data:", "#")) for target in page.loaded + page.targets)
    assert ("<code>mine</code></th>" in html and "AUROC" in html) == ("realnvp" in names)
    assert ("no likelihoods" in html) == ("realnvp" not in names)
