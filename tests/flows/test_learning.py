"""RealNVP, trained by `FlowStep`, learns a density whose entropy is known."""

import numpy as np
import pytest
import torch
from scipy import stats

from tests.small import flow_config, make_step, realnvp_config

# Columns in pairs: the left one is N(128, WIDE^2), the right one differs from it by N(0, NARROW^2), rounded to grey levels.
WIDE, NARROW = 24.0, 4.0


def draw(n: int, seed: int) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    left = np.rint(rng.normal(128, WIDE, (n, 1, 28, 14)))
    right = np.rint(left + rng.normal(0, NARROW, left.shape))
    # 255 is 5 standard deviations away: clipping concerns one pixel in two million.
    return torch.from_numpy(np.stack([left, right], -1).reshape(n, 1, 28, 28).clip(0, 255).astype(np.uint8))


def bits(deviation: float) -> float:
    """The entropy of a normal variable, rounded to integers."""
    edges = stats.norm.cdf(np.arange(-400.5, 401), scale=deviation)
    return float(stats.entropy(np.diff(edges), base=2))


@pytest.mark.slow
def test_flow_learns_a_known_density() -> None:
    """Its bits/dim bound the entropy from above, and close nearly all of the gap to independent pixels.

    A density that ignores what pixels have to do with one another, however good, needs 6.64 bits/dim; the entropy is 5.34.
    Limits: at most a tenth of that gap is left, and no more is gained than four standard errors of the mean allow, which
    would be a wrong Jacobian.
    """
    entropy = (bits(WIDE) + bits(NARROW)) / 2
    independent = (bits(WIDE) + bits(float(np.hypot(WIDE, NARROW)))) / 2
    model = realnvp_config(scales=1, hidden_channels=8)
    step = make_step(flow_config(model=model, optimizer={"name": "adam", "learning_rate": 1e-2}))
    first = step.step(draw(32, 0))["bits_per_dim"].item()
    for number in range(1, 100):
        step.step(draw(32, number))
    step.flow.eval()
    with torch.no_grad():
        found = step.flow.bits_per_dim(draw(300, 1000))
        samples = 256 * step.flow.sample(200)
    error = found.std().item() / len(found) ** 0.5
    assert first > independent - 0.1
    assert entropy - 4 * error < found.mean().item() < entropy + 0.1 * (independent - entropy)
    # What it draws has the law of neighbours, too: independent pixels would be 24 grey levels away, 0 would be perfect.
    apart = (samples[..., 1::2] - samples[..., ::2]).flatten()
    true = stats.norm.ppf((np.arange(10_000) + 0.5) / 10_000, scale=NARROW)
    assert stats.wasserstein_distance(apart.numpy(), true) < NARROW / 2
    assert samples[..., ::2].std().item() == pytest.approx(WIDE, rel=0.1)
