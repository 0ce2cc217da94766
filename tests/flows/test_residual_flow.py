from __future__ import annotations

import copy
import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from fashion_dgm.checkpoint import CheckpointError, checkpoint_of, load_checkpoint, save_checkpoint
from fashion_dgm.config import ResidualFlowConfig, ResidualFlowTrainingConfig, SeriesConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.evaluation.residual_flow import describe, estimated_likelihood, inverse_report, largest_norms
from fashion_dgm.flows import ExactLogDet, Flow, FlowStep, LipschitzConv2d, ResidualFlow, bits_per_dim_of, build_flow
from fashion_dgm.flows.lipschitz import LipschitzLayer, measured_norm
from fashion_dgm.flows.training import fit_flow
from fashion_dgm.registry import build_model
from fashion_dgm.training.store import StateStore
from tests.conftest import made_up_images

CPU = torch.device("cpu")


def make_config(**changes: Any) -> ResidualFlowConfig:
    small = {
        "scales": 2,
        "blocks": 1,
        "hidden_channels": 4,
        "linear_blocks": 1,
        "linear_width": 3,
        "squeeze_first": True,
        "factor_out": False,
        "evaluation": SeriesConfig(exact_terms=5),
        "logit_alpha": 1e-6,
    }
    return ResidualFlowConfig(**{**small, **changes})


def training_config(**changes: Any) -> ResidualFlowTrainingConfig:
    values = {
        "epochs": 2,
        "batch_size": 16,
        "seed": 0,
        "device": "cpu",
        "precision": "float32",
        "speed": {"channels_last": False},
        "model": make_config(),
        "optimizer": {"name": "adam", "learning_rate": 1e-2},
        "max_gradient_norm": 10.0,
        "evaluation_images": 8,
    }
    return ResidualFlowTrainingConfig(**{**values, **changes})


def pixels(count: int, seed: int = 0) -> Tensor:
    return torch.from_numpy(made_up_images(count, seed).images)


@pytest.fixture
def flow() -> ResidualFlow:
    torch.manual_seed(0)
    made = ResidualFlow(make_config())
    made.bits_per_dim(pixels(32))
    return made.eval()


def test_it_is_a_flow_as_others_are(flow):
    assert isinstance(flow, Flow)
    samples = flow.sample(3, 0.7, torch.Generator().manual_seed(0))
    assert samples.shape == (3, 1, 28, 28)
    assert 0 <= samples.min() < samples.max() <= 1
    assert torch.equal(samples, flow.sample(3, 0.7, torch.Generator().manual_seed(0)))
    z, log_det = flow(samples)
    assert z.shape == (3, 784)
    prior = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(1)
    torch.testing.assert_close(flow.log_prob(samples), prior + log_det)


@pytest.mark.parametrize("changes", [{}, {"factor_out": True}, {"squeeze_first": False, "scales": 3}])
def test_images_come_back(changes):
    torch.manual_seed(0)
    flow = ResidualFlow(make_config(**changes))
    x = torch.cat((torch.rand(8, 1, 28, 28), torch.zeros(1, 1, 28, 28), torch.ones(1, 1, 28, 28)))
    flow(x)
    z, _ = flow.eval()(x)
    assert flow.log_prob(x).isfinite().all()
    torch.testing.assert_close(flow.inverse(z), x, rtol=0, atol=1e-3)


def test_a_likelihood_in_evaluation_is_a_function_of_its_batch(flow):
    x = torch.rand(4, 1, 28, 28)
    torch.manual_seed(1)
    first = flow.log_prob(x)
    assert torch.equal(flow.log_prob(x), first)
    given = flow.log_prob(x, torch.Generator().manual_seed(5))
    assert torch.equal(flow.log_prob(x, torch.Generator().manual_seed(5)), given)
    assert not torch.equal(given, first)
    assert not torch.equal(flow.train().log_prob(x), flow.log_prob(x))


def test_noise_and_probes_come_from_different_sources(flow):
    images = pixels(6)
    same_noise = [bits_per_dim_of(flow, images, 6, 0, torch.float32, draw) for draw in (0, 0, 1)]
    assert np.array_equal(same_noise[0], same_noise[1])
    assert not np.array_equal(same_noise[0], same_noise[2])
    latents = [flow(torch.zeros(1, 1, 28, 28), torch.Generator().manual_seed(seed))[0] for seed in (0, 1)]
    assert torch.equal(*latents)


