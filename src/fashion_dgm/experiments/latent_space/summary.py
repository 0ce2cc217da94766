"""Tables of decoded samples, and their summaries."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame

from fashion_dgm.config import LatentSpaceConfig
from fashion_dgm.experiments.latent_space.experiments import DecodedSamples
from fashion_dgm.metrics.resampling import mean_estimate

__all__ = ["PATHS", "compare_paths", "summarise_decoded", "table_of"]

PATHS = ("path_pixels", "path_linear", "path_spherical")

Array = NDArray[np.float64]


def table_of(samples: Sequence[DecodedSamples]) -> DataFrame:
    """Returns a row an image: names, `level`, `index`, `bits_per_dim`, `norm`, `norm_again`, and likenesses.

    `like_host` and `like_donor` are correlations of the pixels with those of the image whose latents were changed, and
    of the one whose latents were put in; `changed` is the fraction of pixels whose grey level differs from the host's.
    """
    tables = [
        pd.DataFrame(
            {
                "experiment": sample.experiment,
                "variant": sample.variant,
                "level": np.nan if sample.level is None else float(sample.level),
                "index": range(len(sample.images)),
                "bits_per_dim": sample.bits_per_dim,
                "norm": sample.norm,
                "norm_again": sample.norm_again,
                "like_host": _likeness(sample.images, sample.host),
                "like_donor": _likeness(sample.images, sample.donor),
                "changed": np.nan if sample.host is None else (sample.images != sample.host).mean((1, 2, 3)),
            }
        )
        for sample in samples
    ]
    return pd.concat(tables, ignore_index=True)


def summarise_decoded(scores: DataFrame, reference: Array, config: LatentSpaceConfig) -> list[dict[str, Any]]:
    """Returns a row a variant: its mean bits/dim with an interval over images, its norms, and its rank among real images.

    Arguments:
        scores: what `table_of` returns.
        reference: bits/dim of real images, `(N,)`.

    Returns:
        `{"experiment", "variant", "level", "images", "bits_per_dim", "bits_per_dim_interval", "norm", "norm_again",
        "likelier_than", "like_host", "like_donor", "changed"}`; `likelier_than` is the fraction of pairs in which the
        real image needs more bits; the last three are means, None where there is no host or donor.
    """
    rng = np.random.default_rng(config.seed)
    ordered = np.sort(reference)
    rows = []
    for (experiment, variant), group in scores.groupby(["experiment", "variant"], sort=False):
        bits = group["bits_per_dim"].to_numpy()
        above = 1 - np.searchsorted(ordered, bits, side="right") / len(ordered)
        level = float(group["level"].iloc[0])
        rows.append(
            {
                "experiment": str(experiment),
                "variant": str(variant),
                "level": level if np.isfinite(level) else None,
                "images": len(bits),
                **mean_estimate(bits, config.bootstrap, config.confidence, rng).as_dict("bits_per_dim"),
                "norm": float(group["norm"].mean()),
                "norm_again": float(group["norm_again"].mean()),
                "likelier_than": float(above.mean()),
                **{name: _mean(group[name].to_numpy()) for name in ("like_host", "like_donor", "changed")},
            }
        )
    return rows


def compare_paths(scores: DataFrame, config: LatentSpaceConfig) -> dict[str, Any]:
    """Compares the middle of each way between two images with its ends, pair by pair.

    Returns:
        Path to `{"middle", "norm", "difference", "difference_interval"}`: bits/dim and norm halfway, and bits/dim
        there minus the mean of both ends; and under `linear_minus_spherical` the paired difference of the two ways halfway.
    """
    rng = np.random.default_rng(config.seed)
    found: dict[str, Any] = {}
    middles = {}
    for path in PATHS:
        rows = scores[scores["experiment"] == path]
        bits = rows.pivot_table(index="index", columns="level", values="bits_per_dim")
        halfway = bits.columns[np.abs(bits.columns.to_numpy() - 0.5).argmin()]
        middles[path] = bits[halfway].to_numpy()
        ends = 0.5 * (bits.iloc[:, 0] + bits.iloc[:, -1]).to_numpy()
        found[path] = {
            "middle": float(middles[path].mean()),
            "norm": float(rows.loc[rows["level"] == halfway, "norm"].mean()),
            **mean_estimate(middles[path] - ends, config.bootstrap, config.confidence, rng).as_dict("difference"),
        }
    gap = middles["path_linear"] - middles["path_spherical"]
    found["linear_minus_spherical"] = mean_estimate(gap, config.bootstrap, config.confidence, rng).as_dict("difference")
    return found


def _likeness(images: NDArray[np.uint8], others: NDArray[np.uint8] | None) -> Array | float:
    """Correlates the pixels of each image with those of its counterpart, `(N,)`; 0 where one is constant."""
    if others is None:
        return np.nan
    a, b = (values.reshape(len(values), -1).astype(np.float64) for values in (images, others))
    a, b = a - a.mean(1, keepdims=True), b - b.mean(1, keepdims=True)
    scale = np.sqrt((a * a).sum(1) * (b * b).sum(1))
    return (a * b).sum(1) / np.where(scale > 0, scale, 1)


def _mean(values: Array) -> float | None:
    return float(np.mean(values)) if np.isfinite(values).all() else None
