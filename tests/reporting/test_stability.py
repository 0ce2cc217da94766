from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import pytest
from matplotlib.text import Text

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.experiments.stability.measures import COMPARED
from fashion_dgm.findings.stability import stability
from fashion_dgm.reporting import figures
from fashion_dgm.reporting.chapter import Chapter, render_chapter
from fashion_dgm.reporting.markdown import Counter, to_html
from fashion_dgm.reporting.style import WIDTH, to_png
from tests.findings.test_stability import FRAIL_GAN, REFERENCE, metrics, records

DRAWN = ("stability_curves", "stability_measures", "stability_verdict")


def written(found: dict[str, Any]) -> Chapter:
    return render_chapter("stability", SimpleNamespace(stability=stability(found)), dict.fromkeys(DRAWN, b""))


def test_all_comparisons_stand_in_the_text(png: bytes) -> None:
    chapter = written(metrics(FRAIL_GAN, diverging="wgan"))
    assert "WGAN with penalty is more stable than GAN;" in chapter.finding
    assert "not decided for GAN with spectral norm or WGAN with penalty." in chapter.finding
    assert "| WGAN | 8 | varied | 4 | 0 |" in chapter.markdown
    rows = [
        row
        for row in chapter.markdown.splitlines()
        if row.startswith(tuple(f"| {name.capitalize()}" for name in COMPARED.values()))
    ]
    assert len(rows) == 6 * len(COMPARED)
    html = to_html(chapter.markdown, dict.fromkeys(DRAWN, png), Counter())
    assert html.count("<img") == 3 and "None" not in html


def test_models_that_have_not_learned_are_named() -> None:
    short = metrics(FRAIL_GAN)
    short["progress"]["wgan"] = 0.04
    chapter = written(short)
    assert (
        "too short to compare GAN or WGAN, GAN with spectral norm or WGAN, WGAN or WGAN with penalty."
        in chapter.finding
    )
    assert chapter.markdown.count("WGAN reduced its distance by 4% only.") == 1


def test_without_intervals_nothing_is_decided() -> None:
    chapter = written(metrics(FRAIL_GAN, seeds=1))
    assert "more stable" not in chapter.finding and "no interval" in chapter.markdown


def test_every_compared_measure_is_drawn() -> None:
    verdicts = metrics(FRAIL_GAN)["verdicts"]
    drawn = figures.stability_verdict(verdicts)
    assert len(drawn.axes) == len(COMPARED)
    assert sum(text.get_text() == "not decided" for text in drawn.findobj(Text)) == sum(
        found["outcome"] == "undecided" for pairs in verdicts.values() for found in pairs.values()
    )


def test_figures_are_drawn_and_the_same_twice() -> None:
    options: dict[str, Any] = {"diverging": "gan", "seeds": 1}
    found, runs = metrics(FRAIL_GAN, **options), [record.to_json() for record in records(FRAIL_GAN, **options)]
    before = copy.deepcopy(found)
    for draw in (
        lambda: figures.stability_curves(runs, REFERENCE),
        lambda: figures.stability_measures(found["cells"]),
        lambda: figures.stability_verdict(found["verdicts"]),
    ):
        figure = draw()
        assert figure.get_figwidth() <= WIDTH
        assert to_png(figure, dpi=20) == to_png(draw(), dpi=20)
    assert found == before


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(FashionDGMError, match="no runs"):
        figures.stability_curves([], REFERENCE)
