from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from fashion_dgm.findings import criteria, to_json
from fashion_dgm.findings.criteria import Balance, Constraint, Copying, Gradient, Overfitting, Side, Variety
from fashion_dgm.findings.gan import gan

NAN = math.nan


@pytest.mark.parametrize(
    ("real", "fake", "verdict"),
    [
        (0.95, 0.05, Balance.CERTAIN),
        (0.75, 0.25, Balance.CLEAR),
        (0.6, 0.4, Balance.MODERATE),
        (0.5, 0.5, Balance.EVEN),
        (0.4, 0.6, Balance.DECEIVED),
        (NAN, 0.5, Balance.UNKNOWN),
        (0.5, None, Balance.UNKNOWN),
    ],
)
def test_balance_follows_the_gap_between_probabilities(real: Any, fake: Any, verdict: Balance) -> None:
    assert criteria.balance(real, fake) is verdict


@pytest.mark.parametrize(
    ("clipped", "norm", "verdict"),
    [
        (0.51, None, Constraint.MOSTLY_CLIPPED),
        (0.5, None, Constraint.PARTLY_CLIPPED),
        (0.1, None, Constraint.HARDLY_CLIPPED),
        (None, 1.1, Constraint.PENALTY_MET),
        (None, 1.3, Constraint.PENALTY_NOT_MET),
        (None, None, Constraint.UNKNOWN),
    ],
)
def test_constraint(clipped: Any, norm: Any, verdict: Constraint) -> None:
    assert criteria.constraint(clipped, norm) is verdict


@pytest.mark.parametrize(
    ("norm", "verdict"),
    [(1.0, Gradient.SOUND), (1e-4, Gradient.VANISHED), (NAN, Gradient.NOT_FINITE), (None, Gradient.SOUND)],
)
def test_gradient(norm: Any, verdict: Gradient) -> None:
    assert criteria.generator_gradient(norm) is verdict


@pytest.mark.parametrize(
    ("missing", "entropy", "verdict"),
    [
        (5, 0.6, Variety.COLLAPSED),
        (1, 0.94, Variety.INCOMPLETE),
        (0, 0.94, Variety.UNEVEN),
        (0, 0.95, Variety.EVEN),
        (NAN, 0.9, Variety.UNKNOWN),
    ],
)
def test_variety(missing: float, entropy: float, verdict: Variety) -> None:
    assert criteria.variety(missing, entropy) is verdict


def test_copying_rarely_finds_a_difference_where_there_is_none() -> None:
    rng, images = np.random.default_rng(0), 100
    found = []
    for _ in range(500):
        a, b = rng.normal(size=(2, images))
        found.append(criteria.copying(float((a[:, None] < b).mean()), images))
    assert found.count(Copying.EVEN) / len(found) > 0.99
    assert criteria.copying(0.7, images) is Copying.NEARER
    assert criteria.copying(0.3, images) is Copying.FARTHER
    assert criteria.copying(0.5, None) is Copying.UNKNOWN


@pytest.mark.parametrize(
    ("seen", "held_out", "verdict"),
    [
        (0.80, 0.79, Overfitting.NONE),
        (0.70, 0.80, Overfitting.REVERSED),
        (0.80, 0.76, Overfitting.SLIGHT),
        (0.90, 0.70, Overfitting.CLEAR),
        (NAN, 0.70, Overfitting.UNKNOWN),
    ],
)
def test_overfitting_is_a_gap_beyond_chance(seen: float, held_out: float, verdict: Overfitting) -> None:
    assert criteria.overfitting(seen, held_out, 0.01, 1.0) is verdict


def test_accuracy_error_is_that_of_binomial_counts() -> None:
    rng, images = np.random.default_rng(0), 400
    differences = (rng.binomial(images, 0.8, 20_000) - rng.binomial(images, 0.6, 20_000)) / images
    assert criteria.accuracy_error(0.8, 0.6, images) == pytest.approx(differences.std(), rel=0.03)


def test_the_gan_comes_first_and_columns_are_of_all_models() -> None:
    found = gan({"wgan_gp": {"critic_gradient_norm": 1.0}, "gan": {"probability_real": 0.6, "probability_fake": 0.4}})
    assert [model.name for model in found.models] == ["gan", "wgan_gp"]
    assert found.columns == {"critic_gradient_norm", "probability_real", "probability_fake"}
    assert found.penalised
    assert found.model("wgan") is None


@pytest.mark.parametrize(
    ("estimate", "side"), [(0.4, Side.ABOVE), (0.0, Side.AROUND), (-1.0, Side.BELOW), (math.inf, Side.UNKNOWN)]
)
def test_an_estimate_at_or_below_zero_bounds_nothing(estimate: float, side: Side) -> None:
    assert gan({"wgan": {"wasserstein_estimate": estimate}}).models[0].preference is side


def test_accuracy_and_estimate_are_each_compared_with_their_own_error() -> None:
    records = {"samples": 1000, "neighbours": 200}
    accuracy = {"accuracy_seen_running_stats": 0.84, "accuracy_held_out_running_stats": 0.80, "records": records}
    estimate = {
        "wasserstein_estimate_seen_running_stats": 4.0,
        "wasserstein_estimate_held_out_running_stats": 3.9,
        "score_gap_error_running_stats": 0.02,
        "records": records,
    }
    ours, theirs = gan({"gan": accuracy | {"score_gap_error_running_stats": 9.0}, "wgan": estimate}).models
    assert (ours.overfitting_on, ours.overfitting) == ("accuracy", Overfitting.NONE)
    assert (theirs.overfitting_on, theirs.overfitting) == ("wasserstein_estimate", Overfitting.SLIGHT)


def test_findings_are_json() -> None:
    found = to_json(gan({"gan": {"probability_real": 0.9, "probability_fake": 0.05}}))
    assert found["models"][0]["balance"] == "CERTAIN"
    assert found["columns"] == ["probability_fake", "probability_real"]
