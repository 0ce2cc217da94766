from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from fashion_dgm.checkpoint import checkpoint_of
from fashion_dgm.config import (
    GANConfig,
    GradientPenaltyConfig,
    PenalisedWGANConfig,
    StabilityConfig,
    WGANConfig,
)
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.gans.steps import GANStep
from fashion_dgm.metrics.classifier import Classifier
from fashion_dgm.stability import runs
from fashion_dgm.stability.grid import Plan, plans
from fashion_dgm.stability.runs import Study, conduct
from fashion_dgm.stability.summary import PAIRS, rows_of, summarise
from fashion_dgm.training.interruption import Interrupted
from tests.conftest import made_up_images

COMMON: dict[str, Any] = {"epochs": 50, "batch_size": 64, "seed": 9, "device": "cpu", "precision": "float32"}
COMMON |= {"latent_dim": 4, "width": 64, "snapshot_every": 5}
ADAM = {"name": "adam", "learning_rate": 2e-4, "betas": (0.5, 0.999)}
GAN = GANConfig(**COMMON, optimizer=ADAM)
WGAN = WGANConfig(
    **COMMON,
    optimizer={"name": "rmsprop", "learning_rate": 2e-4},
    n_critic=2,
    lipschitz={"name": "clip", "bound": 0.01},
)
PENALISED = PenalisedWGANConfig(
    n_critic=2,
    lipschitz={"name": "gradient_penalty", "weight": 10},
    normalisation={"generator": "batch", "discriminator": "none"},
    optimizer={"name": "adam", "learning_rate": 1e-4, "betas": (0.5, 0.9)},
)
VARIATIONS: dict[str, Any] = {
    "as_assigned": {},
    "bare": {"normalisation": "none"},
    "fast": {"learning_rate_factor": 10},
    "unbalanced": {"discriminator_steps": {"gan": 3, "wgan": 1}},
}


def configured(**changes: Any) -> StabilityConfig:
    values: dict[str, Any] = {"seeds": 2, "epochs": 3, "images_per_epoch": 64, "batch_size": 32, "width": 2}
    values |= {"snapshot_every": 1, "samples": 60, "variations": VARIATIONS, "baseline": "as_assigned"}
    values |= {
        "least_progress": 0.5,
        "missing_share": 0.01,
        "missing_classes": 3,
        "confidence": 0.95,
        "parallel": 1,
    }
    return StabilityConfig(**{**values, "gpus_per_run": 0, "seed": 5, "device": "cpu", **changes})


@pytest.fixture
def study(tmp_path: Path) -> Study:
    torch.manual_seed(0)
    classifier = checkpoint_of(Classifier(2, 4), "Classifier", {"width": 2, "feature_dim": 4})
    return Study(made_up_images(100, 0), made_up_images(80, 1), classifier, 60, tmp_path)


def planned(**changes: Any) -> list[Plan]:
    return plans(configured(**changes), GAN, WGAN, PENALISED)


def test_every_model_is_trained_under_every_variation_and_seed() -> None:
    made = planned()
    assert len({plan.name for plan in made}) == len(made) == 3 * 4 * 2
    # An interrupted study has whole seeds.
    assert [plan.seed for plan in made] == sorted(plan.seed for plan in made)
    by_name = {plan.name: plan.config for plan in made}
    gan, gp = by_name["gan-as_assigned-seed-6"], by_name["wgan_penalty-as_assigned-seed-6"]
    assert (gan.seed, gan.epochs, gan.width, gan.images_per_epoch, gan.optimizer) == (6, 3, 2, 64, GAN.optimizer)
    assert isinstance(gp, WGANConfig) and isinstance(gp.lipschitz, GradientPenaltyConfig)
    assert by_name["wgan-fast-seed-5"].optimizer.learning_rate == pytest.approx(2e-3)
    assert by_name["gan-bare-seed-5"].normalisation.model_dump() == {"generator": "none", "discriminator": "none"}
    steps = {name: (by_name[f"{name}-unbalanced-seed-5"]) for name in ("gan", "wgan", "wgan_penalty")}
    assert isinstance(steps["gan"], GANConfig) and steps["gan"].n_discriminator == 3
    assert [steps[name].n_critic for name in ("wgan", "wgan_penalty")] == [1, 2]  # type: ignore[union-attr]


def test_baseline_must_be_there_and_change_nothing() -> None:
    with pytest.raises(ValueError, match="none of"):
        configured(baseline="assigned")
    with pytest.raises(ValueError, match="change nothing"):
        configured(baseline="fast")


