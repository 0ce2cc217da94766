import math
from typing import Any

import pytest

from fashion_dgm.findings.criteria import Side
from fashion_dgm.findings.flow import flow, other_flow, residual_flow

Metrics = dict[str, Any]
NAN = math.nan
REAL_NVP: Metrics = {"epochs": 1, "train_bits_per_dim": 3.10, "test_bits_per_dim": 3.11, "reconstruction_error": 2e-5}
REAL_NVP |= {"parameters": 1_234_567, "images_seen": 48_000}


def on_benchmark(bits: float, error: float | None = 0.01) -> Metrics:
    return {**REAL_NVP, "benchmark_bits_per_dim": bits, "benchmark_error": error}


def residual(**changes: Any) -> Metrics:
    found: Metrics = {"epochs": 3, "unbiased": True, "training_unbiased": True, "reconstruction_error": 1e-5}
    found |= {"parameters": 41_325, "images_seen": 6_000, "draws": 2, "estimator": "10 terms, 1 rademacher probe"}
    found |= {"inverse_iterations": 9.5, "inverse_iterations_most": 12}
    for split in ("train", "test", "benchmark"):
        found |= {f"{split}_bits_per_dim": 3.5, f"{split}_images": 500}
        found |= {f"{split}_probe_error": 0.002, f"{split}_image_error": 0.016}
    found |= {"lipschitz_coefficient": 0.98, "largest_layer_norm": 0.9801, "largest_block_bound": 0.94}
    return found | changes


@pytest.mark.parametrize(
    ("bits", "verdict"), [(3.00, Side.BELOW), (3.20, Side.ABOVE), (3.105, Side.AROUND), (NAN, Side.UNKNOWN)]
)
def test_the_mixture_flow_is_compared_on_held_out_images(bits: float, verdict: Side) -> None:
    found = other_flow("mixture_flow", REAL_NVP, {**REAL_NVP, "test_bits_per_dim": bits})
    assert (found.split, found.side) == ("test", verdict)


def test_official_test_images_come_first_where_both_were_measured_there() -> None:
    # Two standard errors of the difference are 0.028.
    found = other_flow("mixture_flow", on_benchmark(3.0), on_benchmark(2.98))
    assert (found.split, found.side) == ("benchmark", Side.AROUND)
    assert other_flow("mixture_flow", on_benchmark(3.0), on_benchmark(2.97)).side is Side.BELOW
    assert other_flow("mixture_flow", on_benchmark(3.0), REAL_NVP).side is Side.UNKNOWN


@pytest.mark.parametrize(
    ("bits", "error", "verdict"),
    [
        (3.50, 0.016, Side.ABOVE),
        (2.90, 0.016, Side.BELOW),
        (3.14, 0.016, Side.AROUND),
        (3.08, 0.016, Side.AROUND),
        (3.115, 0.0001, Side.AROUND),
        (3.50, 0.200, Side.AROUND),
        (NAN, 0.016, Side.UNKNOWN),
        (3.50, NAN, Side.UNKNOWN),
    ],
)
def test_an_estimate_counts_with_its_errors_of_probes_and_images(bits: float, error: float, verdict: Side) -> None:
    found = residual_flow(REAL_NVP, residual(test_bits_per_dim=bits, test_image_error=error))
    assert found.comparison.side is verdict


@pytest.mark.parametrize(
    ("changes", "attribute", "verdict"),
    [
        ({}, "contraction", Side.BELOW),
        ({"largest_block_bound": 1.001}, "contraction", Side.ABOVE),
        ({"largest_layer_norm": math.inf}, "contraction", Side.UNKNOWN),
        ({}, "excess", None),
        ({"largest_layer_norm": 0.9947}, "excess", pytest.approx(0.015)),
        ({}, "probes_side", Side.BELOW),
        ({"test_probe_error": 0.02}, "probes_side", Side.ABOVE),
        ({"test_probe_error": NAN}, "probes_side", Side.UNKNOWN),
        ({}, "same_images", 500),
        ({"train_images": 400}, "same_images", None),
    ],
)
def test_estimates_and_bounds_of_a_residual_flow(changes: Metrics, attribute: str, verdict: Any) -> None:
    assert getattr(residual_flow(REAL_NVP, residual(**changes)), attribute) == verdict


def bound(effective: float, **bits: float) -> Metrics:
    values = {"bits_per_dim": bits, "gain": {k: bits["1"] - value for k, value in bits.items()}}
    return {"images": 20, "effective_draws": effective, **values, "gain_error": dict.fromkeys(bits, 0.004)}


def test_bounds_of_every_flow_by_rising_draws() -> None:
    some = {"residual_flow": bound(NAN, **{"4": 3.4, "1": 3.5}), "flow": bound(200.0, **{"1": 3.0, "256": 2.94})}
    found = flow(REAL_NVP, some)
    assert found.draws == (1, 4, 256)
    assert list(found.discrete) == ["flow", "residual_flow"]
    first, second = found.discrete.values()
    assert (list(first["bounds"]), first["gain"].error, first["converged"]) == ([1, 256], 0.004, True)
    assert first["gain"].value == pytest.approx(0.06)
    assert (list(second["bounds"]), second["converged"]) == ([1, 4], False)
