"""Fréchet distances of many generators to the same real images, at one N."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch

from fashion_dgm.data.images import ImageSet
from fashion_dgm.gans.networks import Generator
from fashion_dgm.metrics.features import FeatureSpace
from fashion_dgm.metrics.frechet import Gaussian, frechet_distance
from fashion_dgm.training.seeds import derive_seed, generator

__all__ = ["best_and_last", "sample_size_warnings", "score_generators"]


def score_generators(
    models: Mapping[str, Mapping[int, Callable[[], Generator]]],
    references: Mapping[str, ImageSet],
    floor: ImageSet,
    spaces: list[FeatureSpace],
    samples: int,
    seed: int,
    device: torch.device,
    batch_size: int,
) -> tuple[pd.DataFrame, dict[str, dict[str, float]]]:
    """Scores every model at every epoch against every reference in every space.

    All draw from the same latents, so that differences between epochs are the generators' and not the draw's.

    Arguments:
        models: for each model and epoch, a function that makes its generator; one is held at a time.
        references: real images by split; `samples` of each are drawn with `seed`.
        floor: real images, disjoint from the references; their distance is what a perfect generator would reach.
        samples: N, the same on both sides, or the size of the smallest real set if that is less.

    Returns:
        A table with columns model, epoch, feature_space, split, samples, distance; and the floor by space and split.
    """
    n = min(samples, len(floor), *(len(images) for images in references.values()))
    real = {
        (space.name, split): Gaussian.fit(space(_draw(images, n, seed, split), device, batch_size))
        for space in spaces
        for split, images in references.items()
    }
    rows: list[dict[str, Any]] = []
    for model, epochs in models.items():
        for epoch, make in sorted(epochs.items()):
            network = make().to(device)
            fake = network.sample(n, generator(seed, "latents"), batch_size).cpu()
            for space in spaces:
                fitted = Gaussian.fit(space(fake, device, batch_size))
                for split in references:
                    distance = frechet_distance(real[space.name, split], fitted)
                    row = {"model": model, "epoch": epoch, "feature_space": space.name, "split": split}
                    rows.append({**row, "samples": n, "distance": distance})
    floors = {}
    for space in spaces:
        fitted = Gaussian.fit(space(_draw(floor, n, seed, "floor"), device, batch_size))
        floors[space.name] = {split: frechet_distance(real[space.name, split], fitted) for split in references}
    return pd.DataFrame(rows), floors


def best_and_last(table: pd.DataFrame, select: str, report: str) -> list[dict[str, Any]]:
    """Returns for each model and space the epoch that is best on split `select`, and the last, with both splits' values.

    The best epoch is chosen on one split and its distance read off another, so that the choice does not flatter it.
    """
    rows = []
    for (model, space), group in table.groupby(["model", "feature_space"], sort=True):
        wide = group.pivot_table(index="epoch", columns="split", values="distance").sort_index()
        best, last = int(wide[select].idxmin()), int(wide.index[-1])
        row: dict[str, Any] = {"model": model, "feature_space": space}
        for name, epoch in (("best", best), ("last", last)):
            row[f"{name}_epoch"] = epoch
            row |= {f"{name}_on_{split}": float(wide.loc[epoch, split]) for split in (select, report)}
        rows.append(row)
    return rows


def sample_size_warnings(spaces: list[FeatureSpace], n: int) -> list[str]:
    """Returns a sentence for each space whose covariance `n` images cannot fill."""
    return [
        f"N = {n} is not above the {space.dimension} {space.name} features: the covariances are singular, and the "
        f"{space.label} is finite but biased upwards more than usual."
        for space in spaces
        if n <= space.dimension
    ]


def _draw(images: ImageSet, n: int, seed: int, purpose: str) -> torch.Tensor:
    rng = np.random.default_rng(derive_seed(seed, "draw", purpose))
    return torch.from_numpy(images.images[np.sort(rng.choice(len(images), size=n, replace=False))])
