from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.reporting import figures


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
