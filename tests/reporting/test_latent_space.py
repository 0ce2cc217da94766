from __future__ import annotations

import copy
import math
import re
from typing import Any

import pytest

from fashion_dgm.reporting import chapters
from fashion_dgm.reporting.report import BlockChapter, ReportContent, TableBlock, TextBlock, build_report

FIGURES = (
    "latent_temperatures",
    "latent_off_typical",
    "latent_scales",
    "latent_interpolations",
    "latent_paths",
    "latent_strangers",
)


def row(experiment: str, variant: str, bits: float, level: float | None = None, **more: Any) -> dict[str, Any]:
    return {
        "experiment": experiment,
        "variant": variant,
        "level": level,
        "images": 40,
        "bits_per_dim": bits,
        "bits_per_dim_interval": [bits - 0.1, bits + 0.1],
        "norm": 1.0,
        "norm_again": 1.0,
        "likelier_than": 0.5,
        "like_host": None,
        "like_donor": None,
        "changed": None,
    } | more


def path(difference: float, norm: float) -> dict[str, Any]:
    return {
        "middle": 3.0,
        "norm": norm,
        "difference": difference,
        "difference_interval": [difference - 0.1, difference + 0.1],
    }


@pytest.fixture
def metrics() -> dict[str, Any]:
    return {
        "stranger": "mnist",
        "confidence": 0.95,
        "reference": {"images": 500, "bits_per_dim": 3.0, "quantiles": [2.0, 4.0]},
        "variants": [
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
            row("familiar", "as it is", 3.0),
            row("stranger", "as it is", 1.6, norm=1.07),
            row("stranger", "encoded and decoded", 1.6, changed=0.0),
            row("mixture", "scale 1 of the stranger", 3.1, 1, like_host=0.9, like_donor=0.2),
            row("noise", "s = 0", 1.6, 0.0),
            row("noise", "s = 1", 3.6, 1.0),
        ],
        "paths": {
            "path_pixels": path(0.9, 0.97),
            "path_linear": path(-0.3, 0.8),
            "path_spherical": path(0.02, 1.0),
            "linear_minus_spherical": {"difference": -0.4, "difference_interval": [-0.5, -0.3]},
        },
    }


def text_of(metrics: dict[str, Any], png: bytes) -> str:
    chapter = chapter_of(metrics, png)
    return "\n".join(line for block in chapter.blocks if isinstance(block, TextBlock) for line in block.paragraphs)


def chapter_of(metrics: dict[str, Any], png: bytes) -> BlockChapter:
    return chapters.latent_space_chapter(metrics, dict.fromkeys(FIGURES, png))


def change(metrics: dict[str, Any], variant: str, **values: Any) -> dict[str, Any]:
    changed = copy.deepcopy(metrics)
    for entry in changed["variants"]:
        if entry["variant"] == variant:
            if "bits_per_dim" in values:
                bits = values["bits_per_dim"]
                entry["bits_per_dim_interval"] = [bits - 0.1, bits + 0.1]
            entry |= values
    return changed


def test_temperature_of_the_fewest_bits_is_named(metrics, png) -> None:
    text = text_of(metrics, png)
    assert "At T = 0.5 images need the fewest bits, 2.50 [2.40, 2.60]" in text
    assert "likelier than 80% of real images" in text and "lie off the shell" in text
    assert "likelier than over 99% of" in text_of(change(metrics, "T = 0.5", likelier_than=0.998), png)
    other = text_of(change(metrics, "T = 0.5", bits_per_dim=4.5), png)
    assert "At T = 1 images need the fewest bits" in other and "lie on the shell" in other
    same = text_of(change(metrics, "T = 0.5", bits_per_dim=3.55), png)
    assert "do not differ by more than the intervals" in same


@pytest.mark.parametrize(
    ("bits", "words"), [(3.5, "more than real"), (2.5, "fewer than real"), (3.05, "no different, within the interval")]
)
def test_own_samples_are_held_against_real_images(metrics, png, bits: float, words: str) -> None:
    assert words in text_of(change(metrics, "T = 1", bits_per_dim=bits), png)


