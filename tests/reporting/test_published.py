from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

from fashion_dgm.findings.flow import with_benchmark
from fashion_dgm.findings.literature import LITERATURE
from fashion_dgm.findings.published import published
from fashion_dgm.reporting.chapter import Chapter, render_chapter
from fashion_dgm.reporting.figures import published_comparison
from fashion_dgm.reporting.references import REFERENCES
from fashion_dgm.reporting.style import to_png
from fashion_dgm.reporting.wording import NOT_APPLICABLE
from tests.reporting.conftest import definition, detected

Metrics = dict[str, Any]


def chapter(metrics: Metrics) -> Chapter:
    return render_chapter("published", SimpleNamespace(published=published(with_benchmark(metrics))), {})


def rows(found: Chapter) -> list[set[str]]:
    return [
        {cell.strip(" *") for cell in line.split("|")} for line in found.markdown.splitlines() if line.startswith("|")
    ]


def test_every_published_result_is_printed_with_its_source(metrics: Metrics) -> None:
    found = chapter(metrics)

    def source(key: str) -> str:
        assert key in found.cited
        return f"[{REFERENCES[key].authors} ({REFERENCES[key].year})](#{key})"

    cells = rows(found)
    for likelihood in LITERATURE.likelihood:
        expected = {f"{likelihood.bits:.3f} ± {likelihood.spread:.3f}", source(likelihood.source)}
        assert any(expected <= row for row in cells)
    for detection in LITERATURE.detection:
        assert any({*detection.auroc.values(), source(detection.source)} <= row for row in cells)
    for distance in LITERATURE.distance:
        expected = {f"{distance.fid} ± {distance.spread}", distance.model, source(distance.source)}
        assert any(expected <= row for row in cells)


def test_results_of_the_run_stand_next_to_them(metrics: Metrics) -> None:
    model = metrics["ood"]["models"]["RealNVP"]
    model["results"]["dose"] = {"mnist": detected(0.949)}
    metrics["ood"]["definitions"]["dose"] = definition("DoSE")
    metrics["ood"]["models"]["MixtureFlow"] = model | {"results": {"combined": {"mnist": detected(0.97)}}}
    metrics["mixture_flow"] = {"epochs": 2, "parameters": 800_000}
    found = chapter(metrics)
    text = " ".join(found.markdown.split())
    assert "| **RealNVP, 1 epoch** | 1.23 M | 3.100 ± 0.003 | exact | 10,000 official test | this run |" in text
    assert "| **Mixture flow, 2 epochs** | 0.80 M | 3.100 ± 0.003 | exact |" in text
    assert "| **DoSE, RealNVP** | 0.949 |" in text and "| **combined, mixture flow** | 0.970 |" in text
    assert "DoSE under RealNVP is behind the published result on MNIST (0.949 [0.947, 0.951], published 1.00)." in text
    assert (
        "| **WGAN** | 30.0 | best epoch, on official test images |" in text
        and "The best here is the WGAN with 30.0" in text
    )
    assert found.finding.startswith(
        "On 10,000 official test images RealNVP needs 3.100 ± 0.003 bits/dim, 0.156 more than"
    )


def test_classifier_distances_are_never_compared_with_fid(metrics: Metrics) -> None:
    """docs/reading-the-numbers.md#data-splits"""
    fid = metrics["fid"]
    fid["rows"] = [row for row in fid["rows"] if row["feature_space"] == "classifier"]
    found = chapter(metrics)
    ours = {f"{row['best_on_benchmark']:.1f}" for row in fid["rows"]}
    assert {"All models", NOT_APPLICABLE, "not computed", "this run", ""} in rows(found)
    assert not any(ours & row for row in rows(found)) and "has no FID" in found.markdown


def test_a_pooled_run_compares_with_nothing(metrics: Metrics) -> None:
    assert "no result of this run compares" not in chapter(metrics).markdown
    metrics["data"]["pool"] = "all"
    assert "no result of this run compares" in chapter(metrics).markdown


def test_figure_is_drawn_and_the_same_twice(metrics: Metrics) -> None:
    found = published(with_benchmark(metrics))
    first, second = (to_png(published_comparison(found)) for _ in range(2))
    assert first == second
    likelihood, mnist = published_comparison(found).axes
    assert (
        likelihood.get_title(loc="left") == "Bits/dim (lower is better)"
        and mnist.get_title(loc="left") == "AUROC on MNIST"
    )
    labels = [text.get_text() for text in mnist.get_yticklabels()]
    assert labels[:2] == ["DoSE", "this run: combined, RealNVP"] and labels[-1] == "this run: likelihood, RealNVP"
    metrics["ood"]["in_distribution"]["bits_per_dim"] = math.nan
    axes = published_comparison(published(with_benchmark(metrics))).axes[0]
    assert len(axes.get_yticklabels()) == len(LITERATURE.likelihood)