def test_estimates_agree_with_the_exact_log_determinant():
    """Over 400 draws of probes for 4 images, at 5 standard errors: one seed in 400,000 is a false alarm."""
    torch.manual_seed(0)
    flow = ResidualFlow(make_config(factor_out=True, logit_alpha=0.05), (1, 4, 4)).double()
    x = torch.rand(4, 1, 4, 4, dtype=torch.float64)
    flow(x)
    flow.eval()
    draws = 400
    with torch.no_grad():
        estimates = flow.log_prob(x.repeat(draws, 1, 1, 1), torch.Generator().manual_seed(0)).view(draws, 4)
    for block in flow.blocks:
        block.evaluation_estimate = ExactLogDet()
    exact = flow.log_prob(x)
    error = estimates.std(0) / math.sqrt(draws)
    assert ((estimates.mean(0) - exact).abs() < 5 * error + 1e-3).all()
    assert (error < 0.2).all()


def test_every_block_is_a_contraction_after_steps():
    torch.manual_seed(0)
    step = FlowStep(training_config(optimizer={"name": "adam", "learning_rate": 0.05}), CPU, torch.float32)
    for seed in range(6):
        torch.manual_seed(seed)
        step.step(pixels(16))
        layer, block = largest_norms(step.flow)
        assert layer <= 0.98 * 1.01
        assert block < 1
    assert any(layer.norm() > 0.99 for layer in step.flow.modules() if isinstance(layer, LipschitzLayer))


@pytest.mark.slow
@pytest.mark.parametrize("ema", [None, 0.9])
def test_a_saved_step_goes_on_bit_for_bit(ema):
    def make(seed: int) -> FlowStep:
        torch.manual_seed(seed)
        return FlowStep(training_config(ema_decay=ema), CPU, torch.float32)

    def run(step: FlowStep, seeds: range) -> list[dict[str, float]]:
        history = []
        for seed in seeds:
            torch.manual_seed(seed)
            history.append({name: value.item() for name, value in step.step(pixels(16)).items()})
        return history

    step, file = make(0), io.BytesIO()
    run(step, range(2))
    torch.save(step.state_dict(), file)
    # What evaluation leaves behind in the average must not reach the training.
    step.evaluated.bits_per_dim(pixels(4))
    expected = run(step, range(2, 4))
    file.seek(0)
    resumed = make(9)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    assert run(resumed, range(2, 4)) == expected
    theirs = resumed.evaluated.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in step.evaluated.state_dict().items())


def test_the_evaluated_model_keeps_the_bound():
    torch.manual_seed(0)
    config = training_config(ema_decay=0.5, optimizer={"name": "adam", "learning_rate": 0.05})
    step = FlowStep(config, CPU, torch.float32)
    for _ in range(4):
        step.step(pixels(16))
    assert step.evaluated is not step.flow
    assert largest_norms(step.evaluated)[1] < 1


class Killed(Exception):
    pass


@pytest.mark.slow
def test_a_killed_training_ends_bit_for_bit_where_an_uninterrupted_one_does(tmp_path: Path):
    data, test = made_up_images(48, seed=0), made_up_images(8, seed=1)

    def kill(row: dict[str, float], seconds: float | None) -> None:
        if row["epoch"] == 1 and seconds is not None:
            raise Killed

    config = training_config(ema_decay=0.9)
    with pytest.raises(Killed):
        fit_flow(data, test, config, StateStore(tmp_path / "a"), kill)
    resumed = fit_flow(data, test, config, StateStore(tmp_path / "a"), lambda *_: None)
    whole = fit_flow(data, test, config, StateStore(tmp_path / "b"), lambda *_: None)
    assert resumed.history == whole.history
    assert resumed.flow.architecture == "ResidualFlow"
    assert all(torch.equal(value, whole.flow.weights[name]) for name, value in resumed.flow.weights.items())
    assert whole.history[1]["bits_per_dim"] < whole.history[0]["bits_per_dim"]