def test_finding_follows_the_ranks_of_mode_and_draws(metrics, png) -> None:
    likely = change(metrics, "all 0", likelier_than=0.9)
    found = chapter_of(change(likely, "T = 1", likelier_than=0.3), png).finding
    assert found.endswith("90% of real images, what its prior draws likelier than 30%: typical is not most likely.")
    assert chapter_of(change(likely, "T = 1", likelier_than=0.95), png).finding.endswith("likelier than 95%.")


def test_mode_is_held_against_other_constants(metrics, png) -> None:
    assert "all \u22121 needs 1.50" in text_of(metrics, png)
    dear = change(metrics, "all -1", bits_per_dim=6.0)
    assert "No other constant latent gives a likelier image" in text_of(dear, png)


@pytest.mark.parametrize(
    ("bits", "words"), [(2.5, ": fewer."), (4.5, ": more."), (3.5, ": as many, within the intervals.")]
)
def test_sparse_latents_point_either_way(metrics, png, bits: float, words: str) -> None:
    assert words in text_of(change(metrics, "1 active", bits_per_dim=bits), png)


def test_scales_are_judged_by_likeness(metrics, png) -> None:
    text = text_of(metrics, png)
    assert "It is scale 2 that decides what is seen." in text
    neither = change(metrics, "scale 2 of another", like_donor=0.1)
    assert "decides what is seen" not in text_of(neither, png)


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        ((-0.4, [-0.5, -0.3]), "the straight way is likelier halfway than the spherical one, by 0.40 [0.30, 0.50]"),
        ((0.4, [0.3, 0.5]), "the spherical way is likelier halfway than the straight one, by 0.40 [0.30, 0.50]"),
        ((0.1, [-0.1, 0.3]), "do not differ in bits/dim beyond the interval"),
    ],
)
def test_ways_are_compared_pair_by_pair(metrics, png, gap, words: str) -> None:
    metrics["paths"]["linear_minus_spherical"] = {"difference": gap[0], "difference_interval": gap[1]}
    text = text_of(metrics, png)
    assert words in text
    assert "blending the pixels needs 0.90 [0.80, 1.00] bits/dim more than the ends" in text
    assert "straight way through latent space needs 0.30 [0.20, 0.40] bits/dim fewer" in text
    assert "along the sphere needs as many bits/dim as the ends" in text


def test_reconstruction_is_exact_only_where_it_is(metrics, png) -> None:
    assert "comes back pixel for pixel" in text_of(metrics, png)
    lossy = text_of(change(metrics, "encoded and decoded", changed=0.002), png)
    assert "pixel for pixel" not in lossy and "with 0.20% of its pixels changed" in lossy


@pytest.mark.parametrize(("bits", "word"), [(3.6, "dearer"), (0.6, "cheaper"), (1.6, "neither dearer nor cheaper")])
def test_noise_in_the_stranger_points_either_way(metrics, png, bits: float, word: str) -> None:
    assert f"makes the images {word}" in text_of(change(metrics, "s = 1", bits_per_dim=bits), png)


def test_many_levels_are_thinned_in_the_table_but_not_their_ends(metrics, png) -> None:
    levels = [row("noise", f"s = {i / 10:g}", 2.0, i / 10) for i in range(11)]
    metrics["variants"] = [entry for entry in metrics["variants"] if entry["experiment"] != "noise"] + levels
    table = next(block for block in chapter_of(metrics, png).blocks if isinstance(block, TableBlock))
    shown = [cells[0] for cells in table.rows if cells[0].startswith("Noise")]
    assert len(shown) == 5 and shown[0].endswith("s = 0") and shown[-1].endswith("s = 1")


def test_nothing_finite_leads_to_no_conclusion(metrics, png) -> None:
    def broken(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: item if key == "level" else broken(item) for key, item in value.items()}
        if isinstance(value, list):
            return [broken(item) for item in value]
        return math.nan if isinstance(value, float) else value

    chapter = chapter_of(broken(metrics) | {"confidence": 0.95}, png)
    html = build_report(ReportContent("t", (chapter,)))
    assert re.search(r"\b(nan|inf)\b", re.sub(r"base64,[^\"]*", "", html), re.IGNORECASE) is None
    for conclusion in ("need the fewest", "decides what is seen", "Pair by pair", "pixel for pixel"):
        assert conclusion not in html
