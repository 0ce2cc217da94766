import math
from typing import Any

import pytest

from fashion_dgm.findings.criteria import GradientNoise, Vanishing
from fashion_dgm.findings.vanishing import VanishingFindings, vanishing

AS_PREDICTED = {"saturating": -3.0, "non_saturating": 1.0, "wasserstein": 0.0}


def metrics(
    changes: dict[str, float], variance: float = 2.0, noise: tuple[float, float] = (0.0, 0.0)
) -> dict[str, Any]:
    """What two generators give, the later of them first; the same change for both."""

    def summary(mean: float) -> dict[str, float]:
        return {"mean": mean, "sd": 0.1}

    gradients = {
        epoch: {
            loss: {
                "norm": summary(-2.0),
                "change": summary(change),
                "lost": summary(abs(change)),
                "variance_change": summary(variance if loss == "non_saturating" else 2 * change),
                "noise_change": summary(more),
            }
            for loss, change in changes.items()
        }
        for epoch, more in zip(("10", "0"), noise, strict=True)
    }
    errors = {"total_variation": 0.01, "jensen_shannon": 0.01, "wasserstein": 0.01}
    sizes = {"seeds": 3, "steps": 100, "batch_size": 32, "gradient_batches": 4, "samples": 1000}
    return {"gradients": gradients, "uniforms": errors, **sizes}


def found(*args: Any, **options: Any) -> VanishingFindings:
    return vanishing(metrics(*args, **options))


@pytest.mark.parametrize(
    ("changes", "verdict", "others"),
    [
        ({}, Vanishing.SATURATING_ONLY, ()),
        ({"wasserstein": -1.0}, Vanishing.OTHERS_TOO, ("wasserstein",)),
        ({"saturating": 0.0}, Vanishing.NOT_CLEAR, ()),
        ({"saturating": math.nan}, Vanishing.UNKNOWN, ()),
    ],
)
def test_losses_whose_gradient_vanishes(changes: dict[str, float], verdict: Vanishing, others: tuple[str, ...]) -> None:
    all_of_them = found({**AS_PREDICTED, **changes})
    assert (all_of_them.verdict, all_of_them.others) == (verdict, others)


@pytest.mark.parametrize(
    ("noise", "verdict"),
    [
        ((1.0, 1.0), GradientNoise.FASTER),
        ((1.0, 0.0), GradientNoise.PARTLY_FASTER),
        ((0.0, -1.0), GradientNoise.NOT_FASTER),
    ],
)
def test_noise_is_compared_with_the_squared_mean(noise: tuple[float, float], verdict: GradientNoise) -> None:
    assert found(AS_PREDICTED, noise=noise).noise is verdict
    assert found(AS_PREDICTED, noise=noise).noisier == (0, 10)
    assert found(AS_PREDICTED, variance=0.0, noise=noise).noise is GradientNoise.NO_GROWTH


def test_generators_stand_in_the_order_of_their_epochs() -> None:
    gradients = found(AS_PREDICTED).gradients
    assert [g["epoch"] for g in gradients] == [0, 0, 0, 10, 10, 10]
    assert gradients[0]["norm"] == pytest.approx(0.01)
