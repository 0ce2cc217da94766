from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

from fashion_dgm.findings.likelihood import likelihood
from fashion_dgm.reporting.chapter import Chapter, render_chapter
from fashion_dgm.reporting.markdown import Counter, to_html
from tests.findings.test_likelihood import gap, metrics, with_nothing_finite

FIGURES = (
    "likelihood_gap",
    "likelihood_by_layer",
    "layer_trace",
    "likelihood_complexity",
    "perturbation_examples",
    "perturbation_curves",
)


def written(measured: dict[str, Any]) -> Chapter:
    return render_chapter("likelihood", SimpleNamespace(likelihood=likelihood(measured)), dict.fromkeys(FIGURES, b""))


def test_gap_stands_in_summary_and_chapter(png: bytes) -> None:
    measured = metrics()
    # A JSON file sorts names.
    parts = measured["sets"]["mnist"]["gap"]["parts"]
    measured["sets"]["mnist"]["gap"]["parts"] = {name: parts[name] for name in sorted(parts)}
    chapter = written(measured)
    assert chapter.finding.startswith("MNIST needs 1.60 fewer bits/dim than FashionMNIST [1.50, 1.70]. The log-det")
    assert "the gap comes from the volume." in chapter.markdown
    terms = re.findall(
        r"^\| (logit|ActNorm|couplings, scale 1|latents, scale 1|\*\*Sum\*\*) \|", chapter.markdown, re.M
    )
    assert terms == ["logit", "ActNorm", "couplings, scale 1", "latents, scale 1", "**Sum**"]
    html = to_html(chapter.markdown, dict.fromkeys(FIGURES, png), Counter())
    assert html.count("<img") == 6 and "None" not in html


def test_without_a_gap_there_is_nothing_to_decompose() -> None:
    measured = metrics()
    measured["sets"]["mnist"]["gap"] = gap(logit=0.01, latents_1=0.01)
    chapter = written(measured)
    assert "there is no gap to explain" in chapter.finding
    assert "log-determinants account" not in chapter.finding and "largest single term" not in chapter.markdown


def test_from_values_that_are_not_finite_nothing_is_concluded() -> None:
    chapter = written(with_nothing_finite(metrics()))
    text = chapter.finding + chapter.markdown
    assert re.search(r"\b(nan|inf|None)\b", text) is None
    conclusions = (
        "comes from the volume",
        "They narrow the gap",
        "remains:",
        "accounts for",
        "likelier |",
        "Here they",
    )
    assert [words for words in conclusions if words in text] == []
    assert all(words in written(metrics()).markdown for words in conclusions)
