"""What the study of estimated log-determinants has shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fashion_dgm.findings import criteria
from fashion_dgm.findings.criteria import Budget, Side, is_number

__all__ = ["Block", "LogDetFindings", "log_det"]

Metrics = Mapping[str, Any]


@dataclass(frozen=True)
class Block:
    """A residual block whose whole Jacobian is known.

    Arguments:
        metrics: as the study's `focus` has them, in nats.
        probes: where the variance with Rademacher probes lies, compared with that with Gaussian ones.
        roulettes: the metrics of each, by name.
        best: the roulette that pays off at the smallest budget, where there is one.
        break_even: that budget in vector-Jacobian products, to two digits.
    """

    metrics: Metrics
    probes: Side
    roulettes: Mapping[str, Metrics]
    best: Metrics | None
    break_even: float | None
    budget: Budget

    @property
    def infinite(self) -> int:
        """How many roulettes have an infinite variance."""
        return sum(one["standard_deviation_theory"] is None for one in self.roulettes.values())


@dataclass(frozen=True)
class LogDetFindings:
    """The study.

    Arguments:
        metrics: of the whole study.
        finite, infinite: tests of the bias of roulettes by their variance; None without any.
        blocks: those that tables and figures show; `random`, the first of them that is not of a trained flow.
        first, last: of the truncated series on the trained flow, that of fewest terms, and the first whose bias is small
            compared with the noise of one image, or else that of most terms; `negligible` if it is.
    """

    metrics: Metrics
    finite: Metrics | None
    infinite: Metrics | None
    blocks: tuple[Block, ...]
    random: Block | None
    first: Metrics | None
    last: Metrics | None
    negligible: bool


def log_det(metrics: Metrics) -> LogDetFindings:
    """Concludes from what `fashion_dgm.experiments.log_det.summary.summarise` returns, with the numbers of draws."""
    finite, infinite = (
        test if test["comparisons"] else None for test in map(metrics["unbiased"].get, ("finite", "infinite"))
    )
    blocks = tuple(map(_block, metrics["focus"]))
    # Only truncated series have a bias, and a bound of it.
    truncated = [one for one in (metrics["trained"] or {}).get("estimators", ()) if one["bound"]]
    small = [one for one in truncated if criteria.negligible(one["bias"], one["noise"])]
    return LogDetFindings(
        metrics=metrics,
        finite=finite,
        infinite=infinite,
        blocks=blocks,
        random=next((block for block in blocks if block.metrics["kind"] != "trained"), None),
        first=next(iter(truncated), None),
        last=next(iter(small or truncated[-1:]), None),
        negligible=bool(small),
    )


def _block(metrics: Metrics) -> Block:
    finite = [one for one in metrics["roulettes"] if one["standard_deviation_theory"] is not None]
    # Where truncation at the same cost lacks next to nothing, roulette has nothing to gain.
    worth = [
        one
        for one in finite
        if is_number(one["break_even"]) and abs(one["truncation_bias"] or 0) >= metrics["small_bias"]
    ]
    best = min(worth, key=lambda one: one["break_even"], default=None)
    bounds = metrics["ratio_interval"]
    return Block(
        metrics=metrics,
        probes=criteria.side(metrics["ratio"], bounds, 1.0) if bounds else Side.UNKNOWN,
        roulettes={one["estimator"]: one for one in metrics["roulettes"]},
        best=best,
        break_even=float(f"{best['break_even']:.1e}") if best else None,
        budget=criteria.budget(len(finite), best),
    )
