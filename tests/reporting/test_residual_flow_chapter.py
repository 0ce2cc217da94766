from __future__ import annotations

import math
from typing import Any

import pytest

from fashion_dgm.reporting import chapters
from fashion_dgm.reporting.chapters.residual_flow import comparison_sentence
from fashion_dgm.reporting.report import ReportContent, TableBlock, TextBlock, build_report

Metrics = dict[str, Any]


@pytest.fixture
def residual() -> Metrics:
    metrics: Metrics = {"epochs": 3, "parameters": 55_000, "draws": 2, "unbiased": True}
    metrics["estimator"] = (
        "10 terms of the series and geometric roulette from there (mean 2), 1 rademacher probe an image"
    )
    for name in ("train", "test", "benchmark"):
        metrics |= {f"{name}_bits_per_dim": 3.5, f"{name}_images": 500}
        metrics |= {f"{name}_probe_error": 0.002, f"{name}_image_error": 0.016}
    metrics |= {"reconstruction_error": 1e-5, "inverse_iterations": 9.5, "inverse_iterations_most": 14}
    return metrics | {"lipschitz_coefficient": 0.98, "largest_layer_norm": 0.9801, "largest_block_bound": 0.94}


def words(flow: Metrics, residual: Metrics, png: bytes) -> str:
    chapter = chapters.residual_flow_chapter(flow, residual, png, png)
    return "\n".join(line for block in chapter.blocks if isinstance(block, TextBlock) for line in block.paragraphs)


@pytest.mark.parametrize(
    ("residual_bits", "error", "verdict"),
    [
        (3.50, 0.016, "RealNVP is ahead by 0.390"),
        (2.90, 0.016, "Residual Flow is ahead by 0.210"),
        (3.14, 0.016, "too close to call"),
        (3.08, 0.016, "too close to call"),
        (3.115, 0.0001, "too close to call"),
        (3.50, 0.200, "too close to call"),
        (math.nan, 0.016, "neither can be called better"),
        (3.50, math.nan, "neither can be called better"),
    ],
)
def test_which_flow_is_better_follows_from_figures_and_errors(metrics, residual, residual_bits, error, verdict):
    residual |= {"test_bits_per_dim": residual_bits, "test_image_error": error}
    assert comparison_sentence(metrics["flow"], residual).endswith(f"{verdict}.")


def test_the_official_images_decide_where_both_were_measured(metrics, residual):
    flow = metrics["flow"] | {"benchmark_bits_per_dim": 3.2, "benchmark_images": 10_000}
    assert "On official test images Residual Flow needs 3.500 ± 0.016 bits/dim" in comparison_sentence(flow, residual)
    assert "On held-out images" in comparison_sentence(metrics["flow"], residual)


def test_both_flows_stand_in_one_table(metrics, residual, png):
    chapter = chapters.residual_flow_chapter(metrics["flow"], residual, png, png)
    (table,) = [block for block in chapter.blocks if isinstance(block, TableBlock)]
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["Bits/dim, held-out"] == ("3.110", "3.500 ± 0.016")
    assert rows["Density of the dequantised image"] == ("exact", "estimated without bias")
    assert "500 of each" in table.caption
    html = build_report(ReportContent("Report", (chapter,)))
    assert 'id="residual-flow"' in html and "Behrmann" in html


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "less than half a grey level"),
        ({"reconstruction_error": 0.1}, "more than half a grey level"),
        ({"reconstruction_error": math.nan}, "broke down"),
        ({}, "every block is a contraction"),
        ({"largest_block_bound": 1.001}, "nothing vouches for the inverse"),
        ({"largest_layer_norm": math.inf}, "norms are not finite"),
        ({"largest_layer_norm": 0.9947}, "a layer is 1.5% above its bound"),
        ({}, "is the smaller uncertainty"),
        ({"test_probe_error": 0.02}, "is the larger uncertainty"),
        ({"test_probe_error": math.nan}, "say little"),
    ],
)
def test_what_is_concluded_follows_from_the_figures(metrics, residual, png, changes, text):
    assert text in words(metrics["flow"], residual | changes, png)


def test_nothing_finite_concludes_nothing(metrics, residual, png):
    broken = {name: math.nan if isinstance(value, float) else value for name, value in residual.items()}
    text = words(metrics["flow"], broken, png)
    for conclusion in ("is ahead", "is a contraction", "half a grey level", "uncertainty"):
        assert conclusion not in text
