"""Figures of the study of log-determinants."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.reporting import figures
from fashion_dgm.reporting.style import DPI, WIDTH, to_png

KINDS = ("dense", "convolutional", "contracting", "trained")
ESTIMATORS = {
    "1 term": ("truncation", 1, 1.0),
    "5 terms": ("truncation", 5, 5.0),
    "2 + geometric, stop 0.1": ("geometric", 2, 12.0),
    "2 + geometric, stop 0.5": ("geometric", 2, 4.0),
    "2 + Poisson, mean 2": ("poisson", 2, 4.0),
}


def tables(kinds: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    key = [{"block": f"{kind}, L = 0.9", "kind": kind, "dimension": 64, "lipschitz": 0.9} for kind in kinds]
    n = np.arange(1, 41)
    estimators = [
        one | {"estimator": name, "family": family, "exact_terms": exact, "expected_terms": cost, "bias": 0.1 * exact,
               "bias_error": 0.02, "bias_theory": 0.0, "variance": 2.0,
               "variance_theory": np.inf if family == "poisson" else 2.0}
        for one in key for name, (family, exact, cost) in ESTIMATORS.items()
    ]  # fmt: skip
    return {
        "truncation": pd.DataFrame(
            [one | {"terms": k, "error": (-0.4) ** k, "bound": 64 * 0.9**k} for one in key for k in n]
        ),
        "probes": pd.DataFrame(
            [
                one | {"probe": probe, "probes": p, "variance": 1.1 / p, "low": 0.5 / p, "high": 2 / p, "theory": 1 / p}
                for one in key for probe in ("rademacher", "gaussian") for p in (1, 4, 16)
            ]
        ),
        "blocks": pd.DataFrame([one | {"ratio": 0.7, "ratio_error": 0.05, "ratio_theory": 0.72} for one in key]),
        "estimators": pd.DataFrame(estimators),
        "costs": pd.DataFrame(
            [one | {"exact_terms": 2, "expected_terms": c, "variance": 100 / c} for one in key for c in (5, 10, 40)]
        ),
        "tails": pd.DataFrame(
            [
                one | {"estimator": name, "cap": k, "chance": 0.5**k, "variance": 1.5**k}
                for one in key for name in list(ESTIMATORS)[2:] for k in n
            ]
        ),
        "budgets": pd.DataFrame(
            [
                {**row, "budget": b, "error_theory": row["variance_theory"] / b, "error": 2.1 / b}
                for row in estimators for b in (10, 100)
            ]
        ),
    }  # fmt: skip


def every(found: dict[str, pd.DataFrame]) -> list[Figure]:
    return [
        figures.log_det_truncation(found["truncation"]),
        figures.log_det_probes(found["probes"], found["blocks"]),
        figures.roulette_bias(found["estimators"]),
        figures.roulette_variance(found["costs"], found["estimators"], found["tails"], 4000),
        figures.roulette_budget(found["budgets"]),
    ]


@pytest.mark.parametrize("kinds", [KINDS, KINDS[:1]], ids=["with a trained flow", "one kind"])
def test_figures_are_as_wide_as_the_page_whatever_was_studied(kinds: tuple[str, ...]) -> None:
    for figure in every(tables(kinds)):
        assert figure.get_size_inches()[0] == WIDTH
        assert round(figure.get_size_inches()[0] * DPI) == 1440


def test_same_numbers_same_bytes() -> None:
    first, second = (to_png(figures.roulette_budget(tables(KINDS[:2])["budgets"])) for _ in range(2))
    assert first == second


def test_order_of_rows_does_not_decide_the_order_of_panels() -> None:
    found = tables(KINDS)
    figure = figures.log_det_truncation(found["truncation"].iloc[::-1])
    titles = [axes.get_title(loc="left").split(",")[0] for axes in figure.axes]
    assert titles == ["dense", "convolutional", "contracting", "trained flow"]


def test_infinite_errors_are_left_out_of_budgets() -> None:
    figure = figures.roulette_budget(tables(("dense",))["budgets"])
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "2 + geometric, stop 0.1" in labels
    assert "2 + Poisson, mean 2" not in labels


def test_infinite_variances_are_hollow() -> None:
    figure = figures.roulette_bias(tables(("contracting",))["estimators"])
    markers = {
        line.get_markerfacecolor()
        for line in figure.axes[0].lines
        if line.get_marker() == "o" and len(line.get_xdata())
    }
    assert "white" in markers
    assert len(markers) > 1


def test_nothing_to_draw_is_reported() -> None:
    with pytest.raises(FashionDGMError, match="no rows"):
        figures.log_det_truncation(tables(KINDS)["truncation"].iloc[:0])
