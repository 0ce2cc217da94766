from collections import Counter
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.conftest import made_up_images
from tests.small import PENALTY, gan_config, wgan_config

from fashion_dgm.checkpoint import checkpoint_of
from fashion_dgm.classifier.network import Classifier
from fashion_dgm.config import (
    GANConfig,
    GradientPenaltyConfig,
    PenalisedWGANConfig,
    SpectralGANConfig,
    StabilityConfig,
    WGANConfig,
)
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.experiments.stability import runs
from fashion_dgm.experiments.stability.grid import MODELS, Plan, draw_variations, plans
from fashion_dgm.experiments.stability.parallel import spread
from fashion_dgm.experiments.stability.runs import Study, conduct
from fashion_dgm.gans.steps import AdversarialStep
from fashion_dgm.training.interruption import Interrupted

GAN = gan_config(latent_dim=4, width=64, optimizer={"name": "adam", "learning_rate": 2e-4, "betas": (0.5, 0.999)})
WGAN = wgan_config(latent_dim=4, width=64, n_critic=2, optimizer={"name": "rmsprop", "learning_rate": 2e-4})
PENALISED = PenalisedWGANConfig(
    n_critic=2,
    lipschitz=PENALTY,
    normalisation={"discriminator": "none"},
    optimizer={"name": "adam", "learning_rate": 1e-4, "betas": (0.5, 0.9)},
)
SPECTRAL = SpectralGANConfig(lipschitz={"name": "spectral_norm"}, normalisation={"discriminator": "none"})
RANGES = {"learning_rate_factor": (0.2, 5.0), "discriminator_steps": (1, 3), "unnormalised": 0.5}


def configured(**changes: Any) -> StabilityConfig:
    values: dict[str, Any] = {"seeds": 2, "variations": 2, "ranges": RANGES, "epochs": 3, "generator_steps": 2}
    values |= {"batch_size": 16, "width": 2, "snapshot_every": 1, "samples": 60, "least_progress": 0.5}
    values |= {"missing_fraction": 0.01, "missing_classes": 3, "confidence": 0.95, "parallel": 1, "gpus_per_run": 0}
    return StabilityConfig(**{**values, "seed": 5, "device": "cpu", **changes})


@pytest.fixture
def study(tmp_path: Path) -> Study:
    classifier = checkpoint_of(Classifier(2, 4), "Classifier", {"width": 2, "feature_dim": 4})
    return Study(made_up_images(100, 0), made_up_images(80, 1), made_up_images(70, 2), classifier, 60, tmp_path)


def planned(**changes: Any) -> list[Plan]:
    return plans(configured(**changes), GAN, WGAN, SPECTRAL, PENALISED)


def test_every_model_is_trained_as_assigned_and_under_the_same_variations_with_every_seed() -> None:
    made = planned()
    assert len({plan.name for plan in made}) == len(made) == 4 * 3 * 2
    # An interrupted study has whole seeds.
    assert [plan.seed for plan in made] == sorted(plan.seed for plan in made)
    by_name = {plan.name: plan for plan in made}
    gan, gp = by_name["gan-as_assigned-seed-6"].config, by_name["wgan_penalty-as_assigned-seed-6"].config
    assert (gan.seed, gan.epochs, gan.width, gan.optimizer) == (6, 3, 2, GAN.optimizer)
    assert isinstance(gp, WGANConfig) and isinstance(gp.lipschitz, GradientPenaltyConfig)
    spectral = by_name["gan_spectral-as_assigned-seed-6"].config
    assert isinstance(spectral, GANConfig) and spectral.lipschitz is not None
    for seed, (name, drawn) in product((5, 6), draw_variations(configured().ranges, 2, 6).items()):
        settings = [by_name[f"{model}-{name}-seed-{seed}"] for model in MODELS]
        rates = [plan.config.optimizer.learning_rate for plan in settings]
        assert len({plan.discriminator_steps for plan in settings}) == 1
        assert rates[0] == rates[1] == rates[2] == pytest.approx(2 * rates[3])
        if seed == 6:
            assert rates[0] == pytest.approx(2e-4 * drawn.learning_rate_factor)
            assert settings[0].discriminator_steps == drawn.discriminator_steps
            assert (settings[2].config.normalisation.discriminator == "batch") == drawn.normalised


def test_variations_fill_their_ranges() -> None:
    drawn = list(draw_variations(configured().ranges, 2000, 0).values())
    logs = np.log([variation.learning_rate_factor for variation in drawn])
    # Log-uniform: mean 0 as the range is symmetric, standard deviation log(25) / sqrt(12); bounds of 5 standard errors.
    assert abs(logs.mean()) < 5 * np.log(25) / np.sqrt(12 * 2000)
    assert logs.min() >= np.log(0.2) and logs.max() <= np.log(5)
    steps = Counter(variation.discriminator_steps for variation in drawn)
    assert set(steps) == {1, 2, 3} and min(steps.values()) > 2000 / 3 - 5 * np.sqrt(2000 * 2 / 9)
    assert abs(sum(variation.normalised for variation in drawn) - 1000) < 5 * np.sqrt(2000 / 4)