def test_a_checkpoint_rebuilds_flow_and_bound(flow, tmp_path: Path):
    with torch.no_grad():
        for layer in flow.modules():
            if isinstance(layer, LipschitzConv2d):
                layer.weight.mul_(3)
    flow.constrain()
    save_checkpoint(checkpoint_of(flow, "ResidualFlow", flow.config.model_dump(mode="json")), tmp_path / "flow")
    rebuilt = build_flow(load_checkpoint(tmp_path / "flow"))
    assert isinstance(rebuilt, ResidualFlow)
    assert rebuilt.config == flow.config
    images = pixels(4)
    bits = [bits_per_dim_of(one, images, 4, 0, torch.float32) for one in (flow, rebuilt)]
    assert np.array_equal(*bits)


def test_only_flows_are_built(flow):
    other = checkpoint_of({}, "Generator", {})
    with pytest.raises(CheckpointError, match="holds a Generator, not a flow"):
        build_flow(other)
    with pytest.raises(CheckpointError, match="holds a ResidualFlow, not a RealNVP"):
        build_model(checkpoint_of(flow, "ResidualFlow", flow.config.model_dump(mode="json")), "RealNVP")


# Evaluation


@pytest.mark.slow
def test_the_error_of_the_probes_is_that_of_another_draw(flow):
    """The spread of 12 estimates is within a factor of 2.3 of the predicted error but for one seed in 1,000 (chi2)."""
    images = pixels(12)
    found = estimated_likelihood(flow, images, 3, 0, 2)
    values = [bits_per_dim_of(flow, images, 3, 0, torch.float32, draw).mean() for draw in range(100, 112)]
    assert found.images == 12
    single = found.probe_error * math.sqrt(2)
    assert single / 2.3 < np.std(values, ddof=1) < 2.3 * single
    assert abs(found.bits_per_dim - np.mean(values)) < 5 * found.probe_error


def test_the_inverse_is_reported(flow):
    report = inverse_report(flow, pixels(4), 0)
    assert report.error < 1e-3
    assert 1 <= report.mean_iterations <= report.most_iterations


def test_the_largest_norm_is_found(flow):
    layers = [layer for layer in flow.modules() if isinstance(layer, LipschitzLayer)]
    assert largest_norms(flow)[0] == max(measured_norm(layer) for layer in layers)


def test_the_estimator_is_reported():
    words = describe(SeriesConfig(exact_terms=20))
    assert words == "20 terms of the series and geometric roulette from there (mean 2), 1 rademacher probe an image"
    assert describe(SeriesConfig(exact_terms=8, roulette="none", probes=2)) == (
        "8 terms of the series, 2 rademacher probes an image"
    )


# Bad parameters


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"lipschitz_coefficient": 1.0}, "lipschitz_coefficient\n.*less than 1"),
        ({"lipschitz_coefficient": 0.0}, "lipschitz_coefficient\n.*greater than 0"),
        ({"training": {"exact_terms": 2, "probes": 0}}, "training.probes\n.*greater than 0"),
        ({"training": {"exact_terms": 0, "roulette": "none"}}, "exact_terms of at least 1"),
        ({"evaluation": {"exact_terms": 2, "mean_terms": 1.0}}, "mean_terms must be above 1"),
        ({"blocks": 0}, "blocks\n.*greater than 0"),
        ({"spectral_iterations": 0}, "spectral_iterations\n.*greater than 0"),
    ],
)
def test_bad_parameters_are_refused(changes, where):
    with pytest.raises(ValidationError, match=where):
        make_config(**changes)


def test_compilation_is_refused():
    with pytest.raises(ValidationError, match="can't be compiled"):
        training_config(speed={"compile": "default"})


@pytest.mark.parametrize(("scales", "squeeze_first"), [(4, False), (3, True)])
def test_scales_that_do_not_fit_are_refused(scales, squeeze_first):
    with pytest.raises(FashionDGMError, match="squeeze 7x7 before scale"):
        ResidualFlow(make_config(scales=scales, squeeze_first=squeeze_first))


def test_a_copy_is_its_own(flow):
    twin = copy.deepcopy(flow)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.add_(0.1)
    twin.constrain()
    x = torch.rand(2, 1, 28, 28)
    assert not torch.allclose(twin(x)[0], flow(x)[0])
