"""Which adversarial model trains more stably."""

import math
from dataclasses import dataclass

from fashion_dgm.experiments.stability.measures import COMPARED, PRIMARY, RATIOS
from fashion_dgm.findings.criteria import Less, Stability, is_number
from fashion_dgm.findings.row import Row

__all__ = ["StabilityFindings", "stability"]


@dataclass(frozen=True)
class StabilityFindings:
    """All pairs of models.

    Arguments:
        models: in the order of the study.
        pairs: the names of the `first` and the `second` model, the `verdict` on which is the more stable, those of the
            two that have not reduced their distance by enough, `short`, and the comparisons by the primary measure,
            `degradation`, and by the `distance` under the variations.
        comparisons: by measure, then by pair. Where `ratio`, `difference` and `interval` are the ratio of distances of
            the first model to the second; there is no interval where fewer than two seeds, or seeds that all agree,
            allow for none. `pairs` counts seeds with a value of both models, `left_out` those without.
        runs: how many there are of all models.
        metrics: as the study returns them, with its parameters as `config`.
    """

    models: tuple[str, ...]
    pairs: tuple[Row, ...]
    comparisons: tuple[Row, ...]
    runs: int
    metrics: Row

    def of(self, *verdicts: Stability) -> tuple[Row, ...]:
        """Returns the pairs with one of these verdicts."""
        return tuple(pair for pair in self.pairs if pair["verdict"] in verdicts)


def stability(metrics: Row) -> StabilityFindings:
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
        metrics=metrics,
    )


def _comparison(measure: str, pair: str, found: Row) -> Row:
    first, second = pair.split("-")
    difference, interval, verdict = found["difference"], None, Less.UNKNOWN
    scaled = math.exp if measure in RATIOS else float
    if is_number(difference):
        difference, verdict = scaled(difference), Less[found["outcome"].upper()]
        interval = found["interval"] and tuple(map(scaled, found["interval"]))
    pair_of = {"measure": measure, "first": first, "second": second, "ratio": measure in RATIOS}
    return {**found, **pair_of, "difference": difference, "interval": interval, "verdict": verdict}


def _pair(outcome: str, metrics: Row, degradation: Row, distance: Row) -> Row:
    first, second = degradation["first"], degradation["second"]
    least, progress = metrics["config"]["least_progress"], metrics["progress"]
    short = tuple(model for model in (first, second) if not (is_number(progress[model]) and progress[model] >= least))
    verdict = Stability.TOO_SHORT if short else Stability[outcome.upper()]
    models = {"first": first, "second": second, "verdict": verdict, "short": short}
    return {**models, "degradation": degradation, "distance": distance}
