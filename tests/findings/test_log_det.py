import math
from typing import Any

import pytest

from fashion_dgm.findings.criteria import Budget, Side
from fashion_dgm.findings.log_det import log_det
from tests.findings.paths import values_at

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


CASES: list[tuple[Metrics, Metrics]] = [
    # Roulette pays off from its break-even on.
    (block("dense"), {"budget": Budget.LARGE, "break_even": 260.0}),
    *(
        (block("dense", roulette("geometric", **changes)), {"budget": verdict, "break_even": break_even})
        for changes, verdict, break_even in (
            ({"break_even": 0.0}, Budget.ANY, 0.0),
            ({"truncation_bias": 1e-9, "break_even": 1e15}, Budget.NEVER, None),
            ({"break_even": None}, Budget.NEVER, None),
            ({"standard_deviation_theory": None, "break_even": None}, Budget.INFINITE_VARIANCE, None),
        )
    ),
    # The best roulette pays off first.
    (
        block("dense", roulette("slow", break_even=900.0), roulette("fast")),
        {"best.estimator": "fast", "roulettes.fast.break_even": 256.3, "infinite": 1},
    ),
    # Probes differ beyond their interval.
    *(
        (block("dense", ratio=ratio, ratio_interval=bounds), {"probes": verdict})
        for ratio, bounds, verdict in (
            (0.76, [0.7, 0.82], Side.BELOW),
            (0.97, [0.9, 1.04], Side.AROUND),
            (1.2, [1.1, 1.3], Side.ABOVE),
            (math.nan, [0.9, 1.1], Side.UNKNOWN),
            (0.76, None, Side.UNKNOWN),
        )
    ),
]


@pytest.mark.parametrize(("measured", "expected"), CASES)
def test_a_block(measured: Metrics, expected: Metrics) -> None:
    (found,) = log_det(study(measured)).blocks
    assert values_at(found, expected) == expected


FIRST, FIFTH, ENDLESS = (
    ("1 term", 0.0123, 3.0, 0.02),
    ("5 terms", -0.0001, 0.2, 0.021),
    ("2 + Poisson, mean 2", 0.0, 0.0, None),
)


@pytest.mark.parametrize(
    ("estimators", "expected"),
    [
        (
            (FIRST, FIFTH, ENDLESS),
            {"first.estimator": "1 term", "last.estimator": "5 terms", "negligible": True},
        ),
        ((FIRST, ("5 terms", -0.01, 0.2, 0.021)), {"last.estimator": "5 terms", "negligible": False}),
        ((ENDLESS,), {"first": None, "last": None}),
    ],
)
def test_the_bias_of_the_trained_flow_is_compared_with_its_noise(estimators: Any, expected: Metrics) -> None:
    assert values_at(log_det(study(trained=trained(*estimators))), expected) == expected
