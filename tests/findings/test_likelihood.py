from __future__ import annotations

import math
from typing import Any

import pytest

from fashion_dgm.findings import criteria
from fashion_dgm.findings.criteria import BeforeCouplings, Complexity, Coordinates, Polynomial, Side, TowardsMean
from fashion_dgm.findings.likelihood import GapFindings, LikelihoodFindings, likelihood

MEASURES = ("png_bits", "total_variation", "black_share")


def term(difference: float, total: float) -> dict[str, Any]:
    return {
        "difference": difference,
        "difference_interval": [difference - 0.02, difference + 0.02],
        "share": difference / total if total else None,
        "share_interval": [difference / total - 0.01, difference / total + 0.01] if total else None,
    }


def gap(**parts: float) -> dict[str, Any]:
    total = sum(parts.values())
    return {
        "difference": total,
        "difference_interval": [total - 0.1, total + 0.1],
        "parts": {name: term(value, total) for name, value in parts.items()},
    }


def image_set(bits: float, neighbours: float) -> dict[str, Any]:
    return {
        "images": 500,
        "bits_per_dim": bits,
        "norm": 1.0,
        "neighbours": neighbours,
        "neighbours_interval": [neighbours - 0.01, neighbours + 0.01],
        "complexity": dict.fromkeys(MEASURES, 1.0),
        "spearman": {name: {"value": 0.9, "value_interval": [0.88, 0.92]} for name in MEASURES},
    }


def line(predicted: float, share: float | None) -> dict[str, Any]:
    bounds = None if share is None else [share - 0.1, share + 0.1]
    interval = [predicted - 0.1, predicted + 0.1]
    return {
        "slope": 1.0,
        "intercept": 0.0,
        "predicted": predicted,
        "predicted_interval": interval,
        "share": share,
        "share_interval": bounds,
    }


def layers(*gaps: float) -> list[dict[str, Any]]:
    kinds = ["logit", "actnorm", *["coupling"] * (len(gaps) - 2)]
    return [
        {
            "label": f"{kind} 1.{i}",
            "kind": kind,
            "scale": 1,
            "inside": 6.0 - i,
            "outside": 6.0 - i + value,
            "gap": value,
            "gap_se": 0.02,
        }
        for i, (kind, value) in enumerate(zip(kinds, gaps, strict=True))
    ]


def level(value: float, auroc: float, difference: float, changed: bool = True) -> dict[str, Any]:
    return {
        "level": value,
        "changed": changed,
        "bits_per_dim": 3.0 + difference,
        "difference": difference,
        "difference_interval": [difference - 0.01, difference + 0.01],
        "auroc": auroc,
        "auroc_interval": [auroc - 0.02, auroc + 0.02],
    }


def metrics() -> dict[str, Any]:
    ood = image_set(1.7, 0.05)
    ood |= {
        "gap": gap(logit=-2.3, actnorm=0.0, coupling_1=0.6, latents_1=0.1),
        "line": dict.fromkeys(MEASURES, line(1.7, 1.0)),
    }
    return {
        "in_distribution": "fashion_mnist",
        "stranger": "mnist",
        "confidence": 0.95,
        "bootstrap": 200,
        "sets": {"fashion_mnist": image_set(3.3, 0.0), "mnist": ood},
        "pooled": {name: {"value": 0.8, "value_interval": [0.78, 0.82]} for name in MEASURES},
        "layers": layers(7.0, -2.2, -2.0, -1.6),
        "perturbations": {
            "brightness": [
                level(0, 0.0, -3.0),
                level(0.5, 0.4, -0.2),
                level(1, 0.5, 0.0, changed=False),
                level(2, 0.2, -0.8),
            ],
            "spread": [level(0.5, 0.9, 2.0), level(1, 0.5, 0.0, changed=False)],
            "blur": [level(0, 0.5, 0.0, changed=False), level(2, 0.5, 0.0)],
        },
        "second_order": {
            "images": [60, 60],
            "moments": {
                "variance_inside": 67.9,
                "variance_outside": 52.9,
                "largest_mean_difference": 0.45,
                "eigenvalues": [-3.7, 18.1],
            },
            "gaps": {
                "pixels": {"measured": 1.6, "measured_se": 0.1, "polynomial": -11.0},
                "logits": {
                    "measured": -0.7,
                    "measured_se": 0.05,
                    "polynomial": -0.9,
                    "towards_mean": [
                        {"level": 0.0, "measured": 2.0, "measured_se": 0.1, "polynomial": 0.9},
                        {"level": 0.9, "measured": -0.11, "measured_se": 0.01, "polynomial": 0.22},
                        {"level": 1.0, "measured": 0.0, "measured_se": 0.0, "polynomial": 0.0},
                    ],
                },
            },
        },
    }


def with_nothing_finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: item if key == "level" else with_nothing_finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_nothing_finite(item) for item in value]
    return math.nan if isinstance(value, float) else value


def found(**values: Any) -> LikelihoodFindings:
    return likelihood(metrics() | values)


