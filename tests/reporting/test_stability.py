from __future__ import annotations

import copy
import re
from itertools import product
from typing import Any

import numpy as np
import pytest
from matplotlib.text import Text

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.experiments.stability.grid import MODELS
from fashion_dgm.experiments.stability.measures import COMPARED, RunRecord, Score
from fashion_dgm.experiments.stability.summary import rows_of, summarise
from fashion_dgm.reporting import chapters, figures
from fashion_dgm.reporting.report import BlockChapter, NoteBlock, ReportContent, TableBlock, TextBlock, build_report
from fashion_dgm.reporting.style import WIDTH, to_png
from tests.experiments.stability.test_runs import configured

REFERENCE = {"samples": 60, "floor": 3.0, "training": 1.0, "untrained": 170.0}


def records(factors: dict[str, float], seeds: int = 4, diverging: str = "") -> list[RunRecord]:
    """Made-up runs whose distance under variations is so many times that of the assigned settings, but for noise."""
    rng = np.random.default_rng(0)
    made = []
    for seed, variation, model in product(range(5, 5 + seeds), ("as_assigned", "variation_1", "variation_2"), MODELS):
        diverges = model == diverging and variation == "variation_2"
        epochs = range(1, 3 if diverges else 9)
        factor = 1.0 if variation == "as_assigned" else factors[model]
        distances = [100 * factor * 0.7**epoch * np.exp(0.02 * rng.normal()) for epoch in epochs]
        history = [
            {"epoch": e, "loss_discriminator": 1 + 0.1 * rng.random(), "gradient_norm_generator": 1 + rng.random()}
            for e in epochs
        ]
        scores = [Score(e, float(d), (0.1,) * 10) for e, d in zip(epochs, distances, strict=True)]
        status = "diverged" if diverges else "finished"
        made.append(RunRecord(model, variation, seed, status, "", 8, {}, history, scores))  # type: ignore[arg-type]
    return made


def summarised(factors: dict[str, float], **options: Any) -> dict[str, Any]:
    config = configured(seeds=options.get("seeds", 4), epochs=8)
    rows = rows_of(records(factors, **options), config, REFERENCE["untrained"])
    return {**summarise(rows, config), **REFERENCE, "config": config.model_dump(mode="json")}


def answers(metrics: dict[str, Any], png: bytes) -> str:
    chapter = chapters.stability_chapter(metrics, png, png, png)
    (block,) = [block for block in chapter.blocks if isinstance(block, TextBlock) and block.heading == "The answer"]
    return "\n".join(block.paragraphs)


FRAIL_GAN = {"gan": 3.0, "gan_spectral": 1.1, "wgan": 1.1, "wgan_penalty": 1.1}


def test_the_model_that_degrades_less_is_named_with_ratio_and_interval(png: bytes) -> None:
    text = answers(summarised(FRAIL_GAN), png)
    assert "WGAN is more stable than GAN. Degradation under the variations, ratio of GAN to WGAN: 2." in text
    assert re.search(r"ratio of GAN to WGAN: 2\.\d+ \(\[2\.\d+, [23]\.\d+\]\)\.", text)
    assert "GAN with spectral norm is more stable than GAN." in text
    assert "GAN with spectral norm or WGAN: not decided." in text


def test_with_the_other_models_frail_the_gan_is_named(png: bytes) -> None:
    text = answers(summarised({**dict.fromkeys(MODELS, 3.0), "gan": 1.1}), png)
    assert text.count("GAN is more stable than ") == 3


def test_settings_that_improve_are_no_instability(png: bytes) -> None:
    text = answers(summarised({**dict.fromkeys(MODELS, 0.5), "gan": 0.01}), png)
    assert "is more stable than" not in text


def test_equal_models_are_not_decided(png: bytes) -> None:
    metrics = summarised(dict.fromkeys(MODELS, 1.5))
    assert answers(metrics, png).count(": not decided.") == 6
    finding = chapters.stability_chapter(metrics, png, png, png).finding
    assert finding.count("not decided") == 6 and "is more stable than" not in finding


