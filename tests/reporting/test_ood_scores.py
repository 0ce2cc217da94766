from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.metrics.detection import detection
from fashion_dgm.ood.comparison import compare_with_headline
from fashion_dgm.reporting import chapters, figures
from fashion_dgm.reporting.chapters.ood_scores import headline_summary, score_blocks
from fashion_dgm.reporting.report import TableBlock


def entry(auroc: float | None, spread: float = 0.01) -> dict[str, Any]:
    if auroc is None:
        return {"auroc": None, "aupr": None, "fpr95": None}
    bounds = [auroc - spread, auroc + spread]
    return dict.fromkeys(("auroc", "aupr", "fpr95"), auroc) | {
        f"{name}_interval": bounds for name in ("auroc", "aupr", "fpr95")
    }


def definition(label: str, labels: bool = False) -> dict[str, Any]:
    return {"label": label, "paper": "A paper", "tails": "one", "uses_labels": labels}


def compared(difference: float, verdict: str) -> dict[str, Any]:
    return {"difference": difference, "interval": [difference - 0.01, difference + 0.01], "verdict": verdict}


@pytest.fixture
def ood(metrics: dict[str, Any]) -> dict[str, Any]:
    found = copy.deepcopy(metrics["ood"])
    flip = "fashion_mnist_vertical_flip"
    found["sets"][flip] = found["sets"]["mnist"] | {"auroc": 0.5, "auroc_interval": [0.49, 0.51]}
    results = {
        "likelihood": {"mnist": entry(0.1), flip: entry(0.5)},
        "combined": {"mnist": entry(0.995, 0.002), flip: entry(0.8)},
        "nearest_features": {"mnist": entry(0.9), flip: entry(0.95)},
    }
    return found | {
        "model": "RealNVP",
        "models": {
            "RealNVP": {
                "results": results,
                "groups": {"5": {"mnist": entry(0.99)}},
                "comparisons": {
                    "likelihood": {"mnist": compared(0.895, "better"), flip: compared(0.3, "better")},
                    "nearest_features": {"mnist": compared(0.095, "better"), flip: compared(-0.15, "worse")},
                },
                "missing": {"waic": "there are no other weights of this flow"},
            }
        },
        "headline": "combined",
        "definitions": {
            "likelihood": definition("likelihood"),
            "combined": definition("combined"),
            "nearest_features": definition("neighbours, classifier", labels=True),
            "waic": definition("WAIC"),
        },
        "notes": {"mnist": "3.0% of the images are exact copies of images of train"},
        "failed": {"mine": "it holds nothing"},
        "comparisons": 4,
        "least_difference": 0.01,
        "fit_images": 5000,
        "reference_images": 43000,
    }


def text(ood: dict[str, Any], png: bytes) -> str:
    blocks = chapters.ood_chapter(ood, png, png, png).blocks
    return "\n".join(paragraph for block in blocks for paragraph in getattr(block, "paragraphs", ()))


def test_the_ablation_shows_every_part_of_the_combined_score(ood: dict[str, Any], png: bytes) -> None:
    assert "ablation" not in text(ood, png)
    results = ood["models"][ood["model"]]["results"]
    for score, auroc in (("coded_length", 0.7), ("nearest_edges", 0.991), ("combined_without_flow", 0.995)):
        results[score] = {name: {**entry, "auroc": auroc} for name, entry in results["combined"].items()}
        ood["definitions"][score] = definition(score)
    assert "MNIST coder alone 0.700, neighbours alone 0.991, both 0.995 and both with the flow" in text(ood, png)


def test_what_mends_it_is_told_with_its_limits(ood: dict[str, Any], png: bytes) -> None:
    found = text(ood, png)
    assert "AUROC of at least 0.99 on 1 of 2 sets; its lowest is 0.800, on FashionMNIST upside down" in found
    assert "better than the likelihood on MNIST (0.100 to 0.995) and FashionMNIST upside down (0.500 to 0.800)" in found
    assert "stays weak (below 0.9) on FashionMNIST upside down" in found
    # Only the set on which another score is better, and that it needs labels.
    assert "neighbours, classifier, which uses labels, on FashionMNIST upside down (0.950, not 0.800)" in found
    assert "at least 0.01 and its interval leaves out 0" in found and "all 4 comparisons" in found
    assert "oracle" in found
    assert "0.990 in groups of 5" in found
    assert "MNIST: 3.0% of the images are exact copies" in found
    assert "mine was not scored: it holds nothing" in found


