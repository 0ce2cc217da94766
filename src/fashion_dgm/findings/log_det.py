"""What the study of estimated log-determinants has shown."""

from dataclasses import dataclass

from fashion_dgm.findings import criteria
from fashion_dgm.findings.criteria import Side, is_number
from fashion_dgm.findings.row import Row

__all__ = ["LogDetFindings", "log_det"]


@dataclass(frozen=True)
class LogDetFindings:
    """The study.

    Arguments:
        metrics: of the whole study.
        finite, infinite: tests of the bias of roulettes by their variance; None without any.
        blocks: those that tables and figures show, with `probes`, where the variance with Rademacher probes lies,
            compared with that with Gaussian ones; `roulettes` by name, and how many have an `infinite` variance;
            `best`, the one that pays off at the smallest budget, where there is one; `break_even`, that budget in
            vector-Jacobian products, to two digits; and the verdict on the `budget`.
        random: the first of the blocks that is not of a trained flow.
        first, last: of the truncated series on the trained flow, that of fewest terms, and the first whose bias is
            small compared with the noise of one image, or else that of most terms; `negligible` if it is.
    """

    metrics: Row
    finite: Row | None
    infinite: Row | None
    blocks: tuple[Row, ...]
    random: Row | None
    first: Row | None
    last: Row | None
    negligible: bool


def log_det(metrics: Row) -> LogDetFindings:
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
        random=next((block for block in blocks if block["kind"] != "trained"), None),
        first=next(iter(truncated), None),
        last=next(iter(small or truncated[-1:]), None),
        negligible=bool(small),
    )


def _block(metrics: Row) -> Row:
    roulettes, bounds = metrics["roulettes"], metrics["ratio_interval"]
    finite = [one for one in roulettes if one["standard_deviation_theory"] is not None]
    # Where truncation at the same cost lacks next to nothing, roulette has nothing to gain.
    worth = [
        one
        for one in finite
        if is_number(one["break_even"]) and abs(one["truncation_bias"] or 0) >= metrics["small_bias"]
    ]
    best = min(worth, key=lambda one: one["break_even"], default=None)
    return {
        **metrics,
        "probes": criteria.side(metrics["ratio"], bounds, 1.0) if bounds else Side.UNKNOWN,
        "roulettes": {one["estimator"]: one for one in roulettes},
        "infinite": len(roulettes) - len(finite),
        "best": best,
        "break_even": float(f"{best['break_even']:.1e}") if best else None,
        "budget": criteria.budget(len(finite), best),
    }