def test_a_model_that_has_little_to_lose_is_not_called_stable(png: bytes) -> None:
    """The WGAN degrades less, and its images are farther all the same."""
    config = configured(seeds=4)
    rows = [
        {**row, "log_distance": row["log_distance"] + 3.0 * (row["model"] == "wgan")}
        for row in rows_of(records(FRAIL_GAN), config, 170.0)
    ]
    found = summarise(rows, config)
    assert found["verdicts"]["degradation"]["gan-wgan"]["outcome"] == "second"
    assert found["stability"]["gan-wgan"] == "mixed"
    text = answers({**found, **REFERENCE, "config": config.model_dump(mode="json")}, png)
    assert "GAN or WGAN: mixed, as the one that degrades less is the farther from real images." in text


def test_nothing_is_called_stable_before_it_has_learned(png: bytes) -> None:
    metrics = summarised(FRAIL_GAN)
    metrics["progress"]["wgan"] = 0.04
    text = answers(metrics, png)
    assert text.count("too short to tell (WGAN reduced its distance by 4% only)") == 3
    assert "WGAN is more stable" not in text
    assert "GAN with spectral norm is more stable than GAN." in text


def test_one_seed_decides_nothing(png: bytes) -> None:
    text = answers(summarised(FRAIL_GAN, seeds=1), png)
    assert text.count(": not decided.") == 6
    assert "(no interval, not significant)" in text


def test_runs_that_diverged_are_counted_and_cost_the_distance_of_an_untrained_generator(png: bytes) -> None:
    metrics = summarised(dict.fromkeys(MODELS, 1.1), diverging="gan")
    chapter = chapters.stability_chapter(metrics, png, png, png)
    prose = "\n".join(p for b in chapter.blocks if isinstance(b, TextBlock | NoteBlock) for p in b.paragraphs)
    assert "GAN: as assigned 0 of 4 diverged and 0 ended collapsed and varied 4 of 8 diverged and 0" in prose
    assert metrics["verdicts"]["degradation"]["gan-wgan"]["outcome"] == "second"
    expected = np.log(170 / (100 * 0.7**8)) / 2
    assert metrics["cells"]["gan"]["varied"]["degradation"]["mean"] == pytest.approx(expected, abs=0.1)


def test_every_compared_measure_is_in_table_and_figure(png: bytes) -> None:
    metrics = summarised(FRAIL_GAN)
    chapter = chapters.stability_chapter(metrics, png, png, png)
    (table,) = [block for block in chapter.blocks if isinstance(block, TableBlock)]
    assert len(table.rows) == 6 * len(COMPARED)
    drawn = figures.stability_verdict(metrics["verdicts"])
    assert len(drawn.axes) == len(COMPARED)
    assert sum(text.get_text() == "not decided" for text in drawn.findobj(Text)) == sum(
        found["outcome"] == "undecided" for pairs in metrics["verdicts"].values() for found in pairs.values()
    )


def test_figures_are_drawn_and_the_same_twice() -> None:
    options: dict[str, Any] = {"diverging": "gan", "seeds": 1}
    metrics, runs = summarised(FRAIL_GAN, **options), [record.to_json() for record in records(FRAIL_GAN, **options)]
    before = copy.deepcopy(metrics)
    for draw in (
        lambda: figures.stability_curves(runs, REFERENCE),
        lambda: figures.stability_measures(metrics["cells"]),
        lambda: figures.stability_verdict(metrics["verdicts"]),
    ):
        figure = draw()
        assert figure.get_figwidth() <= WIDTH
        assert to_png(figure, dpi=20) == to_png(draw(), dpi=20)
    assert metrics == before


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(FashionDGMError, match="no runs"):
        figures.stability_curves([], REFERENCE)


def test_chapter_renders(png: bytes) -> None:
    chapter: BlockChapter = chapters.stability_chapter(summarised(FRAIL_GAN, diverging="wgan"), png, png, png)
    assert "None" not in build_report(ReportContent("A report", (chapter,)))
