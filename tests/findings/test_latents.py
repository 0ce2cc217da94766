import math
from typing import Any

import pytest

from fashion_dgm.findings.criteria import Side
from fashion_dgm.findings.latents import latents
from tests.findings.paths import values_at

Metrics = dict[str, Any]


def row(experiment: str, variant: str, bits: float, level: float | None = None, **more: Any) -> Metrics:
    found = {"experiment": experiment, "variant": variant, "level": level, "images": 40, "bits_per_dim": bits}
    found |= {"bits_per_dim_interval": [bits - 0.1, bits + 0.1], "norm": 1.0, "norm_again": 1.0, "likelier_than": 0.5}
    return found | {"like_host": None, "like_donor": None, "changed": None} | more


def path(difference: float, norm: float) -> Metrics:
    return {"norm": norm, "difference": difference, "difference_interval": [difference - 0.1, difference + 0.1]}


def study(**changes: Metrics) -> Metrics:
    """The metrics, with changes to variants by their names."""
    variants = [
        row("temperature", "T = 0.5", 2.5, 0.5, norm=0.5, likelier_than=0.8),
        row("temperature", "T = 1", 3.5, 1.0),
        row("truncation", "cut at ±0.5", 2.5, 0.5),
        row("truncation", "cut at ±2", 3.5, 2.0),
        row("constant", "all -1", 1.5, -1.0, images=1),
        row("constant", "all 0", 3.0, 0.0, images=1),
        row("constant", "all 1", 4.5, 1.0, images=1),
        row("active", "784 active", 3.5, 784),
        row("active", "1 active", 2.5, 1),
        row("radius", "radius 0.5", 2.0, 0.5),
        row("radius", "radius 1", 3.0, 1.0),
        row("swap", "scale 1 of another", 3.2, 1, like_host=0.9, like_donor=0.3),
        row("swap", "scale 2 of another", 3.2, 2, like_host=0.2, like_donor=0.8),
        row("silent", "scale 1 at zero", 2.7, 1),
        row("in_distribution", "as it is", 3.0),
        row("ood", "as it is", 1.6, norm=1.07),
        row("ood", "encoded and decoded", 1.6, changed=0.0),
        row("mixture", "scale 1 of the OOD image", 3.1, 1, like_host=0.9, like_donor=0.2),
        row("noise", "s = 0", 1.6, 0.0),
        row("noise", "s = 1", 3.6, 1.0),
    ]
    for entry in variants:
        for key, value in changes.get(entry["variant"], {}).items():
            entry[key] = value
            if key == "bits_per_dim":
                entry["bits_per_dim_interval"] = [value - 0.1, value + 0.1]
    gap = {"difference": -0.4, "difference_interval": [-0.5, -0.3]}
    paths = {"path_pixels": path(0.9, 0.97), "path_linear": path(-0.3, 0.8), "path_spherical": path(0.02, 1.0)}
    return {
        "ood_set": "mnist",
        "confidence": 0.95,
        "reference": {"images": 500, "bits_per_dim": 3.0},
        "variants": variants,
        "paths": {**paths, "linear_minus_spherical": gap},
    }