def test_only_the_rule_calls_a_score_better(ood: dict[str, Any], png: bytes) -> None:
    """Intervals of each AUROC on its own decide nothing, whether they overlap or not."""
    model = ood["models"]["RealNVP"]
    for of_set in model["comparisons"].values():
        for entry in of_set.values():
            entry["verdict"] = "undecided"
    found = text(ood, png)
    assert "better than the" not in found and "worse than the" not in found and "oracle" not in found


def test_no_sentence_prints_0_999_and_1_000_and_calls_one_better(ood: dict[str, Any], png: bytes) -> None:
    """Both scores detect nearly all, one of them a little more, and separately computed intervals do not overlap."""
    rng = np.random.default_rng(0)
    inside, outside = rng.standard_normal(10_000), rng.standard_normal(10_000)
    shifts = {"combined": 4.6, "likelihood": 6.0}
    found = {
        ("RealNVP", "mnist", name): detection(inside, outside + shift, 200, 0.95, 0) for name, shift in shifts.items()
    }
    values = [found[key].auroc for key in found]
    assert [f"{value:.3f}" for value in values] == ["0.999", "1.000"]
    assert (
        found["RealNVP", "mnist", "combined"].auroc_interval[1]
        < found["RealNVP", "mnist", "likelihood"].auroc_interval[0]
    )
    (row,) = compare_with_headline(found, "combined", 0.95, 0.01).to_dict("records")
    assert row["high"] < 0 and row["verdict"] == "undecided"
    ood["models"]["RealNVP"]["comparisons"] = {"likelihood": {"mnist": compared(row["difference"], row["verdict"])}}
    for name, value in zip(shifts, values, strict=True):
        ood["models"]["RealNVP"]["results"][name]["mnist"] = entry(value, 0.0001)
    assert "worse than the likelihood" not in text(ood, png) and "oracle" not in text(ood, png)


def test_a_score_that_was_not_made_says_why(ood: dict[str, Any]) -> None:
    tables = [block for block in score_blocks(ood, None, None) if isinstance(block, TableBlock)]
    rows = {row[0]: row for table in tables for row in table.rows}
    assert rows["WAIC"][-1] == "not made: there are no other weights of this flow"
    assert rows["neighbours, classifier"][3] == "yes"


def test_undefined_figures_lead_to_no_conclusion(ood: dict[str, Any], png: bytes) -> None:
    results = ood["models"]["RealNVP"]["results"]
    for name in results:
        results[name] = {dataset: entry(None) for dataset in results[name]}
    assert headline_summary(ood) == ()
    ood["models"]["RealNVP"]["comparisons"] = {}
    assert "better than the" not in text(ood, png)


def table(aurocs: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "model": "RealNVP",
            "dataset": ["mnist", "black", "mnist"],
            "score": ["likelihood", "likelihood", "typicality"],
            "group_size": [1, 1, 5],
            "auroc": aurocs,
        }
    )


def test_matrix_writes_every_result_rounded_as_in_tables() -> None:
    figure = figures.auroc_matrix(table([0.12345, 0.9999, 1.0]), {"likelihood": "L", "typicality": "T"}, "likelihood")
    axes = figure.axes[0]
    assert [t.get_text() for t in axes.texts] == [".123", "1.000", "1.000", "–"]  # noqa: RUF001
    assert [t.get_text() for t in axes.get_yticklabels()] == ["L", "T, groups of 5"]
    assert axes.get_yticklabels()[0].get_fontweight() == "bold"
    with pytest.raises(FashionDGMError, match="no score"):
        figures.auroc_matrix(table([0, 0, 0])[:0], {}, "likelihood")


def test_scores_beyond_the_axis_are_in_its_last_bar() -> None:
    rng = np.random.default_rng(0)
    scores = pd.DataFrame(
        {"dataset": ["fashion_mnist"] * 500 + ["noise"] * 20, "combined": np.r_[rng.exponential(1, 500), [1e6] * 20]}
    )
    figure = figures.score_histogram(scores, "combined", "fashion_mnist", {"noise": "1.000"})
    _low, high = figure.axes[0].get_xlim()
    assert high < 50
    heights, edges, _ = figure.axes[1].patches[-1].get_data()
    assert heights.max() == 1 and edges[-1] < high
