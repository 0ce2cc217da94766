"""What the study of estimated log-determinants has shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fashion_dgm.findings import criteria
from fashion_dgm.findings.criteria import Agreement, Budget, Side, is_number

__all__ = ["Block", "LogDetFindings", "Roulette", "Test", "TrainedEstimator", "TrainedLayers", "log_det"]


@dataclass(frozen=True)
class Test:
    """A comparison of measured values with theory.

    Arguments:
        covered: fraction of the intervals that hold the true value; None without any.
        largest: the largest deviation in standard errors, and the limit for all of them together.
        beyond: how many deviations exceed it.
        farthest: the block and estimator of the largest.
        biased: of truncated series, how many have a bias that is larger than chance.
    """

    verdict: Agreement
    comparisons: int
    covered: float | None
    largest: float | None
    limit: float | None
    beyond: int
    farthest: str
    biased: int | None


@dataclass(frozen=True)
class Roulette:
    """A randomised estimator on one block, from one probe, in nats.

    Arguments:
        theory: the standard deviation by theory; None if infinite.
        truncation_bias: of as many terms as it computes on average.
        break_even: the budget in vector-Jacobian products from which it has the smaller error, to two digits.
    """

    name: str
    expected_terms: float
    deviation: float
    theory: float | None
    truncation_bias: float | None
    break_even: float | None


@dataclass(frozen=True)
class Block:
    """A residual block whose whole Jacobian is known; in nats.

    Arguments:
        kind: `dense`, `convolutional`, `contracting` or `trained`.
        radius: the largest absolute value of an eigenvalue of the Jacobian.
        noise: standard deviation of an estimate from one Rademacher probe.
        biases: of the truncated series, by number of terms.
        terms_needed: after how many terms the bias stays below `small_bias`; None if it never does in the study.
        terms_by_bound: the same from dimension and Lipschitz constant alone.
        ratio: variance with Rademacher over that with Gaussian probes; None if not measured.
        probes: where that ratio lies, compared with 1.
        roulettes: all, by name.
        best: the roulette with the smallest budget to pay off, where there is one.
    """

    kind: str
    dimension: int
    lipschitz: float
    radius: float
    log_det: float
    noise: float
    biases: Mapping[int, float]
    small_bias: float
    terms_needed: int | None
    terms_by_bound: int | None
    ratio: float | None
    ratio_interval: tuple[float, float] | None
    ratio_theory: float
    diagonal_fraction: float
    probes: Side
    roulettes: Mapping[str, Roulette]
    best: Roulette | None
    budget: Budget

    @property
    def infinite(self) -> int:
        """How many roulettes have an infinite variance."""
        return sum(roulette.theory is None for roulette in self.roulettes.values())


@dataclass(frozen=True)
class TrainedEstimator:
    """An estimator on a trained flow, in bits/dim of its likelihood; a noise of None is infinite."""

    name: str
    expected_terms: float
    bias: float
    bound: float
    noise: float | None


@dataclass(frozen=True)
class TrainedLayers:
    """Estimates on all layers of a trained flow.

    Arguments:
        norm: smallest and largest spectral norm of a layer; `lipschitz` is their bound.
        first: the truncated series of fewest terms.
        last: the first whose bias is small compared with the noise of one image, else that of most terms.
        negligible: whether the bias of `last` is.
    """

    images: int
    layers: int
    dimension: int
    lipschitz: float
    norm: tuple[float, float]
    estimators: tuple[TrainedEstimator, ...]
    first: TrainedEstimator | None
    last: TrainedEstimator | None
    negligible: bool


@dataclass(frozen=True)
class LogDetFindings:
    """The study.

    Arguments:
        blocks: how many were studied, of which tables and figures show `focus`.
        draws, trained_draws: of each estimator, on random and on trained blocks.
        roulette, infinite, truncation: biases of roulettes of finite and of infinite variance, and of truncated series.
        variance: variances of single probes.
    """

    blocks: int
    draws: int
    trained_draws: int | None
    confidence: float
    roulette: Test
    infinite: Test
    truncation: Test
    variance: Test
    focus: tuple[Block, ...]
    trained: TrainedLayers | None

    @property
    def random(self) -> Block | None:
        """The first random block that is shown."""
        return next((block for block in self.focus if block.kind != "trained"), None)


def log_det(metrics: Mapping[str, Any]) -> LogDetFindings:
    """Concludes from what `fashion_dgm.experiments.log_det.summary.summarise` returns, with the numbers of draws."""
    tests, trained = metrics["unbiased"], metrics.get("trained")
    return LogDetFindings(
        blocks=metrics["blocks"],
        draws=metrics["draws"],
        trained_draws=metrics.get("trained_draws"),
        confidence=metrics["confidence"],
        roulette=_test(tests["finite"]),
        infinite=_test(tests["infinite"]),
        truncation=_test(tests["truncation"]),
        variance=_test(metrics["variance"]),
        focus=tuple(map(_block, metrics["focus"])),
        trained=_trained(trained) if trained else None,
    )


def _test(found: Mapping[str, Any]) -> Test:
    comparisons = found["comparisons"]
    return Test(
        verdict=criteria.agreement(comparisons, found["agrees"]),
        comparisons=comparisons,
        covered=found["covered"] / comparisons if comparisons else None,
        largest=found["largest"],
        limit=found["limit"],
        beyond=found["beyond"],
        farthest=found.get("farthest", ""),
        biased=found.get("biased"),
    )


def _block(found: Mapping[str, Any]) -> Block:
    roulettes = tuple(map(_roulette, found["roulettes"]))
    finite = [one for one in roulettes if one.theory is not None]
    # Where truncation at the same cost lacks next to nothing, roulette has nothing to gain.
    worth = [
        one for one in finite if abs(one.truncation_bias or 0) >= found["small_bias"] and is_number(one.break_even)
    ]
    best = min(worth, key=lambda one: one.break_even or 0, default=None)
    bounds = found.get("ratio_interval")
    return Block(
        **{name: found[name] for name in ("kind", "dimension", "lipschitz", "radius", "log_det", "small_bias")},
        noise=found["standard_deviation"],
        biases={one["terms"]: one["bias"] for one in found["truncations"]},
        terms_needed=found.get("terms_needed"),
        terms_by_bound=found.get("terms_by_bound"),
        ratio=found.get("ratio"),
        ratio_interval=tuple(bounds) if bounds else None,
        ratio_theory=found["ratio_theory"],
        diagonal_fraction=found["diagonal_share"],
        probes=criteria.side(found.get("ratio"), bounds, 1.0) if bounds else Side.UNKNOWN,
        roulettes={one.name: one for one in roulettes},
        best=best,
        budget=criteria.budget(len(finite), best.break_even if best else None, best.expected_terms if best else 0.0),
    )


def _roulette(found: Mapping[str, Any]) -> Roulette:
    budget = found["break_even"]
    return Roulette(
        name=found["estimator"],
        expected_terms=found["expected_terms"],
        deviation=found["standard_deviation"],
        theory=found["standard_deviation_theory"],
        truncation_bias=found["truncation_bias"],
        break_even=float(f"{budget:.1e}") if is_number(budget) else None,
    )


def _trained(found: Mapping[str, Any]) -> TrainedLayers:
    names = ("expected_terms", "bias", "bound", "noise")
    estimators = tuple(
        TrainedEstimator(one["estimator"], **{name: one[name] for name in names}) for one in found["estimators"]
    )
    # Only truncated series have a bias, and a bound of it.
    truncated = [one for one in estimators if one.bound]
    small = [one for one in truncated if criteria.negligible(one.bias, one.noise)]
    return TrainedLayers(
        **{name: found[name] for name in ("images", "layers", "dimension", "lipschitz")},
        norm=tuple(found["norm"]),
        estimators=estimators,
        first=truncated[0] if truncated else None,
        last=next(iter(small or truncated[-1:]), None),
        negligible=bool(small),
    )
