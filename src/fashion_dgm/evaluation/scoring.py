"""Distances of many sets of samples to the same real images, at one N."""

# Explained in docs/reading-the-numbers.md.

import itertools
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from fashion_dgm.config import FIDConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.evaluation.features import FeatureSpace
from fashion_dgm.evaluation.quality import quality
from fashion_dgm.evaluation.real_images import RealImages
from fashion_dgm.evaluation.samples import SampleSource, check_images
from fashion_dgm.metrics.frechet import Gaussian, frechet_distance

__all__ = ["REPORT", "SELECT", "TRAIN", "Scores", "best_and_last", "records", "sample_size_warnings", "score_samples"]

logger = logging.getLogger(__name__)

# The best epoch is chosen on one split and read off another, so that the choice does not flatter it.
SELECT, REPORT, TRAIN = "test", "benchmark", "train"
_REAL_ROWS = ((SELECT, "floor"), (TRAIN, "training"))
_BY_EPOCH = ("model", "epoch", "feature_space", "split", "samples", "distance")
_IDENTITY = ("model", "state", "epoch", "temperature", "feature_space", "samples")


@dataclass
class Scores:
    """Results of scoring.

    Arguments:
        by_epoch: a row for each model, epoch, feature space and split: columns model, epoch, feature_space, split, samples,
            distance.
        quality: a row for each space and each of: a model's best and last epoch, a flow at each temperature (state "flow"),
            external samples, and real images taken as samples, held-out ones (state "floor") and training images (state
            "training"). Kernel distance and neighbours are against `REPORT`, `copying_probability` against `TRAIN`.
        failures: `model`, `epoch` and `reason` of what could not be scored.
        warnings: sentences.
        conversions: what was done to external samples.
        seconds: by model (and temperature), how long drawing its images took.
    """

    by_epoch: pd.DataFrame = field(default_factory=pd.DataFrame)
    quality: pd.DataFrame = field(default_factory=pd.DataFrame)
    failures: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    conversions: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def floors(self) -> dict[str, float]:
        """Returns by space the distance between `SELECT` and `REPORT`: what a perfect generator reaches against either.

        No network has learnt from either. Training images are no such reference: a network fitted to them gives them other
        features than images it has not seen.
        """
        rows = self.quality[self.quality["state"] == "floor"].itertuples()
        return {row.feature_space: getattr(row, f"distance_{REPORT}") for row in rows}


@dataclass(frozen=True)
class _Scored:
    """One set of samples in one space, with some of the images, which real ones need not have."""

    source: SampleSource
    space: FeatureSpace
    features: NDArray[np.float32]
    distances: Mapping[str, float]
    images: Tensor | None


def score_samples(
    sources: Sequence[SampleSource],
    real: RealImages,
    spaces: Sequence[FeatureSpace],
    config: FIDConfig,
    device: torch.device,
) -> Scores:
    """Scores every source in every space, and real images; a source that cannot be scored is noted, and the others go on.

    Of each model the features of the best and the last epoch are held, and those of one more.

    Raises:
        FashionDGMError: if there are sources, and not one could be scored.
    """
    scores = Scores(warnings=sample_size_warnings(spaces, real.n))
    by_epoch: list[tuple[Any, ...]] = []
    rows: list[dict[str, Any]] = []
    for (model, _), group in itertools.groupby(sources, key=lambda source: (source.model, source.temperature)):
        best: dict[str, _Scored] = {}
        last: dict[str, _Scored] = {}
        for source in group:
            for scored in _score(source, real, spaces, config, device, scores):
                name = scored.space.name
                last[name] = scored
                if name not in best or scored.distances[SELECT] < best[name].distances[SELECT]:
                    best[name] = scored
                if source.epoch is not None:
                    n = len(scored.features)
                    by_epoch += [(model, source.epoch, name, split, n, d) for split, d in scored.distances.items()]
        for name, scored in best.items():
            if scored.source.epoch is None:
                rows.append(_row(scored, "external" if scored.source.external else "flow", real, config, scores))
                continue
            rows.append(_row(scored, "best", real, config, scores))
            if scored is last[name]:
                rows.append({**rows[-1], "state": "last"})
            else:
                rows.append(_row(last[name], "last", real, config, scores))
    if scores.failures and not rows:
        reasons = "; ".join(f"{failure['model']}: {failure['reason']}" for failure in scores.failures[:3])
        raise FashionDGMError(f"there are no samples that could be scored. {reasons}")
    if not rows:
        scores.warnings.append(
            "No model has been trained, and there are no external samples: only real images are compared."
        )
        logger.warning(scores.warnings[-1])
    rows += [_real_row(split, state, real, space, config, scores) for space in spaces for split, state in _REAL_ROWS]
    scores.by_epoch = pd.DataFrame(by_epoch, columns=list(_BY_EPOCH))
    scores.quality = pd.DataFrame(rows).astype({"epoch": "Int64", "kid_subset": "Int64"})
    return scores