def test_what_cannot_be_studied_is_named(study: Study) -> None:
    with pytest.raises(ValueError, match="smaller bound"):
        configured(ranges={**RANGES, "discriminator_steps": (3, 1)})
    with pytest.raises(FashionDGMError, match=r"needs 1600 images an epoch and there are 100: lower stability"):
        conduct(study, planned(generator_steps=100))
    with pytest.raises(FashionDGMError, match=r"cannot train wgan_penalty"):
        plans(configured(), GAN, WGAN, SPECTRAL, PENALISED.model_copy(update={"normalisation": GAN.normalisation}))


def test_interrupted_study_goes_on_and_ends_as_if_it_had_not_been(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Of one run of each model; all take the same number of generator steps."""
    made = [plan for plan in planned(seeds=1) if plan.variation == "variation_1"]
    trained: list[str] = []
    descents: list[str] = []
    train_one, descend = runs._trained, AdversarialStep._descend_generator

    def until_the_third(plan: Plan, *rest: Any) -> Any:
        trained.append(plan.name)
        if len(trained) == 3:
            raise Interrupted("stopped")
        return train_one(plan, *rest)

    def counted(self: AdversarialStep, loss: torch.Tensor) -> dict[str, torch.Tensor]:
        descents.append(trained[-1])
        return descend(self, loss)

    monkeypatch.setattr(runs, "_trained", until_the_third)
    monkeypatch.setattr(AdversarialStep, "_descend_generator", counted)
    with pytest.raises(Interrupted):
        conduct(study, made)
    resumed = conduct(study, made)
    assert trained == [plan.name for plan in (*made[:3], *made[2:])]
    assert Counter(descents) == {plan.name: 3 * 2 for plan in made}
    assert not list(tmp_path.rglob("state.pt"))
    # A damaged record is done again, and another classifier measures other distances.
    damaged = study.folder / made[3].name / "record.json"
    damaged.write_text(damaged.read_text().replace('"status": "finished"', '"status": "finishes"'))
    assert conduct(study, made) == resumed == conduct(replace(study, folder=tmp_path / "whole"), made)
    assert "damaged" in caplog.text and trained[5:] == [made[3].name, *(plan.name for plan in made)]
    other = checkpoint_of(Classifier(2, 4), "Classifier", {"width": 2, "feature_dim": 4})
    conduct(replace(study, classifier=other), made[:1])
    assert trained[10:] == [made[0].name]


@pytest.mark.slow
def test_side_by_side_is_as_one_after_another(study: Study, tmp_path: Path) -> None:
    made = planned(seeds=1)[:2]
    whole = conduct(replace(study, folder=tmp_path / "whole"), made)
    seen: list[int] = []
    found = conduct(study, made, partial(spread, at_a_time=2, gpus=0.0), lambda number, record: seen.append(number))
    assert found == whole
    assert seen == [1, 2]


def test_run_that_diverges_is_recorded_and_the_others_are_kept(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    steps, taken = AdversarialStep.step, 0

    def bad_in_the_third_epoch(self: AdversarialStep, *batch: torch.Tensor) -> dict[str, torch.Tensor]:
        nonlocal taken
        taken += 1
        metrics = steps(self, *batch)
        return {**metrics, "loss_generator": torch.tensor(torch.nan)} if taken == 5 else metrics

    monkeypatch.setattr(AdversarialStep, "step", bad_in_the_third_epoch)
    made = planned(seeds=1)[:2]
    records = conduct(study, made)
    assert [record.status for record in records] == ["diverged", "finished"]
    assert "loss_generator became NaN or infinite in epoch 3" in records[0].reason
    assert len(records[0].history) == len(records[0].scores) == 2
    before = taken
    assert conduct(study, made) == records
    assert taken == before


def test_a_really_diverging_training_may_have_no_distance(study: Study) -> None:
    """No metric is tampered with: the learning rate alone does it, at once."""
    wild = {"learning_rate_factor": (1e30, 1e30), "discriminator_steps": (1, 1), "unnormalised": 1}
    plan = next(plan for plan in planned(seeds=1, ranges=wild) if plan.variation == "variation_1")
    record = study.run(plan)
    assert (record.status, record.history, record.scores) == ("diverged", [], [])


def test_floor_is_of_held_out_images_and_no_generator_is_as_near(study: Study) -> None:
    found = study.reference(planned()[0].config)
    assert found["floor"] > 0 and found["untrained"] > found["floor"]
    # Training images are a row of their own, and change with them alone.
    other = replace(study, train=made_up_images(100, 9)).reference(planned()[0].config)
    assert (other["floor"], other["samples"]) == (found["floor"], found["samples"])
    assert other["training"] != found["training"]


def test_variations_scale_the_rates_of_networks_with_optimizers_of_their_own() -> None:
    own = {**GAN.optimizer.model_dump(), "learning_rate": 1e-4}
    changed = {"generator_optimizer": own}
    gan, wgan = GANConfig(**{**GAN.model_dump(), **changed}), WGANConfig(**{**WGAN.model_dump(), **changed})
    by_name = {plan.name: plan.config for plan in plans(configured(), gan, wgan, SPECTRAL, PENALISED)}
    for name, drawn in draw_variations(configured().ranges, 2, 5).items():
        for model in ("gan", "gan_spectral", "wgan"):
            found = by_name[f"{model}-{name}-seed-5"].generator_optimizer
            assert found is not None and found.learning_rate == pytest.approx(1e-4 * drawn.learning_rate_factor)
        assert by_name[f"wgan_penalty-{name}-seed-5"].generator_optimizer is None
