from __future__ import annotations

import copy
import re
from typing import Any

import numpy as np
import pytest
from matplotlib.text import Text

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.reporting import chapters, figures
from fashion_dgm.reporting.report import Chapter, NoteBlock, ReportContent, TableBlock, TextBlock, build_report
from fashion_dgm.reporting.style import WIDTH, to_png
from fashion_dgm.stability.measures import COMPARED, RunRecord, Score
from fashion_dgm.stability.summary import rows_of, summarise
from tests.stability.test_runs import configured

MODELS = ("gan", "wgan", "wgan_penalty")


def records(swing: dict[str, float], seeds: int = 4, diverging: str = "") -> list[RunRecord]:
    """Made-up runs whose distance swings about its trend by a factor of so much."""
    rng = np.random.default_rng(0)
    made = []
    for seed in range(5, 5 + seeds):
        for variation in configured().variations:
            for model in MODELS:
                diverges = model == diverging and variation == "fast"
                epochs = range(1, 3 if diverges else 9)
                distances = [
                    100 * 0.7**epoch * np.exp(swing[model] * (-1) ** epoch + 0.01 * rng.normal()) for epoch in epochs
                ]
                history = [
                    {
                        "epoch": e,
                        "loss_discriminator": 1 + 0.1 * rng.random(),
                        "gradient_norm_generator": 1 + rng.random(),
                    }
                    for e in epochs
                ]
                scores = [Score(e, float(d), (0.1,) * 10) for e, d in zip(epochs, distances, strict=True)]
                status = "diverged" if diverges else "finished"
                made.append(RunRecord(model, variation, seed, status, "", 8, history, scores))  # type: ignore[arg-type]
    return made


def judged(swing: dict[str, float], **options: Any) -> dict[str, Any]:
    config = configured(seeds=options.get("seeds", 4), epochs=8)
    asked = config.model_dump(
        include={"seeds", "epochs", "images_per_epoch", "batch_size", "width", "confidence", "baseline"}
        | {"missing_share", "missing_classes", "least_progress"}
    )
    yardstick = {"samples": 60, "floor": 3.0}
    return {**summarise(rows_of(records(swing, **options), config), config), **asked, **yardstick}


def answers(metrics: dict[str, Any], png: bytes) -> str:
    chapter = chapters.stability_chapter(metrics, png, png, png)
    (block,) = [block for block in chapter.blocks if isinstance(block, TextBlock) and block.heading == "The answer"]
    return "\n".join(block.paragraphs)


WILD_GAN = {"gan": 0.5, "wgan": 0.05, "wgan_penalty": 0.05}


def test_the_calmer_model_is_named_with_difference_and_interval(png: bytes) -> None:
    text = answers(judged(WILD_GAN), png)
    assert (
        "WGAN is more stable than GAN: ahead on 1 of 5 measures, behind on none. Oscillation of the distance: 0."
        in text
    )
    assert re.search(r"more for GAN than for WGAN \(difference \[0\.\d+, 0\.\d+\]\)\.", text)
    assert "WGAN with penalty is more stable than GAN:" in text


def test_turned_round_it_names_the_other(png: bytes) -> None:
    text = answers(judged({"gan": 0.05, "wgan": 0.5, "wgan_penalty": 0.05}), png)
    assert "GAN is more stable than WGAN:" in text
    assert "WGAN with penalty is more stable than WGAN:" in text


def test_equal_models_are_not_decided(png: bytes) -> None:
    text = answers(judged(dict.fromkeys(MODELS, 0.1)), png)
    assert text.count("which is more stable is not decided") == 3
    assert "is more stable than" not in text
    finding = chapters.stability_chapter(judged(dict.fromkeys(MODELS, 0.1)), png, png, png).finding
    assert finding.endswith("is not decided.") and "is more stable than" not in finding


def test_nothing_is_called_stable_before_it_has_learned(png: bytes) -> None:
    metrics = judged(WILD_GAN)
    metrics["progress"]["wgan"] = 0.04
    text = answers(metrics, png)
    assert text.count("cannot be told from runs as short as these, for the distance of WGAN fell by 4% only") == 2
    assert "WGAN is more stable" not in text
    assert "WGAN with penalty is more stable than GAN:" in text
    finding = chapters.stability_chapter(metrics, png, png, png).finding
    assert finding.startswith("Which trains more stably: WGAN with penalty is more stable than GAN; ")
    assert finding.endswith("is not to be told from runs as short as these.")


def test_one_seed_decides_nothing(png: bytes) -> None:
    text = answers(judged(WILD_GAN, seeds=1), png)
    assert text.count("which is more stable is not decided") == 3
    assert "(no interval)" in text


def test_runs_that_failed_are_counted_and_their_pairs_left_out(png: bytes) -> None:
    metrics = judged(WILD_GAN, diverging="gan")
    chapter = chapters.stability_chapter(metrics, png, png, png)
    prose = "\n".join(p for b in chapter.blocks if isinstance(b, TextBlock | NoteBlock) for p in b.paragraphs)
    assert "GAN: of 16 runs 4 diverged (4 high learning rate) and 0 ended collapsed." in prose
    (table,) = [block for block in chapter.blocks if isinstance(block, TableBlock)]
    oscillation = [row for row in table.rows if row[0] == "oscillation of the distance"]
    assert [row[4] for row in oscillation] == ["12 + 4", "12 + 4", "16"]


def test_every_compared_measure_is_in_table_and_figure(png: bytes) -> None:
    metrics = judged(WILD_GAN)
    chapter = chapters.stability_chapter(metrics, png, png, png)
    (table,) = [block for block in chapter.blocks if isinstance(block, TableBlock)]
    assert len(table.rows) == 3 * len(COMPARED)
    drawn = figures.stability_verdict(metrics["verdicts"])
    assert len(drawn.axes) == len(COMPARED)
    assert sum(text.get_text() == "not decided" for text in drawn.findobj(Text)) == sum(
        found["outcome"] == "undecided" for pairs in metrics["verdicts"].values() for found in pairs.values()
    )


def test_figures_are_drawn_and_the_same_twice() -> None:
    options: dict[str, Any] = {"diverging": "gan", "seeds": 1}
    metrics, runs = judged(WILD_GAN, **options), [record.to_json() for record in records(WILD_GAN, **options)]
    before = copy.deepcopy(metrics)
    for draw in (
        lambda: figures.stability_curves(runs, 3.0),
        lambda: figures.stability_measures(metrics["cells"]),
        lambda: figures.stability_verdict(metrics["verdicts"]),
    ):
        figure = draw()
        assert figure.get_figwidth() <= WIDTH
        assert to_png(figure, dpi=20) == to_png(draw(), dpi=20)
    assert metrics == before


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(FashionDGMError, match="no runs"):
        figures.stability_curves([], 1.0)


def test_chapter_renders(png: bytes) -> None:
    chapter: Chapter = chapters.stability_chapter(judged(WILD_GAN, diverging="wgan"), png, png, png)
    assert "None" not in build_report(ReportContent("A report", (chapter,)))
