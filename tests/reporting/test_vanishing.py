from __future__ import annotations

import math
import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fashion_dgm.config import DiracConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.experiments.gradients.shifted_uniforms import estimate
from fashion_dgm.experiments.gradients.vanishing import measurement_steps, summarise_gradients
from fashion_dgm.findings.vanishing import vanishing
from fashion_dgm.reporting import figures
from fashion_dgm.reporting.chapter import Chapter, render_chapter
from fashion_dgm.reporting.markdown import Counter, to_html
from fashion_dgm.reporting.style import WIDTH, to_png
from tests.findings.test_vanishing import AS_PREDICTED, metrics

DRAWN = ("uniform_curves", "vanishing_norms", "vanishing_variance")


def gradients(decades: dict[str, float], noise: float = 0.05, seeds: int = 3) -> pd.DataFrame:
    """Made-up norms that change by so many powers of ten between the first step and the last."""
    rng, rows = np.random.default_rng(0), []
    for epoch in (0, 6):
        for seed in range(seeds):
            for loss in decades:
                for step in measurement_steps(100):
                    norm = 10 ** (decades[loss] * np.log10(max(step, 1)) / 2 + noise * rng.normal())
                    rows.append({"epoch": epoch, "seed": seed, "loss": loss, "step": step, "norm": norm})
    return pd.DataFrame(rows).assign(signal=lambda t: t["norm"] / 2, variance=lambda t: t["norm"] ** 2)


def written(found: dict[str, Any]) -> Chapter:
    return render_chapter("vanishing", SimpleNamespace(vanishing=vanishing(found)), dict.fromkeys(DRAWN, b""))


def test_conclusion_stands_in_summary_and_chapter(png: bytes) -> None:
    found = metrics(AS_PREDICTED) | {"gradients": summarise_gradients(gradients(AS_PREDICTED))}
    chapter = written(found)
    assert chapter.finding.startswith("As the theory predicts") and chapter.finding in " ".join(
        chapter.markdown.split()
    )
    assert "| untrained | saturating | falls |" in chapter.markdown
    assert "grows (untrained; epoch 6), as" in chapter.markdown
    assert to_html(chapter.markdown, dict.fromkeys(DRAWN, png), Counter()).count("<img") == 3


def test_from_values_that_are_not_finite_nothing_is_concluded() -> None:
    found = metrics(dict.fromkeys(AS_PREDICTED, math.nan), variance=math.nan)
    chapter = written(found)
    assert "nothing can be concluded" in chapter.finding
    assert re.search(r"\b(nan|inf|None)\b|\| (falls|grows) \|", chapter.finding + chapter.markdown) is None


def test_figures_are_drawn_and_the_same_twice() -> None:
    table = gradients(AS_PREDICTED, seeds=1)
    rng = np.random.default_rng(0)
    uniforms = pd.DataFrame(
        {"shift": shift, "repetition": i, **estimate(shift, 500, 20, rng)}
        for shift in (0.0, 0.5, 2.0)
        for i in range(2)
    )
    dirac = DiracConfig(start=(0.8, 0), step_size=0.1, steps=30, clip=0.6, gradient_penalty=0.3, r1=0.5)
    for draw in (
        lambda: figures.gradient_norms(table),
        lambda: figures.gradient_variance(table),
        lambda: figures.uniform_curves(uniforms),
        lambda: figures.dirac_portraits(dirac),
    ):
        figure = draw()
        assert figure.get_figwidth() <= WIDTH
        assert to_png(figure, dpi=20) == to_png(draw(), dpi=20)


def test_nothing_to_draw_is_refused() -> None:
    empty = gradients(AS_PREDICTED).iloc[:0]
    for draw in (figures.gradient_norms, figures.gradient_variance, figures.uniform_curves):
        with pytest.raises(FashionDGMError, match="to draw"):
            draw(empty)