def best_and_last(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Returns for each model and space the epoch that is best on `SELECT`, and the last, with both splits' distances."""
    rows: list[dict[str, Any]] = []
    for (model, space), group in table.groupby(["model", "feature_space"], sort=True):
        wide = group.pivot_table(index="epoch", columns="split", values="distance").sort_index()
        best, last = int(wide[SELECT].idxmin()), int(wide.index[-1])
        row: dict[str, Any] = {"model": model, "feature_space": space}
        for name, epoch in (("best", best), ("last", last)):
            row[f"{name}_epoch"] = epoch
            row |= {f"{name}_on_{split}": float(wide.loc[epoch, split]) for split in (SELECT, REPORT)}
        rows.append(row)
    return rows


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Returns the rows of a table as JSON can hold them: what is missing is None."""
    return [
        {name: None if pd.isna(value) else getattr(value, "item", lambda v=value: v)() for name, value in row.items()}
        for row in table.to_dict(orient="records")
    ]


def sample_size_warnings(spaces: Iterable[FeatureSpace], n: int, of: str = "") -> list[str]:
    """Returns a sentence for each space whose covariance `n` images cannot fill."""
    return [
        f"{of}N = {n} is not above the {space.dimension} {space.name} features: the covariances are singular, and the "
        f"{space.label} is finite but biased upwards more than usual."
        for space in spaces
        if n <= space.dimension
    ]


def _score(
    source: SampleSource,
    real: RealImages,
    spaces: Sequence[FeatureSpace],
    config: FIDConfig,
    device: torch.device,
    scores: Scores,
) -> list[_Scored]:
    try:
        started = time.perf_counter()
        images, conversion = source.draw(real.n)
        seconds = time.perf_counter() - started
        oddities = check_images(images)
        some = images[: config.copying_images].clone()
        found = [_compare(source, space(images, device, config.batch_size), real, space, some) for space in spaces]
    except FashionDGMError as error:
        at = "" if source.epoch is None else f", epoch {source.epoch}"
        logger.warning("%s%s could not be scored: %s", source.model, at, error)
        scores.failures.append({"model": source.model, "epoch": source.epoch, "reason": str(error)})
        return []
    at = "" if source.epoch is None else f" at epoch {source.epoch}"
    scores.warnings += [f"{source.model}{at}: {oddity}." for oddity in oddities]
    if source.external:
        scores.conversions[source.model] = conversion
    else:
        heat = "" if source.temperature is None else f"/temperature {source.temperature:g}"
        scores.seconds[f"{source.model}{heat}"] = seconds
    if len(images) < real.n:
        scores.warnings.append(
            f"{source.model} brings {len(images)} samples where the others have {real.n}: its distances are biased upwards "
            "more than theirs, and its recall and coverage don't compare. Bring as many, or go by distances at infinite N."
        )
        scores.warnings += sample_size_warnings(spaces, len(images), f"{source.model}: ")
    return found


def _compare(
    source: SampleSource, features: NDArray[np.float32], real: RealImages, space: FeatureSpace, images: Tensor | None
) -> _Scored:
    fitted = Gaussian.fit(features)
    distances = {split: frechet_distance(real.gaussian(space, split), fitted) for split in (SELECT, REPORT)}
    return _Scored(source, space, features, distances, images)


def _row(scored: _Scored, state: str, real: RealImages, config: FIDConfig, scores: Scores) -> dict[str, Any]:
    space, source = scored.space, scored.source
    labels = real.labels(REPORT), real.labels(source.model) if state in dict(_REAL_ROWS).values() else None
    radii = real.radii(space, REPORT, config.neighbours, config.memory_megabytes)
    values, reasons = quality(real.features(space, REPORT), scored.features, config, *labels, radii)
    scores.warnings += [f"{source.model}: {reason}." for reason in reasons]
    identity = (source.model, state, source.epoch, source.temperature, space.name, len(scored.features))
    copying = None if scored.images is None else real.copying_probability(scored.images, TRAIN, SELECT)
    distances = {f"distance_{split}": distance for split, distance in scored.distances.items()}
    return {**dict(zip(_IDENTITY, identity, strict=True)), **distances, **values, "copying_probability": copying}


def _real_row(
    split: str, state: str, real: RealImages, space: FeatureSpace, config: FIDConfig, scores: Scores
) -> dict[str, Any]:
    source = SampleSource(split, None, lambda n: (torch.empty(0), ""))
    scored = _compare(source, real.features(space, split), real, space, None)
    row = _row(scored, state, real, config, scores)
    # The distance is symmetric, so that of official to held-out images is this one; to itself a set has none.
    return {**row, f"distance_{SELECT}": scored.distances[REPORT]} if split == SELECT else row
