from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from fashion_dgm.findings.data import data
from fashion_dgm.reporting.chapter import Chapter, render_chapter


def chapter(metrics: dict[str, Any]) -> Chapter:
    return render_chapter("data", SimpleNamespace(data=data(metrics["data"], metrics["ood_sets"])), {})


def test_splits_and_sets_are_shown(metrics: dict[str, Any]) -> None:
    text = " ".join(chapter(metrics).markdown.split())
    assert "48,000 for training (80%) and 12,000 held out (20%)" in text
    assert "all classes have the same size" in text and "neither training nor" in text
    assert "| mine | a user's images; colour to grey | 30 | `4b4b4b4b4b4b` |" in text
    assert "| black images | every pixel 0 | 256, all alike |" in text
    assert "Not available in this run: damaged and KMNIST" in text or "KMNIST and damaged" in text
    assert r"mine: 50\.0% of the images are exact copies" in text
    assert chapter(metrics).finding.endswith("evaluated on 22,000 others.")


def test_pooled_test_images_are_not_called_untouched(metrics: dict[str, Any]) -> None:
    metrics["data"]["pool"] = "all"
    text = " ".join(chapter(metrics).markdown.split())
    assert "neither training nor" not in text and "no result here compares with published ones" in text


def test_what_is_not_there_leaves_nothing(metrics: dict[str, Any]) -> None:
    del metrics["data"]["splits"]["benchmark"]
    metrics["data"]["splits"]["test"]["per_class"][0] = 1_000
    metrics["ood_sets"]["sets"] = {"mnist": metrics["ood_sets"]["sets"]["mnist"]}
    text = chapter(metrics).markdown
    assert "held-out (1,000 to 1,200 images per class)" in text
    assert "official test images" not in text.split("###")[0] and "not OOD" not in text and "ot available" not in text
