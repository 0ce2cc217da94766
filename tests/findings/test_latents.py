from __future__ import annotations

import math
from typing import Any

import pytest

from fashion_dgm.findings.criteria import Side
from fashion_dgm.findings.latents import LatentsFindings, latents

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


def found(**changes: Metrics) -> LatentsFindings:
    return latents(study(**changes))


@pytest.mark.parametrize(
    ("bits", "lowest", "side", "on_shell"),
    [(2.5, "T = 0.5", Side.BELOW, False), (4.5, "T = 1", Side.BELOW, True), (3.55, "T = 1", Side.AROUND, True)],
)
def test_the_temperature_of_the_fewest_bits(bits: float, lowest: str, side: Side, on_shell: bool) -> None:
    some = found(**{"T = 0.5": {"bits_per_dim": bits}})
    assert some.temperature
    assert (some.temperature.first["variant"], some.temperature.side, some.on_shell) == (lowest, side, on_shell)


@pytest.mark.parametrize(("bits", "side"), [(3.5, Side.ABOVE), (2.5, Side.BELOW), (3.05, Side.AROUND)])
def test_samples_are_compared_with_real_images(bits: float, side: Side) -> None:
    assert found(**{"T = 1": {"bits_per_dim": bits}}).samples_side is side


@pytest.mark.parametrize(("rank", "stands_out"), [(0.3, True), (0.95, False), (0.85, False), (math.nan, False)])
def test_the_mode_stands_out_by_its_rank(rank: float, stands_out: bool) -> None:
    assert found(**{"all 0": {"likelier_than": 0.9}, "T = 1": {"likelier_than": rank}}).mode_stands_out is stands_out


def test_the_mode_is_compared_with_other_constants() -> None:
    some = found()
    assert some.likelier and some.likelier["variant"] == "all -1" and some.likelier["interval"] is None
    assert found(**{"all -1": {"bits_per_dim": 6.0}}).likelier is None


@pytest.mark.parametrize(("bits", "side"), [(2.5, Side.BELOW), (4.5, Side.ABOVE), (3.5, Side.AROUND)])
def test_contrasts_point_either_way(bits: float, side: Side) -> None:
    some = found(**{name: {"bits_per_dim": bits} for name in ("1 active", "cut at ±0.5")})
    assert some.sparse and some.truncation
    assert (some.sparse.side, some.truncation.side) == (side, side)


@pytest.mark.parametrize(("bits", "side"), [(3.6, Side.ABOVE), (0.6, Side.BELOW), (1.6, Side.AROUND)])
def test_noise_is_compared_with_none(bits: float, side: Side) -> None:
    some = found(**{"s = 1": {"bits_per_dim": bits}}).noise
    assert some and some.first["level"] == 1 and some.side is side


def test_radii_are_compared_with_that_of_the_prior() -> None:
    some = found().radius
    assert some and (some.first["level"], some.second["level"], some.side) == (0.5, 1.0, Side.BELOW)
    some = found(**{"radius 0.5": {"bits_per_dim": 4.0}}).radius
    assert some and some.same


@pytest.mark.parametrize(("changes", "scale"), [({}, 2), ({"like_donor": 0.1}, None)])
def test_one_scale_decides_what_is_seen(changes: Metrics, scale: int | None) -> None:
    assert found(**{"scale 2 of another": changes}).swaps.decisive == scale
    assert found(**{"scale 1 of another": {"like_donor": 0.95}}).swaps.decisive is None
    assert found().mixtures.decisive is None


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


@pytest.mark.parametrize(("changed", "side"), [(0.0, Side.AROUND), (0.002, Side.ABOVE), (math.nan, Side.UNKNOWN)])
def test_images_return_pixel_for_pixel_only_where_they_do(changed: float, side: Side) -> None:
    assert found(**{"encoded and decoded": {"changed": changed}}).changed_side is side


def test_many_levels_are_thinned_but_not_their_ends() -> None:
    metrics = study()
    metrics["variants"] = [one for one in metrics["variants"] if one["experiment"] != "noise"]
    metrics["variants"] += [row("noise", f"s = {i / 10:g}", 2.0, i / 10) for i in range(11)]
    shown = [one["variant"] for one in latents(metrics).table if one["experiment"] == "noise"]
    assert len(shown) == 5 and (shown[0], shown[-1]) == ("s = 0", "s = 1")
