"""The chapters on RealNVP, the mixture flow and Residual Flow."""

from __future__ import annotations

import math
import re
from types import SimpleNamespace
from typing import Any

import pytest

from fashion_dgm.findings.flow import flow, with_benchmark
from fashion_dgm.findings.mixture_flow import mixture_flow
from fashion_dgm.findings.residual_flow import residual_flow
from fashion_dgm.reporting.chapter import Chapter, render_chapter
from fashion_dgm.reporting.markdown import Counter, to_html
from fashion_dgm.reporting.wording import NOT_APPLICABLE

Metrics = dict[str, Any]
MODELS = ("flow", "mixture_flow", "residual_flow")
ANCHORS = ("flow", "mixture-flow", "residual-flow")


@pytest.fixture
def metrics(metrics: Metrics) -> Metrics:
    residual = {**metrics["flow"], "draws": 2, "estimator": "10 terms, 1 rademacher probe", "unbiased": True}
    residual |= {"training_unbiased": True, "inverse_iterations_most": 12}
    residual |= {
        "test_probe_error": 0.002,
        "test_image_error": 0.016,
        "inverse_iterations": 9.5,
        "inverse_iterations_most": 12,
    }
    residual |= {"lipschitz_coefficient": 0.98, "largest_layer_norm": 0.9801, "largest_block_bound": 0.94}
    bound = {"images": 20, "bits_per_dim": {"1": 3.0, "16": 2.9}, "gain": {"1": 0.0, "16": 0.1}, "effective_draws": 1.2}
    return metrics | {
        "mixture_flow": metrics["flow"] | {"benchmark_bits_per_dim": 3.0},
        "residual_flow": residual,
        "flow_discrete_likelihood": bound,
    }


def chapter(anchor: str, metrics: Metrics) -> Chapter:
    metrics = with_benchmark(metrics)
    findings = SimpleNamespace(
        flow=flow(metrics["flow"], {"flow": metrics["flow_discrete_likelihood"]}),
        mixture_flow=mixture_flow(metrics["flow"], metrics["mixture_flow"]),
        residual_flow=residual_flow(metrics["flow"], metrics["residual_flow"]),
    )
    made = render_chapter(anchor, findings, {})
    to_html(made.markdown, {f"{name}_{kind}": None for name in MODELS for kind in ("curve", "samples")}, Counter())
    return made


def test_the_sections_and_rows_that_there_are_results_for(metrics: Metrics) -> None:
    made = chapter("flow", metrics)
    assert "| **Bits/dim, 10,000 official test images** | 3.100 ± 0.003 |" in made.markdown
    assert "| RealNVP | 20 | 3.000 | 2.900 | 0.100 | 1.2 of 16 |" in made.markdown and "burda-2016" in made.cited
    made = render_chapter("flow", SimpleNamespace(flow=flow(metrics["flow"])), {})
    for absent in ("From dequantised images", "official test images**", "seen in training"):
        assert absent not in made.markdown
    assert "burda-2016" not in made.cited


def test_flows_stand_in_one_table(metrics: Metrics) -> None:
    text = chapter("mixture-flow", metrics).markdown
    assert "| Bits/dim, official test images | 3.100 ± 0.003 | 3.000 |" in text
    text = chapter("residual-flow", metrics).markdown
    assert f"| Bits/dim, official test images | 3.100 ± 0.003 | {NOT_APPLICABLE} |" in text
    assert "| Bits/dim, held-out images | 3.110 | 3.110 ± 0.016 |" in text
    assert "| Density of the dequantised image | exact | estimated without bias |" in text


@pytest.mark.parametrize("anchor", ANCHORS)
def test_nothing_finite_leads_to_no_conclusion(metrics: Metrics, anchor: str) -> None:
    for name in MODELS:
        metrics[name] = {key: math.nan if isinstance(value, float) else value for key, value in metrics[name].items()}
    made = chapter(anchor, metrics)
    assert not re.search(r"\b(nan|inf)\b", made.markdown)
    for words in ("overfits", "fewer for", "more for", "is a contraction", "half a grey level", "uncertainty"):
        assert words not in made.markdown + made.finding
