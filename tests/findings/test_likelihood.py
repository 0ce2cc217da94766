import math
from typing import Any

import pytest

from fashion_dgm.findings.criteria import BeforeCouplings, Complexity, Coordinates, Polynomial, Side, TowardsMean
from fashion_dgm.findings.likelihood import likelihood
from tests.findings.paths import values_at, with_nothing_finite

MEASURES = ("png_bits", "total_variation", "black_fraction")


def bounded(name: str, value: float | None, width: float) -> dict[str, Any]:
    return {name: value, f"{name}_interval": None if value is None else [value - width, value + width]}


def gap(**parts: float) -> dict[str, Any]:
    total = sum(parts.values())
    terms = {
        name: bounded("difference", value, 0.02) | bounded("fraction", value / total if total else None, 0.01)
        for name, value in parts.items()
    }
    return {**bounded("difference", total, 0.1), "parts": terms}


def image_set(bits: float, neighbours: float) -> dict[str, Any]:
    return {
        "images": 500,
        "bits_per_dim": bits,
        **bounded("neighbours", neighbours, 0.01),
        "complexity": dict.fromkeys(MEASURES, 1.0),
        "spearman": {name: bounded("value", 0.9 - 0.1 * i, 0.02) for i, name in enumerate(MEASURES)},
    }


def line(predicted: float, fraction: float | None) -> dict[str, Any]:
    return bounded("predicted", predicted, 0.1) | bounded("fraction", fraction, 0.1)


def layers(*gaps: float) -> list[dict[str, Any]]:
    kinds = ["logit", "actnorm", *["coupling"] * (len(gaps) - 2)]
    return [
        {"kind": kind, "inside": 6.0 - i, "outside": 6.0 - i + value, "gap": value, "gap_se": 0.02}
        for i, (kind, value) in enumerate(zip(kinds, gaps, strict=True))
    ]


def level(value: float, auroc: float, difference: float, changed: bool = True) -> dict[str, Any]:
    effect = bounded("difference", difference, 0.01) | bounded("auroc", auroc, 0.02)
    return {"level": value, "changed": changed, **effect}


def metrics() -> dict[str, Any]:
    ood = image_set(1.7, 0.05) | {"line": dict.fromkeys(MEASURES, line(1.7, 1.0))}
    variances = {"variance_inside": 67.9, "variance_outside": 52.9, "eigenvalues": [-3.7, 18.1]}
    steps = [(0.0, 2.0, 0.1, 0.9), (0.9, -0.11, 0.01, 0.22), (1.0, 0.0, 0.0, 0.0)]
    keys = ("level", "measured", "measured_se", "polynomial")
    unchanged = level(1, 0.5, 0.0, changed=False)
    return {
        "in_distribution": "fashion_mnist",
        "ood_set": "mnist",
        "confidence": 0.95,
        "sets": {
            "fashion_mnist": image_set(3.3, 0.0),
            "mnist": ood | {"gap": gap(logit=-2.3, actnorm=0.0, coupling_1=0.6, latents_1=0.1)},
        },
        "pooled": {name: bounded("value", 0.8, 0.02) for name in MEASURES},
        "layers": layers(7.0, -2.2, -2.0, -1.6),
        "perturbations": {
            "brightness": [level(0, 0.0, -3.0), level(0.5, 0.4, -0.2), unchanged, level(2, 0.2, -0.8)],
            "spread": [level(0.5, 0.9, 2.0), unchanged],
            "blur": [level(0, 0.5, 0.0, changed=False), level(2, 0.5, 0.0)],
        },
        "second_order": {
            "moments": {**variances, "largest_mean_difference": 0.45},
            "gaps": {
                "pixels": {"measured": 1.6, "measured_se": 0.1, "polynomial": -11.0},
                "logits": {
                    "measured": -0.7,
                    "measured_se": 0.05,
                    "polynomial": -0.9,
                    "towards_mean": [dict(zip(keys, step, strict=True)) for step in steps],
                },
            },
        },
    }


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"logit": -0.2, "latents_1": -1.4}, {"largest": "latents_1", "opposed": False}),
        ({"logit": -2.0, "latents_1": 0.01}, {"opposed": False}),  # not clearly
        ({"logit": 2.0, "latents_1": -0.3}, {"side": Side.ABOVE, "opposed": True}),
        ({"logit": 0.01, "latents_1": 0.01}, {"side": Side.AROUND, "volume": None, "largest": ""}),
        (
            {"logit": -2.3, "actnorm": 0.0, "coupling_1": 0.6, "latents_1": 0.1},
            {"side": Side.BELOW, "largest": "logit", "opposed": True, "volume": pytest.approx(-1.7)},
        ),
    ],
)
def test_gap_is_split_into_volume_and_latents(parts: dict[str, float], expected: dict[str, Any]) -> None:
    measured = metrics()
    measured["sets"]["mnist"]["gap"] = gap(**parts)
    found = likelihood(measured).gap
    assert values_at(found, expected) == expected
    assert found.latents is None or found.latents == pytest.approx(parts["latents_1"])


