"""Distances of many sets of samples to the same real images, at one N."""

# Explained in docs/reading-the-numbers.md.

import itertools
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
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
from fashion_dgm.training.store import Progress

__all__ = ["REPORT", "SELECT", "TRAIN", "Scores", "best_and_last", "records", "sample_size_warnings", "score_samples"]

logger = logging.getLogger(__name__)

# The best epoch is chosen on one split and read off another, so that the choice does not flatter it.
SELECT, REPORT, TRAIN = "test", "benchmark", "train"
_REAL_ROWS = {"floor": SELECT, "training": TRAIN}
_BY_EPOCH = ("model", "epoch", "feature_space", "split", "samples", "distance")


@dataclass(frozen=True)
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

    by_epoch: pd.DataFrame
    quality: pd.DataFrame
    failures: list[dict[str, Any]]
    warnings: list[str]
    conversions: dict[str, str]
    seconds: dict[str, float]

    def floors(self) -> dict[str, float]:
        """Returns by space the distance between `SELECT` and `REPORT`: what a perfect generator reaches against either.

        No network has learnt from either. Training images are no such reference: a network fitted to them gives them other
        features than images it has not seen.
        """
        rows = self.quality[self.quality["state"] == "floor"].itertuples()
        return {row.feature_space: getattr(row, f"distance_{REPORT}") for row in rows}

    def to_metrics(self, config: FIDConfig, real: RealImages, spaces: Iterable[FeatureSpace]) -> dict[str, Any]:
        """Returns what a report needs as plain types, with the settings that the scores depend on."""
        return {
            "rows": best_and_last(self.by_epoch),
            "quality": records(self.quality),
            "floor": self.floors(),
            "models": config.models,
            "samples": real.n,
            "copying_images": min(config.copying_images, real.n),
            "seed": config.seed,
            "neighbours": config.neighbours,
            "kid": config.kid.model_dump(),
            "extrapolation_groups": config.extrapolation_groups,
            "feature_spaces": {space.name: space.describe() for space in spaces},
            "failures": self.failures,
            "conversions": self.conversions,
            "warnings": self.warnings,
        }


@dataclass
class _Results:
    """What becomes `Scores`, in plain types, of one model or of several."""

    by_epoch: list[tuple[Any, ...]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    conversions: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, others: Mapping[str, Any]) -> None:
        for name, value in others.items():
            mine = getattr(self, name)
            mine.update(value) if isinstance(mine, dict) else mine.extend(value)


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
    progress: Progress | None = None,
) -> Scores:
    """Scores every source in every space, and real images; a source that cannot be scored is noted, and the others go on.

    The results of a model of this project are kept in `progress` once all of its sources are scored.

    Of each model the features of the best and the last epoch are held, and those of one more.

    Raises:
        FashionDGMError: if there are sources, and not one could be scored.
    """
    progress = progress or Progress()
    results = _Results(warnings=sample_size_warnings(spaces, real.n))
    for (model, temperature), group in itertools.groupby(
        sources, key=lambda source: (source.model, source.temperature)
    ):
        of_model = list(group)
        compute = partial(_score_model, of_model, real, spaces, config, device)
        # External files may have changed since.
        kept = not any(source.external for source in of_model)
        part = f"{model}, {temperature}"
        results.add(progress(part, compute, lambda found: not found["failures"]) if kept else compute())
    if results.failures and not results.rows:
        reasons = "; ".join(f"{failure['model']}: {failure['reason']}" for failure in results.failures[:3])
        raise FashionDGMError(f"there are no samples that could be scored. {reasons}")
    if not results.rows:
        results.warnings.append(
            "No model has been trained, and there are no external samples: only real images are compared."
        )
        logger.warning(results.warnings[-1])
    for space, state in itertools.product(spaces, _REAL_ROWS):
        results.rows.append(_real_row(state, real, space, config, results))
    return Scores(
        pd.DataFrame(results.by_epoch, columns=list(_BY_EPOCH)),
        pd.DataFrame(results.rows).astype({"epoch": "Int64", "kid_subset": "Int64"}),
        results.failures,
        results.warnings,
        results.conversions,
        results.seconds,
    )


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


