from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fashion_dgm.checkpoint import checkpoint_of
from fashion_dgm.classifier.network import Classifier
from fashion_dgm.data.images import to_unit_interval
from fashion_dgm.gans.evaluation import EvaluationData, Evaluator, whole_batches
from fashion_dgm.gans.steps import AdversarialStep
from fashion_dgm.gans.training import train_gan
from fashion_dgm.training.seeds import derive_seed, generator
from fashion_dgm.training.store import StateStore
from tests.conftest import made_up_images
from tests.small import gan_config, make_step, run_steps, wgan_config

RECORDS = {"samples": 40, "neighbours": 20, "least_fraction": 0.05}
TRAIN, HELD_OUT = made_up_images(160, seed=0), made_up_images(60, seed=1)


def evaluation_data() -> EvaluationData:
    return EvaluationData(HELD_OUT, checkpoint_of(Classifier(4, 8), "Classifier", {"width": 4, "feature_dim": 8}))


def gan(**changes: Any) -> AdversarialStep:
    return make_step(gan_config(**{"records": RECORDS, **changes}))


def wgan(**changes: Any) -> AdversarialStep:
    return make_step(wgan_config(**{"records": RECORDS, "n_critic": 2, **changes}))


def evaluated(step: AdversarialStep) -> dict[str, float]:
    return Evaluator(TRAIN, evaluation_data(), step.config)(step)


def trained(step: AdversarialStep) -> AdversarialStep:
    run_steps(step, range(4))
    return step


@pytest.mark.parametrize("make", [gan, wgan])
def test_measuring_changes_nothing_and_repeats_itself(make) -> None:
    step = trained(make(ema_decay=0.9))
    evaluator = Evaluator(TRAIN, evaluation_data(), step.config)
    before = {n: {k: v.clone() for k, v in net.state_dict().items()} for n, net in step.networks().items()}
    modes = {n: net.training for n, net in step.networks().items()}
    random_state = torch.get_rng_state()
    first = evaluator(step)
    assert torch.equal(random_state, torch.get_rng_state())
    assert evaluator(step) == first == Evaluator(TRAIN, evaluator.evaluation_data, step.config)(step)
    assert {n: net.training for n, net in step.networks().items()} == modes
    for name, network in step.networks().items():
        torch.testing.assert_close(dict(network.state_dict()), before[name], rtol=0, atol=0)


def scored(network: torch.nn.Module, images: torch.Tensor, size: int) -> torch.Tensor:
    with torch.no_grad():
        return torch.cat([network(part) for part in images.split(size)])


def test_running_statistics_are_those_of_evaluation_mode() -> None:
    step = trained(wgan(lipschitz={"name": "spectral_norm"}, records={"samples": 160, "neighbours": 20}))
    found = evaluated(step)
    fake = step.generator.sample(160, generator(0, "records"))
    step.discriminator.eval()
    with torch.no_grad():
        real = to_unit_interval(torch.from_numpy(TRAIN.images))
        expected = step.discriminator(real).mean() - step.discriminator(fake).mean()
    assert found["wasserstein_estimate_seen_running_stats"] == pytest.approx(expected.item(), rel=1e-3)
    assert found["score_held_out_running_stats"] != found["score_seen_running_stats"]


@pytest.mark.parametrize("make", [gan, wgan])
def test_batch_statistics_are_those_of_training(make) -> None:
    """In batches of the size of training, real and generated images apart, as `step` scores them."""
    step = trained(make(records={"samples": 160, "neighbours": 20}))
    found = evaluated(step)
    fake = step.generator.sample(160, generator(0, "records"))
    order = np.random.default_rng(derive_seed(0, "records")).choice(160, size=160, replace=False)
    real = to_unit_interval(torch.from_numpy(TRAIN.images[order]))
    step.discriminator.train()
    size = step.config.batch_size
    for kind, images in (("seen", real), ("generated", fake)):
        expected = scored(step.discriminator, images, size).mean().item()
        assert found[f"score_{kind}_batch_stats"] == pytest.approx(expected, rel=1e-4)
        assert found[f"score_{kind}_running_stats"] != pytest.approx(expected, rel=1e-2)
    # Batches of both kinds give other scores.
    mixed = scored(step.discriminator, torch.stack([real, fake], 1).flatten(0, 1), size)
    assert mixed[1::2].mean() != pytest.approx(found["score_generated_batch_stats"], rel=1e-2)


@pytest.mark.parametrize("normalisation", ["layer", "none"])
def test_without_batch_norm_both_modes_are_equal(normalisation: str) -> None:
    for make in (gan, wgan):
        step = trained(make(normalisation={"discriminator": normalisation}))
        found = evaluated(step)
        modes = [
            {name.removesuffix(end): value for name, value in found.items() if name.endswith(end)}
            for end in ("_running_stats", "_batch_stats")
        ]
        assert modes[0].pop("score_gap_error") > 0
        assert modes[0] == modes[1] and len(modes[0]) >= 5


def test_last_images_that_fill_no_batch_are_not_scored() -> None:
    images = torch.arange(40)
    assert torch.equal(whole_batches(images, 16), images[:32])
    assert torch.equal(whole_batches(images, 64), images)


def test_discriminator_that_memorises_its_images_shows() -> None:
    """A discriminator that scores only training images as real, and one that scores all real images so."""
    step = gan()
    seen, unseen, fake = torch.full((30,), 5.0), torch.full((30,), -5.0), torch.full((30,), -5.0)
    memorising, fair = step.objective.diagnostics(seen, unseen, fake), step.objective.diagnostics(seen, seen, fake)
    assert [memorising[f"accuracy_{kind}"] for kind in ("seen", "held_out", "generated")] == [1, 0, 1]
    assert memorising["loss_discriminator_held_out"] > 5 > memorising["loss_discriminator_seen"]
    assert fair["loss_discriminator_held_out"] == fair["loss_discriminator_seen"]


def test_memorising_generator_is_detected_and_fractions_of_classes_agree() -> None:
    step = gan()
    honest = evaluated(step)
    step.generator.sample = lambda n, generator: to_unit_interval(torch.from_numpy(TRAIN.images[:n]))  # type: ignore[method-assign]
    assert not any(name.startswith("average_") for name in honest)
    metrics = evaluated(step)
    assert metrics["nearest_distance_fake"] == 0 < metrics["nearest_distance_held_out"]
    assert metrics["copying_probability"] == 1
    # What an untrained network makes is near to nothing.
    assert honest["copying_probability"] < 0.1
    fractions = np.array([metrics[f"class_fraction_{label}"] for label in range(10)])
    assert fractions.sum() == pytest.approx(1)
    assert metrics["missing_classes"] == (fractions < 0.05).sum()
    assert 0 <= metrics["class_entropy"] <= 1


def test_training_records_them_by_epoch(tmp_path: Path) -> None:
    run = train_gan(
        TRAIN,
        gan_config(epochs=2, ema_decay=0.9, records=RECORDS),
        StateStore(tmp_path),
        lambda row, seconds: None,
        evaluation_data(),
    )
    assert len(run.history) == 2
    wanted = {"accuracy_real", "accuracy_fake", "class_entropy", "copying_probability", "average_class_entropy"}
    assert all(wanted <= set(row) for row in run.history)
    # The last snapshot is the average, not the generator itself.
    assert run.average is not None
    torch.testing.assert_close(dict(run.snapshots[2].weights), dict(run.average.weights), rtol=0, atol=0)
    assert not torch.equal(run.average.weights["layers.0.weight"], run.generator.weights["layers.0.weight"])
    assert run.average.training["ema_decay"] == 0.9