CASES: list[tuple[Metrics, Metrics]] = [
    # The temperature of the fewest bits, and whether its latents lie where the prior samples.
    (
        {"T = 0.5": {"bits_per_dim": 2.5}},
        {"temperature.first.variant": "T = 0.5", "temperature.side": Side.BELOW, "on_shell": False},
    ),
    (
        {"T = 0.5": {"bits_per_dim": 4.5}},
        {"temperature.first.variant": "T = 1", "temperature.side": Side.BELOW, "on_shell": True},
    ),
    (
        {"T = 0.5": {"bits_per_dim": 3.55}},
        {"temperature.first.variant": "T = 1", "temperature.side": Side.AROUND, "on_shell": True},
    ),
    # Samples are compared with real images.
    ({"T = 1": {"bits_per_dim": 3.5}}, {"samples_side": Side.ABOVE}),
    ({"T = 1": {"bits_per_dim": 2.5}}, {"samples_side": Side.BELOW}),
    ({"T = 1": {"bits_per_dim": 3.05}}, {"samples_side": Side.AROUND}),
    # The mode stands out by its rank.
    *(
        ({"all 0": {"likelier_than": 0.9}, "T = 1": {"likelier_than": rank}}, {"mode_stands_out": stands_out})
        for rank, stands_out in ((0.3, True), (0.95, False), (0.85, False), (math.nan, False))
    ),
    ({}, {"likelier.variant": "all -1", "likelier.interval": None}),
    ({"all -1": {"bits_per_dim": 6.0}}, {"likelier": None}),
    # Contrasts point either way.
    *(
        (
            {name: {"bits_per_dim": bits} for name in ("1 active", "cut at ±0.5")},
            {"sparse.side": side, "truncation.side": side},
        )
        for bits, side in ((2.5, Side.BELOW), (4.5, Side.ABOVE), (3.5, Side.AROUND))
    ),
    # Noise is compared with none.
    ({"s = 1": {"bits_per_dim": 3.6}}, {"noise.first.level": 1, "noise.side": Side.ABOVE}),
    ({"s = 1": {"bits_per_dim": 0.6}}, {"noise.first.level": 1, "noise.side": Side.BELOW}),
    ({"s = 1": {"bits_per_dim": 1.6}}, {"noise.first.level": 1, "noise.side": Side.AROUND}),
    # Radii are compared with that of the prior.
    ({}, {"radius.first.level": 0.5, "radius.second.level": 1.0, "radius.side": Side.BELOW, "radius.same": False}),
    ({"radius 0.5": {"bits_per_dim": 4.0}}, {"radius.same": True}),
    # One scale decides what is seen, or none does.
    ({}, {"swaps.decisive": 2, "mixtures.decisive": None}),
    ({"scale 2 of another": {"like_donor": 0.1}}, {"swaps.decisive": None}),
    ({"scale 1 of another": {"like_donor": 0.95}}, {"swaps.decisive": None}),
    # Images return pixel for pixel only where they do.
    ({"encoded and decoded": {"changed": 0.0}}, {"changed_side": Side.AROUND}),
    ({"encoded and decoded": {"changed": 0.002}}, {"changed_side": Side.ABOVE}),
    ({"encoded and decoded": {"changed": math.nan}}, {"changed_side": Side.UNKNOWN}),
]


@pytest.mark.parametrize(("changes", "expected"), CASES)
def test_what_is_found(changes: Metrics, expected: Metrics) -> None:
    assert values_at(latents(study(**changes)), expected) == expected


@pytest.mark.parametrize(
    ("gap", "side"),
    [((-0.4, [-0.5, -0.3]), Side.BELOW), ((0.4, [0.3, 0.5]), Side.ABOVE), ((0.1, [-0.1, 0.3]), Side.AROUND)],
)
def test_paths_are_compared_pair_by_pair(gap: tuple[float, list[float]], side: Side) -> None:
    metrics = study()
    metrics["paths"]["linear_minus_spherical"] = {"difference": gap[0], "difference_interval": gap[1]}
    some = latents(metrics)
    assert some.gap_side is side
    assert list(some.paths) == ["path_pixels", "path_linear", "path_spherical"]


def test_many_levels_are_thinned_but_not_their_ends() -> None:
    metrics = study()
    metrics["variants"] = [one for one in metrics["variants"] if one["experiment"] != "noise"]
    metrics["variants"] += [row("noise", f"s = {i / 10:g}", 2.0, i / 10) for i in range(11)]
    shown = [one["variant"] for one in latents(metrics).table if one["experiment"] == "noise"]
    assert len(shown) == 5 and (shown[0], shown[-1]) == ("s = 0", "s = 1")
