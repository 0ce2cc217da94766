from __future__ import annotations

import math
from typing import Any

import pytest

from fashion_dgm.findings.criteria import Budget, Side
from fashion_dgm.findings.log_det import log_det

Metrics = dict[str, Any]


def roulette(name: str, **changes: Any) -> Metrics:
    found = {"estimator": name, "expected_terms": 4.0, "standard_deviation": 1.5, "standard_deviation_theory": 1.49}
    return found | {"truncation_bias": 0.5, "break_even": 256.3} | changes


def block(kind: str, *roulettes: Metrics, **changes: Any) -> Metrics:
    infinite = roulette("2 + Poisson, mean 2", standard_deviation_theory=None, break_even=None)
    return {
        "kind": kind,
        "dimension": 64,
        "lipschitz": 0.9,
        "radius": 0.3,
        "log_det": -4.2,
        "diagonal_fraction": 0.25,
        "ratio": 0.76,
        "ratio_interval": [0.7, 0.82],
        "ratio_theory": 0.75,
        "standard_deviation": 1.4,
        "terms_needed": 3,
        "terms_by_bound": 64,
        "small_bias": 0.01,
        "truncations": [{"terms": 1, "bias": 0.3}, {"terms": 5, "bias": -2e-5}],
        "roulettes": [*(roulettes or [roulette("2 + geometric, stop 0.5")]), infinite],
        **changes,
    }


def outcome(**changes: Any) -> Metrics:
    found = {"comparisons": 100, "covered": 94, "largest": 2.5, "limit": 3.5, "agrees": True, "beyond": 0}
    return found | {"farthest": "dense: x"} | changes


def study(*focus: Metrics, trained: Metrics | None = None) -> Metrics:
    return {
        "draws": 4000,
        "trained_draws": 1000,
        "confidence": 0.95,
        "blocks": 24,
        "unbiased": {
            "finite": outcome(),
            "infinite": outcome(covered=70, largest=15.0, agrees=False, beyond=9),
            "truncation": outcome(biased=44),
        },
        "variance": outcome(),
        "focus": list(focus) or [block("dense"), block("contracting")],
        "trained": trained,
    }


def trained(*estimators: tuple[str, float, float, float | None]) -> Metrics:
    names = ("estimator", "bias", "bound", "noise")
    rows = [{**dict(zip(names, one, strict=True)), "expected_terms": 4.0} for one in estimators]
    return {"images": 2, "layers": 8, "dimension": 784, "lipschitz": 0.94, "norm": [0.2, 0.6], "estimators": rows}


def test_roulettes_that_were_not_tested_have_no_result() -> None:
    metrics = study()
    assert log_det(metrics).finite is metrics["unbiased"]["finite"]
    metrics["unbiased"]["infinite"] = outcome(comparisons=0)
    assert log_det(metrics).infinite is None


@pytest.mark.parametrize(
    ("changes", "verdict", "break_even"),
    [
        ({}, Budget.LARGE, 260.0),
        ({"break_even": 0.0}, Budget.ANY, 0.0),
        ({"truncation_bias": 1e-9, "break_even": 1e15}, Budget.NEVER, None),
        ({"break_even": None}, Budget.NEVER, None),
        ({"standard_deviation_theory": None, "break_even": None}, Budget.INFINITE_VARIANCE, None),
    ],
)
def test_roulette_pays_off_from_its_break_even_on(changes: Metrics, verdict: Budget, break_even: float | None) -> None:
    (found,) = log_det(study(block("dense", roulette("geometric", **changes)))).blocks
    assert found.budget is verdict
    assert found.break_even == break_even


def test_the_best_roulette_pays_off_first() -> None:
    (found,) = log_det(study(block("dense", roulette("slow", break_even=900.0), roulette("fast")))).blocks
    assert found.best is found.roulettes["fast"] and found.infinite == 1


@pytest.mark.parametrize(
    ("ratio", "bounds", "verdict"),
    [
        (0.76, [0.7, 0.82], Side.BELOW),
        (0.97, [0.9, 1.04], Side.AROUND),
        (1.2, [1.1, 1.3], Side.ABOVE),
        (math.nan, [0.9, 1.1], Side.UNKNOWN),
        (0.76, None, Side.UNKNOWN),
    ],
)
def test_probes_differ_beyond_their_interval(ratio: float, bounds: Any, verdict: Side) -> None:
    (found,) = log_det(study(block("dense", ratio=ratio, ratio_interval=bounds))).blocks
    assert found.probes is verdict


def test_the_bias_of_the_trained_flow_is_compared_with_its_noise() -> None:
    first, fifth = ("1 term", 0.0123, 3.0, 0.02), ("5 terms", -0.0001, 0.2, 0.021)
    endless = ("2 + Poisson, mean 2", 0.0, 0.0, None)
    found = log_det(study(trained=trained(first, fifth, endless)))
    assert found.first and found.last
    assert (found.first["estimator"], found.last["estimator"], found.negligible) == ("1 term", "5 terms", True)
    found = log_det(study(trained=trained(first, ("5 terms", -0.01, 0.2, 0.021))))
    assert found.last and (found.last["estimator"], found.negligible) == ("5 terms", False)
    found = log_det(study(trained=trained(endless)))
    assert found.first is None and found.last is None
