"""The chapter on estimates of the log-determinant says what its numbers say."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest

from fashion_dgm.reporting import chapters
from fashion_dgm.reporting.report import NoteBlock, ReportContent, TableBlock, TextBlock, build_report

Metrics = dict[str, Any]
FIGURES = ("truncation", "probes", "bias", "variance", "budget")


def roulette(name: str, **changes: Any) -> Metrics:
    return {
        "estimator": name,
        "family": "geometric",
        "expected_terms": 4.0,
        "bias": 0.01,
        "bias_error": 0.02,
        "standard_deviation": 1.5,
        "standard_deviation_theory": 1.49,
        "truncation_bias": 0.5,
        "truncation_deviation": 1.2,
        "break_even": 256.3,
        **changes,
    }


def block(kind: str, **changes: Any) -> Metrics:
    return {
        "block": f"{kind}, D = 64, L = 0.9",
        "kind": kind,
        "dimension": 64,
        "lipschitz": 0.9,
        "norm": 0.5,
        "radius": 0.3,
        "log_det": -4.2,
        "diagonal_share": 0.25,
        "ratio": 0.76,
        "ratio_interval": [0.7, 0.82],
        "ratio_theory": 0.75,
        "standard_deviation": 1.4,
        "terms_needed": 3,
        "terms_by_bound": 64,
        "small_bias": 0.01,
        "truncations": [{"terms": 1, "bias": 0.3, "error": 0.02}, {"terms": 5, "bias": -2e-5, "error": 0.02}],
        "roulettes": [
            roulette("2 + geometric, stop 0.5"),
            roulette("2 + Poisson, mean 2", family="poisson", standard_deviation_theory=None, break_even=None),
        ],
        **changes,
    }


def outcome(**changes: Any) -> Metrics:
    return {
        "comparisons": 100,
        "covered": 94,
        "largest": 2.5,
        "limit": 3.5,
        "agrees": True,
        "beyond": 0,
        "farthest": "dense: x",
        **changes,
    }


@pytest.fixture
def study() -> Metrics:
    return {
        "draws": 4000,
        "trained_draws": 1000,
        "confidence": 0.95,
        "blocks": 24,
        "unbiased": {
            "finite": outcome(),
            "infinite": outcome(covered=70, largest=15.0, agrees=False, beyond=9),
            "truncation": outcome(biased=44),
        },
        "variance": outcome(),
        "focus": [block("dense"), block("contracting")],
        "trained": None,
    }


TRAINED = {
    "images": 2,
    "layers": 8,
    "dimension": 784,
    "lipschitz": 0.94,
    "norm": [0.2, 0.6],
    "radius": [0.1, 0.5],
    "diagonal_share": [0.1, 0.4],
    "estimators": [
        {"estimator": "1 term", "expected_terms": 1.0, "bias": 0.0123, "bound": 3.0, "noise": 0.02},
        {"estimator": "5 terms", "expected_terms": 5.0, "bias": -0.0001, "bound": 0.2, "noise": 0.021},
        {"estimator": "2 + Poisson, mean 2", "expected_terms": 4.0, "bias": 0.0, "bound": 0.0, "noise": None},
    ],
}


def chapter_of(study: Metrics, png: bytes) -> Any:
    return chapters.log_det_chapter(study, dict.fromkeys(FIGURES, png))


def text_of(study: Metrics, png: bytes) -> str:
    blocks = chapter_of(study, png).blocks
    return "\n".join(line for one in blocks if isinstance(one, TextBlock | NoteBlock) for line in one.paragraphs)


def tables_of(study: Metrics, png: bytes) -> list[TableBlock]:
    return [one for one in chapter_of(study, png).blocks if isinstance(one, TableBlock)]


def test_it_renders_and_twice_alike(study: Metrics, png: bytes) -> None:
    first, second = (
        build_report(ReportContent("A report", (chapter_of(metrics, png),)))
        for metrics in (study, copy.deepcopy(study))
    )
    assert first == second
    assert "<math" in first


def test_whether_roulette_is_unbiased_follows_the_test(study: Metrics, png: bytes) -> None:
    assert "no bias is found in 100 cases" in text_of(study, png)
    assert "are unbiased within" in chapter_of(study, png).finding
    study["unbiased"]["finite"] |= {"agrees": False, "largest": 9.0}
    assert "a bias is found, against theory" in text_of(study, png)
    assert "deviate from the truth" in chapter_of(study, png).finding


def test_infinite_variances_are_judged_apart(study: Metrics, png: bytes) -> None:
    assert "70% of 100 intervals hold the truth" in text_of(study, png)
    assert "By more than chance allows, 9 are off: unbiased on paper, and yet wrong in practice" in text_of(study, png)
    study["unbiased"]["infinite"] |= {"agrees": True, "largest": 2.0}
    assert "do not show what theory warns of" in text_of(study, png)
    study["unbiased"]["infinite"] = outcome(comparisons=0, covered=0, largest=None)
    assert "infinite variance:" not in text_of(study, png)


def test_variances_agree_only_if_they_do(study: Metrics, png: bytes) -> None:
    assert "agree with theory" in text_of(study, png)
    study["variance"] |= {"agrees": False, "largest": 8.0}
    assert "deviate from theory" in text_of(study, png)


def test_no_difference_between_probes_within_noise(study: Metrics, png: bytes) -> None:
    assert "Within noise there is no difference" not in text_of(study, png)
    study["focus"][0] |= {"ratio": 0.97, "ratio_interval": [0.9, 1.04]}
    assert text_of(study, png).count("Within noise there is no difference") == 1


def test_terms_needed_are_told_beside_the_bound(study: Metrics, png: bytes) -> None:
    assert "3\u00a0terms bring the bias below 0.01 nats; the bound asks for 64" in text_of(study, png)
    study["focus"][0]["terms_needed"] = None
    assert "do not bring the bias below" in text_of(study, png)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "for estimates that may cost more than about 260 products"),
        ({"break_even": 0.0}, "has the smaller error at any budget"),
        ({"truncation_bias": 1e-9, "break_even": 1e15}, "roulette has nothing to win"),
        ({"standard_deviation_theory": None, "break_even": None}, "no roulette has a finite variance"),
    ],
)
def test_the_winner_at_equal_cost_follows_the_break_even(
    study: Metrics, png: bytes, changes: Metrics, words: str
) -> None:
    for one in study["focus"]:
        one["roulettes"][0] |= changes
    assert text_of(study, png).count(words) == 2


def test_without_a_trained_flow_it_says_how_to_get_one(study: Metrics, png: bytes) -> None:
    assert "train_residual_flow,log_det_study,report" in text_of(study, png)
    assert len(tables_of(study, png)) == 2
    study["trained"] = TRAINED
    assert "train_residual_flow" not in text_of(study, png)
    rows = tables_of(study, png)[1].rows
    assert rows[0] == ("1 term", "1", "0.01230", "3.0", "0.02000")
    assert rows[1] == ("5 terms", "5", "\u22120.00010", "0.20", "0.02100")
    assert rows[2] == ("2 + Poisson, mean 2", "4", "0.00000", "0", "∞")


def test_the_bias_of_the_trained_flow_is_held_against_its_noise(study: Metrics, png: bytes) -> None:
    study["trained"] = copy.deepcopy(TRAINED)
    assert "bias of 0.012 bits/dim, and 5 terms one of" in text_of(study, png)
    assert "at least ten times as much" in text_of(study, png)
    study["trained"]["estimators"][1]["bias"] = -0.01
    assert "at least ten times as much" not in text_of(study, png)


def test_infinite_deviations_are_shown_as_such(study: Metrics, png: bytes) -> None:
    rows = tables_of(study, png)[-1].rows
    assert rows[0] == ("2 + geometric, stop 0.5", "4", "1.50 (1.49)", "1.50 (1.49)")
    assert rows[1][2] == "1.50 (∞)"


def test_values_that_are_not_finite_lead_to_no_conclusion(study: Metrics, png: bytes) -> None:
    study["focus"][0] |= {"ratio": math.nan, "norm": math.nan, "log_det": math.inf}
    assert "the ratio of variances was not measured" in text_of(study, png)
    html = build_report(ReportContent("A report", (chapter_of(study, png),)))
    assert ">nan<" not in html
    assert ">inf<" not in html