def _score_model(
    sources: Sequence[SampleSource],
    real: RealImages,
    spaces: Sequence[FeatureSpace],
    config: FIDConfig,
    device: torch.device,
) -> dict[str, Any]:
    """Scores all sources of one model; returns what `_Results` holds, by name."""
    results = _Results()
    best: dict[str, _Scored] = {}
    last: dict[str, _Scored] = {}
    for source in sources:
        for scored in _score(source, real, spaces, config, device, results):
            name = scored.space.name
            last[name] = scored
            if name not in best or scored.distances[SELECT] < best[name].distances[SELECT]:
                best[name] = scored
            if source.epoch is not None:
                n = len(scored.features)
                identity = source.model, source.epoch, name
                results.by_epoch += [(*identity, split, n, float(d)) for split, d in scored.distances.items()]
    for name, scored in best.items():
        if scored.source.epoch is None:
            results.rows.append(_row(scored, "external" if scored.source.external else "flow", real, config, results))
            continue
        results.rows.append(_row(scored, "best", real, config, results))
        if scored is last[name]:
            results.rows.append({**results.rows[-1], "state": "last"})
        else:
            results.rows.append(_row(last[name], "last", real, config, results))
    return asdict(results)


def _score(
    source: SampleSource,
    real: RealImages,
    spaces: Sequence[FeatureSpace],
    config: FIDConfig,
    device: torch.device,
    results: _Results,
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
        results.failures.append({"model": source.model, "epoch": source.epoch, "reason": str(error)})
        return []
    at = "" if source.epoch is None else f" at epoch {source.epoch}"
    results.warnings += [f"{source.model}{at}: {oddity}." for oddity in oddities]
    if source.external:
        results.conversions[source.model] = conversion
    else:
        heat = "" if source.temperature is None else f"/temperature {source.temperature:g}"
        results.seconds[f"{source.model}{heat}"] = seconds
    if len(images) < real.n:
        results.warnings.append(
            f"{source.model} brings {len(images)} samples where the others have {real.n}: its distances are biased upwards "
            "more than theirs, and its recall and coverage don't compare. Bring as many, or go by distances at infinite N."
        )
        results.warnings += sample_size_warnings(spaces, len(images), f"{source.model}: ")
    return found


def _compare(
    source: SampleSource, features: NDArray[np.float32], real: RealImages, space: FeatureSpace, images: Tensor | None
) -> _Scored:
    fitted = Gaussian.fit(features)
    distances = {split: frechet_distance(real.gaussian(space, split), fitted) for split in (SELECT, REPORT)}
    return _Scored(source, space, features, distances, images)


def _row(scored: _Scored, state: str, real: RealImages, config: FIDConfig, results: _Results) -> dict[str, Any]:
    space, source = scored.space, scored.source
    labels = real.labels(REPORT), real.labels(source.model) if state in _REAL_ROWS else None
    radii = real.radii(space, REPORT, config.neighbours, config.memory_megabytes)
    values, reasons = quality(real.features(space, REPORT), scored.features, config, *labels, radii)
    results.warnings += [f"{source.model}: {reason}." for reason in reasons]
    row = {"model": source.model, "state": state, "epoch": source.epoch, "temperature": source.temperature}
    row |= {"feature_space": space.name, "samples": len(scored.features)}
    row |= {f"distance_{split}": distance for split, distance in scored.distances.items()}
    copying = None if scored.images is None else real.copying_probability(scored.images, TRAIN, SELECT)
    row |= {**values, "copying_probability": copying}
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in row.items()}


def _real_row(
    state: str, real: RealImages, space: FeatureSpace, config: FIDConfig, results: _Results
) -> dict[str, Any]:
    split = _REAL_ROWS[state]
    source = SampleSource(split, None, lambda n: (torch.empty(0), ""))
    scored = _compare(source, real.features(space, split), real, space, None)
    row = _row(scored, state, real, config, results)
    # The distance is symmetric, so that of official to held-out images is this one; to itself a set has none.
    return {**row, f"distance_{SELECT}": scored.distances[REPORT]} if split == SELECT else row
