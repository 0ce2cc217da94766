"""The chapter on estimates of the log-determinant."""

from __future__ import annotations

import math
import re
from types import SimpleNamespace
from typing import Any

import pytest

from fashion_dgm.findings.log_det import log_det
from fashion_dgm.reporting.chapter import render_chapter
from fashion_dgm.reporting.markdown import Counter, to_html
from fashion_dgm.reporting.wording import number, significant
from tests.findings.test_log_det import block, outcome, study, trained

FIGURES = {f"log_det_{name}": None for name in ("truncation", "probes", "bias", "variance", "budget")}


def text_of(metrics: dict[str, Any]) -> str:
    made = render_chapter("log-det", SimpleNamespace(log_det=log_det(metrics)), {})
    assert made.finding
    html = to_html(made.markdown, FIGURES, Counter())
    assert re.search(r"\b(nan|inf)\b", html) is None
    return made.markdown


def test_rows_and_kinds_of_blocks() -> None:
    text = text_of(study(block("dense"), block("contracting", terms_needed=None)))
    row = f"{number(-4.2)} | 1.40 | 0.30 | {significant(-2e-5, 2)}"
    assert f"| Dense | {row} | 3 | 64 |" in text
    assert f"| Contracting | {row} | not reached | 64 |" in text
    assert "| 4 | 1.50 (∞) | 1.50 (∞) |" in text
    assert text.count("from a budget of about 260 products on") == 2
    assert "On dense and contracting blocks it is smaller than that of Gaussian probes." in text


def test_with_and_without_a_trained_flow() -> None:
    text = text_of(study())
    assert "train_residual_flow,log_det_study,report" in text and "Bound of the bias" not in text
    text = text_of(study(trained=trained(("1 term", 0.0123, 3.0, 0.02), ("2 + Poisson", 0.0, 0.0, None))))
    assert "train_residual_flow" not in text
    assert "| 1 term | 4 | 0.01230 | 3.0 | 0.02000 |" in text and "| 0.00000 | 0 | ∞ |" in text


@pytest.mark.parametrize("group", ["finite", "infinite"])
def test_what_was_not_tested_is_not_concluded(group: str) -> None:
    metrics = study()
    assert f"| Bias of roulette, {group} variance |" in text_of(metrics)
    metrics["unbiased"][group] = outcome(comparisons=0, covered=0, largest=None)
    assert f"| Bias of roulette, {group} variance |" not in text_of(metrics)


def test_values_that_are_not_finite_lead_to_no_conclusion() -> None:
    text = text_of(study(block("dense", ratio=math.nan, log_det=math.inf)))
    assert "blocks it is smaller" not in text and "beyond the noise" not in text and "n/a" in text
