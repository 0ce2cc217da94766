"""Which adversarial model trains more stably."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fashion_dgm.experiments.stability.measures import COMPARED, PRIMARY, RATIOS
from fashion_dgm.findings.criteria import Less, Stability, is_number

__all__ = ["Comparison", "Pair", "StabilityFindings", "stability"]


@dataclass(frozen=True)
class Comparison:
    """Two models on one measure.

    Arguments:
        ratio: whether `difference` and `interval` are the ratio of distances of the first model to the second, rather
            than a difference.
        interval: None where fewer than two seeds, or seeds that all agree, allow for none.
        pairs: seeds with a value of both models.
        left_out: seeds without.
    """

    measure: str
    first: str
    second: str
    ratio: bool
    difference: float | None
    interval: tuple[float, float] | None
    pairs: int
    left_out: int
    verdict: Less


@dataclass(frozen=True)
class Pair:
    """Two models, and which is the more stable.

    Arguments:
        short: those of the two that have not reduced their distance by enough.
        degradation, distance: by the primary measure, and by the distance under the variations.
    """

    first: str
    second: str
    verdict: Stability
    short: tuple[str, ...]
    degradation: Comparison
    distance: Comparison


@dataclass(frozen=True)
class StabilityFindings:
    """All pairs of models.

    Arguments:
        models: in the order of the study.
        comparisons: by measure, then by pair.
        runs: how many there are of all models.
        study: its parameters.
        metrics: as the study returns them.
    """

    models: tuple[str, ...]
    pairs: tuple[Pair, ...]
    comparisons: tuple[Comparison, ...]
    runs: int
    study: Mapping[str, Any]
    metrics: Mapping[str, Any]

    def of(self, *verdicts: Stability) -> tuple[Pair, ...]:
        """Returns the pairs with one of these verdicts."""
        return tuple(pair for pair in self.pairs if pair.verdict in verdicts)


def stability(metrics: Mapping[str, Any]) -> StabilityFindings:
    """Concludes from what `experiments.stability.summary.summarise` returns, with the study's parameters as `config`."""
    study, models = metrics["config"], tuple(metrics["cells"])
    compared = {
        (measure, pair): _comparison(measure, pair, found)
        for measure in COMPARED
        for pair, found in metrics["verdicts"][measure].items()
    }
    return StabilityFindings(
        models=models,
        pairs=tuple(
            _pair(outcome, metrics, compared[PRIMARY, pair], compared["log_distance", pair])
            for pair, outcome in metrics["stability"].items()
        ),
        comparisons=tuple(compared.values()),
        runs=len(models) * study["seeds"] * (1 + study["variations"]),
        study=study,
        metrics=metrics,
    )


def _comparison(measure: str, pair: str, found: Mapping[str, Any]) -> Comparison:
    first, second = pair.split("-")
    ratio = measure in RATIOS
    difference, interval = found["difference"], None
    if is_number(difference) and found["interval"] is not None:
        low, high = found["interval"]
        interval = (math.exp(low), math.exp(high)) if ratio else (low, high)
    verdict = Less(found["outcome"]) if is_number(difference) else Less.UNKNOWN
    if is_number(difference) and ratio:
        difference = math.exp(difference)
    return Comparison(measure, first, second, ratio, difference, interval, found["pairs"], found["left_out"], verdict)


def _pair(outcome: str, metrics: Mapping[str, Any], degradation: Comparison, distance: Comparison) -> Pair:
    first, second = degradation.first, degradation.second
    least, progress = metrics["config"]["least_progress"], metrics["progress"]
    short = tuple(model for model in (first, second) if not (is_number(progress[model]) and progress[model] >= least))
    verdict = Stability.TOO_SHORT if short else Stability(outcome)
    return Pair(first, second, verdict, short, degradation, distance)