@pytest.mark.parametrize(
    ("gaps", "verdict"),
    [
        ((7.0, -2.2, -2.0, -1.6), BeforeCouplings.ALL),
        ((7.0, -1.0, -1.2, -1.6), BeforeCouplings.MOST),
        ((7.0, -0.4, -1.2, -1.6), BeforeCouplings.LESS_THAN_HALF),
        ((7.0, 0.4, -1.2, -1.6), BeforeCouplings.OPPOSITE),
        ((7.0, 0.4, -1.2, -0.01), BeforeCouplings.NO_GAP),
        ((7.0, math.nan, -1.2, -1.6), BeforeCouplings.UNKNOWN),
    ],
)
def test_part_of_the_gap_before_any_coupling(gaps: tuple[float, ...], verdict: BeforeCouplings) -> None:
    assert likelihood(metrics() | {"layers": layers(*gaps)}).layers["verdict"] is verdict


def test_what_the_couplings_learn_may_apply_to_ood_images() -> None:
    assert likelihood(metrics()).layers["transfers"]
    assert not likelihood(metrics() | {"layers": layers(7.0, -2.2, -2.0, 0.2)}).layers["transfers"]


@pytest.mark.parametrize(("neighbours", "verdict"), [(0.05, Side.ABOVE), (-0.05, Side.BELOW), (0.0, Side.AROUND)])
def test_correlations_of_latents_are_compared_by_their_intervals(neighbours: float, verdict: Side) -> None:
    measured = metrics()
    measured["sets"]["mnist"] |= image_set(1.7, neighbours)
    assert likelihood(measured).neighbours is verdict


def test_complexity_accounts_for_the_gap_only_where_it_predicts_it() -> None:
    measured = metrics()
    assert likelihood(measured).complexity is Complexity.SUFFICIENT
    measured["sets"]["mnist"]["line"] = dict.fromkeys(MEASURES, line(3.0, 0.2))
    other = likelihood(measured)
    assert (other.complexity, other.off_the_line) == (Complexity.INSUFFICIENT, ("mnist",))


def test_the_closest_measure_is_the_one_of_the_largest_correlation() -> None:
    measured = metrics()
    spearman = measured["sets"]["fashion_mnist"]["spearman"]
    spearman["black_fraction"] = {"value": -0.97, "value_interval": [-0.98, -0.96]}
    spearman["png_bits"] = {"value": None, "value_interval": None}
    assert likelihood(measured).closest == "black_fraction"
    spearman |= dict.fromkeys(MEASURES, spearman["png_bits"])
    assert likelihood(measured).closest is None


def test_perturbations_are_represented_by_their_strongest_clear_effects() -> None:
    effects = [(e["perturbation"], e["side"], e.get("level")) for e in likelihood(metrics()).effects]
    # At level 0 nothing is left of an image.
    assert effects == [("brightness", Side.BELOW, 2), ("spread", Side.ABOVE, 0.5), ("blur", Side.AROUND, None)]
    both = metrics()
    both["perturbations"]["blur"] = [level(1, 0.6, 0.1), level(2, 0.7, 0.1), level(3, 0.4, -0.1)]
    assert [(e["side"], e["level"]) for e in likelihood(both).effects[2:]] == [(Side.BELOW, 3), (Side.ABOVE, 2)]


@pytest.mark.parametrize(
    ("differences", "verdict"),
    [
        ((-1.0, -0.5), TowardsMean.LIKELIER),
        ((1.0, 0.5), TowardsMean.LESS_LIKELY),
        ((1.0, -0.5), TowardsMean.VARIES),
        ((), TowardsMean.UNKNOWN),
    ],
)
def test_images_drawn_towards_their_mean(differences: tuple[float, ...], verdict: TowardsMean) -> None:
    measured = metrics()
    rows = [level(0.3 + 0.3 * i, 0.5 + 0.1 * d, d) for i, d in enumerate(differences)]
    measured["perturbations"]["spread"] = [*rows, level(1, 0.5, 0.0, changed=False)]
    ours = likelihood(measured).second_order
    assert (ours.towards_mean, len(ours.sides)) == (verdict, len(differences))


@pytest.mark.parametrize(
    ("moments", "measured", "expected"),
    [
        (
            {},
            1.6,
            {
                "gaps.coordinates": ["pixels", "logits", "logits"],
                "gaps.2.level": 0.9,
                "variance": Side.BELOW,
                "everywhere": False,
                "coordinates": Coordinates.LIKELIER_IN_PIXELS,
            },
        ),
        (
            {"variance_outside": 90.0, "eigenvalues": [0.1, 3.0]},
            0.1,
            {"variance": Side.ABOVE, "everywhere": True, "coordinates": Coordinates.UNKNOWN},
        ),
        ({}, -1.6, {"coordinates": Coordinates.ALIKE}),
    ],
)
def test_second_order_argument_in_both_coordinates(
    moments: dict[str, Any], measured: float, expected: dict[str, Any]
) -> None:
    found = metrics()
    found["second_order"]["moments"] |= moments
    found["second_order"]["gaps"]["pixels"]["measured"] = measured
    assert values_at(likelihood(found).second_order, expected) == expected


def test_from_values_that_are_not_finite_nothing_is_concluded() -> None:
    expected = {
        "gap.side": Side.UNKNOWN,
        "layers.verdict": BeforeCouplings.UNKNOWN,
        "neighbours": Side.UNKNOWN,
        "complexity": Complexity.UNKNOWN,
        "closest": None,
        "effects.side": [Side.UNKNOWN] * 3,
        "second_order.variance": Side.UNKNOWN,
        "second_order.coordinates": Coordinates.UNKNOWN,
        "second_order.towards_mean": TowardsMean.UNKNOWN,
        "second_order.gaps.verdict": [Polynomial.UNKNOWN] * 3,
    }
    assert values_at(likelihood(with_nothing_finite(metrics())), expected) == expected
