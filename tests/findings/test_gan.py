import math

import pytest

from fashion_dgm.findings.criteria import Overfitting, Side
from fashion_dgm.findings.gan import gan

NAN = math.nan


def test_the_gan_comes_first_and_columns_are_of_all_models() -> None:
    found = gan({"wgan_gp": {"critic_gradient_norm": 1.0}, "gan": {"probability_real": 0.6, "probability_fake": 0.4}})
    assert [model.name for model in found.models] == ["gan", "wgan_gp"]
    assert found.columns == {"critic_gradient_norm", "probability_real", "probability_fake"}
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
