r"""Four distances between U[0, 1] and its shift U[theta, theta + 1], known exactly and estimated from samples.

Total variation, KL and JS see only where the two densities overlap, which is nowhere once `|theta| >= 1`: they are constant
from there on (KL is infinite as soon as one density leaves the other's support), and a constant has no gradient. The
Wasserstein distance is the length of the shift and has slope 1 everywhere.

References:
    Arjovsky, Chintala and Bottou, Wasserstein GAN (2017), example 1.
"""

# Derived in docs/theory/vanishing-gradients.md and docs/theory/wasserstein.md.

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import rel_entr
from scipy.stats import wasserstein_distance

from fashion_dgm.config.studies import UniformsConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.training.seeds import derive_seed

__all__ = ["DISTANCES", "closed_form", "estimate", "estimates", "largest_errors"]

DISTANCES = ("kl", "total_variation", "jensen_shannon", "wasserstein")


def closed_form(shift: ArrayLike) -> dict[str, NDArray[np.float64]]:
    """Returns each distance at each shift, of the shape of `shift`; KL and JS in nats.

    The two overlap on a fraction `1 - d` of their mass, `d = min(|shift|, 1)`. Where they do, the densities are equal
    and add nothing; where only one is, the mixture is half of it: `TV = d`, `JS = d log 2`.
    """
    length = np.abs(np.asarray(shift, dtype=np.float64))
    apart = np.minimum(length, 1.0)
    return {
        "kl": np.where(length > 0, np.inf, 0.0),
        "total_variation": apart,
        "jensen_shannon": apart * np.log(2.0),
        "wasserstein": length,
    }


def estimate(shift: float, samples: int, bins: int, rng: np.random.Generator) -> dict[str, float]:
    """Returns each distance as `samples` draws of either distribution suggest it.

    KL, total variation and JS are those of histograms with `bins` bins over the range of all draws. They are biased
    upwards, by about `sqrt(bins / samples)`, where the two are the same; KL is infinite if a bin holds draws of the first
    distribution alone. The Wasserstein distance needs no bins.

    Raises:
        FashionDGMError: if there are fewer draws than bins, so that a histogram would be noise.
    """
    if samples < bins:
        raise FashionDGMError(f"{samples} draws cannot fill {bins} bins; take more draws or fewer bins")
    first, second = rng.uniform(size=samples), rng.uniform(size=samples) + shift
    edges = np.linspace(min(first.min(), second.min()), max(first.max(), second.max()), bins + 1)
    p, q = (np.histogram(draws, edges)[0] / samples for draws in (first, second))
    middle = (p + q) / 2.0
    return {
        "kl": float(rel_entr(p, q).sum()),
        "total_variation": float(np.abs(p - q).sum() / 2.0),
        "jensen_shannon": float((rel_entr(p, middle).sum() + rel_entr(q, middle).sum()) / 2.0),
        "wasserstein": float(wasserstein_distance(first, second)),
    }


def estimates(config: UniformsConfig, seed: int) -> pd.DataFrame:
    """Returns columns `shift`, `repetition` and one for each distance: estimates at all shifts, from new draws each time."""
    rows = []
    for repetition in range(config.repetitions):
        rng = np.random.default_rng(derive_seed(seed, "uniforms", repetition))
        for shift in config.shifts:
            found = estimate(shift, config.samples, config.bins, rng)
            rows.append({"shift": shift, "repetition": repetition, **found})
    return pd.DataFrame(rows)


def largest_errors(table: pd.DataFrame) -> dict[str, float]:
    """Returns how far estimates are from each distance at most; KL is infinite, and no estimate is far from that."""
    exact = closed_form(table["shift"].to_numpy())
    return {name: float(np.abs(table[name].to_numpy() - exact[name]).max()) for name in DISTANCES if name != "kl"}
