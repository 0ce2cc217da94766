from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from fashion_dgm.config import DiracConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.experiments.gradients.shifted_uniforms import estimate
from fashion_dgm.experiments.gradients.vanishing import LOSSES, measurement_steps, summarise_gradients
from fashion_dgm.reporting import chapters, figures
from fashion_dgm.reporting.report import ReportContent, TextBlock, build_report
from fashion_dgm.reporting.style import WIDTH, to_png

AS_THEORY_HAS_IT = {"saturating": -3.0, "non_saturating": 1.0, "wasserstein": 0.0}


def gradients(decades: dict[str, float], noise: float = 0.05, seeds: int = 3) -> pd.DataFrame:
    """Made-up norms that change by so many powers of ten between the first step and the last."""
    rng, rows = np.random.default_rng(0), []
    for epoch in (0, 6):
        for seed in range(seeds):
            for loss in LOSSES:
                for step in measurement_steps(100):
                    norm = 10 ** (decades[loss] * np.log10(max(step, 1)) / 2 + noise * rng.normal())
                    rows.append({"epoch": epoch, "seed": seed, "loss": loss, "step": step, "norm": norm})
    return pd.DataFrame(rows).assign(signal=lambda t: t["norm"] / 2, variance=lambda t: t["norm"] ** 2)


def metrics_of(table: pd.DataFrame) -> dict[str, Any]:
    errors = {"total_variation": 0.01, "jensen_shannon": 0.01, "wasserstein": 0.01}
    sizes = {"seeds": 3, "steps": 100, "batch_size": 32, "gradient_batches": 4, "samples": 1000}
    return {"gradients": summarise_gradients(table), "uniforms": errors, **sizes}


def findings(table: pd.DataFrame, png: bytes) -> str:
    chapter = chapters.vanishing_chapter(metrics_of(table), png, png, png)
    assert "None" not in build_report(ReportContent("A report", (chapter,)))
    (block,) = [block for block in chapter.blocks if isinstance(block, TextBlock) and block.heading]
    assert chapter.finding in block.paragraphs
    return "\n".join(block.paragraphs)


def test_what_the_theory_says_is_said_only_where_it_was_seen(png: bytes) -> None:
    text = findings(gradients(AS_THEORY_HAS_IT), png)
    assert "As the theory has it" in text
    assert "Saturating loss: the gradient falls by 3.0 ± 0." in text
    assert "grows for the untrained generator, that of epoch 6" in text
    assert "no faster than the squared mean" in text
    noisier = gradients(AS_THEORY_HAS_IT)
    noisier["variance"] *= noisier["norm"].where(noisier["loss"] == "non_saturating", 1.0)
    assert "grows faster than the squared mean" in findings(noisier, png)
    all_fall = findings(gradients({**AS_THEORY_HAS_IT, "wasserstein": -1.0}), png)
    assert "that of another loss falls somewhere, too: Wasserstein" in all_fall
    nothing = findings(gradients(dict.fromkeys(LOSSES, 0.0)), png)
    assert "does not clearly fall" in nothing and "does not clearly grow" in nothing


def test_a_change_within_the_noise_of_the_seeds_is_none(png: bytes) -> None:
    assert "stays within the noise" in findings(gradients({**AS_THEORY_HAS_IT, "saturating": -0.5}, noise=1.0), png)


def test_figures_are_drawn_and_the_same_twice() -> None:
    table = gradients(AS_THEORY_HAS_IT, seeds=1)
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
    empty = gradients(AS_THEORY_HAS_IT).iloc[:0]
    for draw in (figures.gradient_norms, figures.gradient_variance, figures.uniform_curves):
        with pytest.raises(FashionDGMError, match="to draw"):
            draw(empty)
