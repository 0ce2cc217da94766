"""The Fréchet distance against pytorch-fid's function: time, agreement, and singular covariances."""

import warnings
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_fid.fid_score import calculate_frechet_distance

from benchmarks.results import Row, compared, measured
from benchmarks.timing import Comparison, interleave
from fashion_dgm.metrics.frechet import Gaussian, frechet_distance

__all__ = ["exact_distance", "made_up_features", "run"]

DIMENSION = 2048
GOAL, SINGULAR_GOAL = 13.0, 10.0
AGREEMENT = 1e-8

Features = NDArray[np.float64]


def run(device: torch.device, quick: bool) -> list[Row]:
    """Times fit and distance at 2048 dimensions, always on the CPU: both are numpy's."""
    del device
    many, few = (5000, 1000) if quick else (10_000, 1000)
    first, second = (made_up_features(many, DIMENSION, seed) for seed in (0, 1))
    fits = interleave(
        {"ours": lambda: Gaussian.fit(first), "numpy": lambda: (first.mean(axis=0), np.cov(first, rowvar=False))},
        1 if quick else 3,
        warmup=0,
    )
    rows = [compared(f"mean and covariance of {many} x {DIMENSION} features", fits, "ours", "numpy")]
    rows += _distances(f"{many} samples", first, second, 1 if quick else 3, regular=True)
    # Fewer samples than features: both covariances are singular.
    rows += _distances(f"{few} samples, singular", first[:few], second[:few], 1, regular=False)
    rows.append(_collapsed(first))
    return rows


def made_up_features(count: int, dimension: int, seed: int) -> Features:
    """Returns correlated, non-negative features `(count, dimension)` whose spectrum falls by a power, as Inception's do."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(0).standard_normal((dimension, dimension)) / np.sqrt(dimension)
    latent = rng.standard_normal((count, dimension)) / np.arange(1, dimension + 1) ** 0.5
    return np.maximum(latent @ mixing + 0.1 * (1 + 0.05 * seed), 0)


def exact_distance(first: Features, second: Features) -> float:
    """Returns the distance of the Gaussians fitted to `(N, D)` features by an algorithm that squares nothing.

    With centred features `X = Q R`, `C = R^T R / (N - 1)`, and the trace of `(C_1 C_2)^{1/2}` is the sum of the singular
    values of `R_1 R_2^T`. Those come out with the precision of the features themselves, while eigenvalues of a product of
    covariances lose half of the digits near zero.
    """
    means = [features.mean(axis=0) for features in (first, second)]
    factors = [
        np.linalg.qr(features - mean, mode="r") / np.sqrt(len(features) - 1)
        for features, mean in zip((first, second), means, strict=True)
    ]
    root = np.linalg.svd(factors[0] @ factors[1].T, compute_uv=False).sum()
    shift = means[0] - means[1]
    return float(shift @ shift + sum(np.square(factor).sum() for factor in factors) - 2 * root)


def _distances(what: str, first: Features, second: Features, rounds: int, *, regular: bool) -> list[Row]:
    one, other = Gaussian.fit(first), Gaussian.fit(second)
    values: dict[str, float] = {}

    def keep(name: str, distance: Callable[[], float]) -> Callable[[], None]:
        return lambda: values.__setitem__(name, distance())

    with warnings.catch_warnings():
        # SciPy warns that the product is singular, and of an argument that pytorch-fid still passes.
        warnings.simplefilter("ignore")
        timed: Comparison = interleave(
            {
                "ours": keep("ours", lambda: frechet_distance(one, other)),
                "pytorch-fid": keep(
                    "pytorch-fid",
                    lambda: calculate_frechet_distance(one.mean, one.covariance, other.mean, other.covariance),
                ),
            },
            rounds,
            warmup=0,
        )
    exact = exact_distance(first, second)
    # On singular covariances pytorch-fid is no reference: its own error is larger than what is asked for.
    agreement = AGREEMENT if regular else None
    return [
        compared(f"distance, {what}", timed, "ours", "pytorch-fid", at_least=GOAL if regular else SINGULAR_GOAL),
        measured(f"ours against the exact value, {what}", _relative(values["ours"], exact), "", at_most=AGREEMENT),
        measured(
            f"ours against pytorch-fid, {what}",
            _relative(values["ours"], values["pytorch-fid"]),
            "",
            at_most=agreement,
        ),
        measured(f"pytorch-fid against the exact value, {what}", _relative(values["pytorch-fid"], exact), ""),
    ]


def _collapsed(features: Features) -> Row:
    """A generator that always draws the same image has no covariance: the distance is known in closed form."""
    real = Gaussian.fit(features)
    same = Gaussian.fit(np.tile(features[:1], (10, 1)))
    shift = real.mean - features[0]
    expected = float(shift @ shift + np.trace(real.covariance))
    return measured(
        "ours against the closed form, one image repeated",
        _relative(frechet_distance(real, same), expected),
        "",
        at_most=AGREEMENT,
    )


def _relative(value: float, truth: float) -> float:
    return float(abs(value - truth) / abs(truth)) if np.isfinite(value) else float("inf")