def gap_of(**parts: float) -> GapFindings:
    measured = metrics()
    measured["sets"]["mnist"]["gap"] = gap(**parts)
    return likelihood(measured).gap


def test_gap_is_split_into_volume_and_latents() -> None:
    ours = found().gap
    assert (ours.side, ours.largest, ours.opposed) == (Side.BELOW, "logit", True)
    assert (ours.volume, ours.latents) == (pytest.approx(-1.7), pytest.approx(0.1))
    by_latents = gap_of(logit=-0.2, latents_1=-1.4)
    assert (by_latents.largest, by_latents.opposed) == ("latents_1", False)
    unclear = gap_of(logit=-2.0, latents_1=0.01)
    assert not unclear.opposed
    more = gap_of(logit=2.0, latents_1=-0.3)
    assert (more.side, more.opposed) == (Side.ABOVE, True)
    none = gap_of(logit=0.01, latents_1=0.01)
    assert (none.side, none.volume, none.largest) == (Side.AROUND, None, "")


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
    assert found(layers=layers(*gaps)).layers.verdict is verdict


def test_what_the_couplings_learn_may_apply_to_ood_images() -> None:
    assert found().layers.transfers
    assert not found(layers=layers(7.0, -2.2, -2.0, 0.2)).layers.transfers


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
    assert criteria.complexity([None, math.nan]) is Complexity.UNKNOWN


def test_the_closest_measure_is_the_one_of_the_largest_correlation() -> None:
    measured = metrics()
    spearman = measured["sets"]["fashion_mnist"]["spearman"]
    spearman["black_share"] = {"value": -0.97, "value_interval": [-0.98, -0.96]}
    spearman["png_bits"] = {"value": None, "value_interval": None}
    assert likelihood(measured).closest == "black_share"
    spearman |= dict.fromkeys(MEASURES, spearman["png_bits"])
    assert likelihood(measured).closest is None


def test_perturbations_are_represented_by_their_strongest_clear_effects() -> None:
    effects = [(e.perturbation, e.side, e.row and e.row["level"]) for e in found().effects]
    # At level 0 nothing is left of an image.
    assert effects == [("brightness", Side.BELOW, 2), ("spread", Side.ABOVE, 0.5), ("blur", Side.AROUND, None)]
    both = metrics()
    both["perturbations"]["blur"] = [level(1, 0.6, 0.1), level(2, 0.7, 0.1), level(3, 0.4, -0.1)]
    assert [(e.side, e.row and e.row["level"]) for e in likelihood(both).effects[2:]] == [
        (Side.BELOW, 3),
        (Side.ABOVE, 2),
    ]


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
    assert (ours.towards_mean, ours.levels) == (verdict, len(differences))


@pytest.mark.parametrize(
    ("predicted", "measured", "error", "verdict"),
    [
        (-11.0, 1.6, 0.1, Polynomial.WRONG_SIGN),
        (-0.9, -0.7, 0.1, Polynomial.CORRECT),
        (11.0, 1.0, 0.1, Polynomial.WRONG_SIZE),
        (11.0, 0.1, 0.1, Polynomial.NO_GAP),
        (math.nan, 0.1, 0.1, Polynomial.UNKNOWN),
    ],
)
def test_polynomial_is_compared_by_sign_and_size(
    predicted: float, measured: float, error: float, verdict: Polynomial
) -> None:
    assert criteria.polynomial(predicted, measured, error) is verdict


def test_second_order_argument_in_both_coordinates() -> None:
    ours = found().second_order
    assert [(g.coordinates, g.level) for g in ours.gaps] == [("pixels", None), ("logits", None), ("logits", 0.9)]
    assert (ours.variance, ours.everywhere, ours.coordinates) == (Side.BELOW, False, Coordinates.LIKELIER_IN_PIXELS)
    measured = metrics()
    measured["second_order"]["moments"] |= {"variance_outside": 90.0, "eigenvalues": [0.1, 3.0]}
    measured["second_order"]["gaps"]["pixels"]["measured"] = 0.1
    other = likelihood(measured).second_order
    assert (other.variance, other.everywhere, other.coordinates) == (Side.ABOVE, True, Coordinates.UNKNOWN)
    measured["second_order"]["gaps"]["pixels"]["measured"] = -1.6
    assert likelihood(measured).second_order.coordinates is Coordinates.ALIKE


def test_from_values_that_are_not_finite_nothing_is_concluded() -> None:
    ours = likelihood(with_nothing_finite(metrics()))
    assert (ours.gap.side, ours.layers.verdict, ours.neighbours) == (
        Side.UNKNOWN,
        BeforeCouplings.UNKNOWN,
        Side.UNKNOWN,
    )
    assert (ours.complexity, ours.closest) == (Complexity.UNKNOWN, None)
    assert {e.side for e in ours.effects} == {Side.UNKNOWN}
    second = ours.second_order
    assert (second.variance, second.coordinates, second.towards_mean) == (
        Side.UNKNOWN,
        Coordinates.UNKNOWN,
        TowardsMean.UNKNOWN,
    )
    assert {gap.verdict for gap in second.gaps} == {Polynomial.UNKNOWN}
