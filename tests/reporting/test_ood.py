from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest

from fashion_dgm.findings.ood import ood
from fashion_dgm.provenance import ORIGIN
from fashion_dgm.reporting.chapter import Chapter, render_chapter
from tests.reporting.conftest import definition, detected, with_nothing_finite

ABLATION = {"coded_length": 0.7, "nearest_edges": 0.991, "combined_without_flow": 0.994}


def chapter(metrics: dict[str, Any], *figures: str) -> Chapter:
    images = {name: b"" if name in figures else None for name in ("ood_histogram", "ood_matrix", "ood_primary_score")}
    return render_chapter("ood", SimpleNamespace(ood=ood(metrics)), images)


def words(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.fixture
def full(metrics: dict[str, Any]) -> dict[str, Any]:
    """Two flows, every part of the ablation, a score that was not computed, and the reverse direction."""
    found = metrics["ood"]
    model = found["models"]["RealNVP"]
    model["results"] |= {score: {"mnist": detected(value)} for score, value in ABLATION.items()}
    found["models"] = {
        "MixtureFlow": {**model, "in_distribution": {"images": 60, "bits_per_dim": 2.9}},
        "RealNVP": model,
    }
    found["definitions"] |= {score: definition(score, uses_flow=False) for score in ABLATION}
    found["definitions"]["waic"] = definition("WAIC")
    model["missing"]["waic"] = "there are no other weights of this flow"
    found["notes"]["mnist"] = "3.0% of the images are exact copies of images of train"
    found["failed"]["mine"] = "a_b.png holds *nothing*"
    reverse = {**found, "in_distribution": {"name": "mnist", "images": 60}, "sets": {"fashion_mnist": {"images": 500}}}
    for name in ("MixtureFlow", "RealNVP"):
        results = {score: {"fashion_mnist": detected(0.97)} for score in ("likelihood", "combined")}
        inside = {"images": 60, "bits_per_dim": 1.5}
        reverse["models"] = {**reverse["models"], name: {"results": results, "in_distribution": inside}}
    metrics["mnist_ood"] = reverse | {ORIGIN: {"mismatches": ["other images"]}}
    return metrics


def test_everything_that_was_measured_is_shown(full: dict[str, Any]) -> None:
    found = chapter(full, "ood_matrix", "ood_primary_score")
    text = words(found.markdown)
    assert "MNIST: AUROC 0.100 [0.090, 0.110]. In 90% of pairs the OOD image needs fewer bits" in text
    assert "2.00 bits/dim, 1.10 fewer than FashionMNIST" in text and "This is the paradox of" in text
    assert "10,000 under RealNVP and 60 under the mixture flow" in text
    assert (
        "| Set | Images | likelihood, RealNVP | likelihood, mixture flow | combined, RealNVP | combined, mixture flow |"
        in text
    )
    assert (
        "| coded_length | nearest_edges | combined_without_flow | combined, RealNVP | combined, mixture flow |" in text
    )
    assert "| FashionMNIST | 500 | 0.970 [0.968, 0.972] |" in text and "Not comparable: other images." in text
    assert "| WAIC | A paper | one | no | not computed: there are no other weights of this flow" in text
    assert r"mine was not scored: a\_b\.png holds \*nothing\*" in text and "MNIST: 3\\.0% of the images" in text
    assert "::: figure ood_matrix" in text and "::: figure ood_primary_score" in text
    assert found.finding.startswith("The likelihood under RealNVP is higher for MNIST")
    assert found.finding.endswith("of at least 0.99 on 1 of 1 sets; its lowest is 0.995, on MNIST.")


def test_what_was_not_measured_leaves_nothing(metrics: dict[str, Any]) -> None:
    metrics["ood"]["primary_score"] = "likelihood"
    text = chapter(metrics).markdown
    for absent in ("Ablation", "The reverse direction", "Other scores", "ood_matrix", "The two directions"):
        assert absent not in text, absent


@pytest.mark.parametrize(
    ("verdict", "there"),
    [
        ("better", "It is better than the likelihood on MNIST (0.100 to 0.995)"),
        ("worse", "likelihood on MNIST (0.100, not"),
    ],
)
def test_only_the_rule_calls_a_score_better(metrics: dict[str, Any], verdict: str, there: str) -> None:
    assert "better than the" not in chapter(metrics).markdown and "oracle" not in chapter(metrics).markdown
    metrics["ood"]["models"]["RealNVP"]["comparisons"] = {"likelihood": {"mnist": {"verdict": verdict}}}
    assert there in words(chapter(metrics).markdown)


def test_values_that_are_not_finite_lead_to_no_conclusion(metrics: dict[str, Any]) -> None:
    broken = with_nothing_finite(metrics)
    broken["ood"]["least_difference"] = 0.01  # a parameter
    found = chapter(broken)
    assert not re.search(r"\b(nan|inf|None)\b", found.markdown + found.finding)
    for conclusion in ("This is the paradox", "detects MNIST (AUROC", "at least 0.99"):
        assert conclusion not in found.markdown + found.finding
    assert "undefined" in found.finding