def test_what_cannot_be_trained_is_named() -> None:
    with pytest.raises(FashionDGMError, match=r"cannot train wgan_penalty"):
        plans(configured(), GAN, WGAN, PENALISED.model_copy(update={"normalisation": GAN.normalisation}))


def test_interrupted_study_goes_on_and_ends_as_if_it_had_not_been(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = planned(seeds=1, variations={"as_assigned": {}})
    whole = conduct(Study(study.train, study.test, study.classifier, 60, tmp_path / "whole"), made)
    trained: list[str] = []
    train_one = runs._trained

    def until_the_third(plan: Plan, *rest: Any) -> Any:
        trained.append(plan.name)
        if len(trained) == 3:
            raise Interrupted("stopped")
        return train_one(plan, *rest)

    monkeypatch.setattr(runs, "_trained", until_the_third)
    with pytest.raises(Interrupted):
        conduct(study, made)
    assert conduct(study, made) == whole
    assert trained == [plan.name for plan in (*made, made[2])]
    assert not list(tmp_path.rglob("state.pt"))
    # Another classifier measures other distances: nothing of before is taken for them.
    other = checkpoint_of(Classifier(2, 4), "Classifier", {"width": 2, "feature_dim": 4})
    conduct(Study(study.train, study.test, other, 60, tmp_path), made)
    assert len(trained) == 7


def test_damaged_record_is_done_again(study: Study, caplog: pytest.LogCaptureFixture) -> None:
    (plan, *_) = planned(seeds=1, variations={"as_assigned": {}})
    first = study.run(plan)
    (study.folder / plan.name / "record.json").write_text('{"key":')
    with caplog.at_level(logging.WARNING):
        assert study.run(plan) == first
    assert "damaged" in caplog.text


def test_run_that_diverges_is_recorded_and_the_others_are_kept(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    steps, taken = GANStep.step, 0

    def bad_in_the_third_epoch(self: GANStep, *batch: torch.Tensor) -> dict[str, torch.Tensor]:
        nonlocal taken
        taken += 1
        metrics = steps(self, *batch)
        return {**metrics, "loss_generator": torch.tensor(torch.nan)} if taken == 5 else metrics

    monkeypatch.setattr(GANStep, "step", bad_in_the_third_epoch)
    study_config = configured(seeds=1, variations={"as_assigned": {}})
    records = conduct(study, plans(study_config, GAN, WGAN, PENALISED))
    assert [(record.model, record.status) for record in records] == [
        ("gan", "diverged"),
        ("wgan", "finished"),
        ("wgan_penalty", "finished"),
    ]
    assert "loss_generator became NaN or infinite in epoch 3" in records[0].reason
    assert len(records[0].history) == len(records[0].scores) == 2
    before = taken
    assert conduct(study, plans(study_config, GAN, WGAN, PENALISED)) == records
    assert taken == before
    found = summarise(rows_of(records, study_config), study_config)
    assert found["cells"]["gan"]["as_assigned"]["diverged"] == {"mean": 1.0, "sd": None, "runs": 1}


def test_a_run_that_diverges_at_once_has_no_distance(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def bad(self: GANStep, *batch: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss_generator": torch.tensor(torch.inf)}

    monkeypatch.setattr(GANStep, "step", bad)
    record = study.run(planned()[0])
    assert (record.status, record.history, record.scores) == ("diverged", [], [])


def test_a_really_diverging_training(study: Study) -> None:
    """No metric is tampered with: the learning rate alone does it."""
    wild = {"as_assigned": {}, "wild": {"learning_rate_factor": 1e30, "normalisation": "none"}}
    plan = next(plan for plan in planned(seeds=1, variations=wild) if plan.variation == "wild")
    assert study.run(plan).status == "diverged"


def test_summary_names_every_pair_and_tells_the_models_apart(study: Study) -> None:
    config = configured(variations={"as_assigned": {}, "fast": {"learning_rate_factor": 10}})
    records = conduct(study, plans(config, GAN, WGAN, PENALISED))
    rows = rows_of(records, config)
    found = summarise(rows, config)
    for verdicts in found["verdicts"].values():
        assert list(verdicts) == [f"{first}-{second}" for first, second in PAIRS]
    assert found["verdicts"]["log_distance"]["gan-wgan"]["pairs"] == 4
    # The baseline is no departure from itself.
    assert found["verdicts"]["sensitivity"]["gan-wgan"]["pairs"] == 2
    distances = [row["distance"] for row in rows if (row["model"], row["variation"]) == ("wgan", "fast")]
    assert found["cells"]["wgan"]["fast"]["distance"]["mean"] == pytest.approx(sum(distances) / 2)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
