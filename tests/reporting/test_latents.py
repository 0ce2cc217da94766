"""The chapter on samples from unusual latents."""

from __future__ import annotations

import math
import re
from types import SimpleNamespace
from typing import Any

from fashion_dgm.findings.latents import latents
from fashion_dgm.reporting.chapter import Chapter, render_chapter
from fashion_dgm.reporting.markdown import Counter, to_html
from tests.findings.test_latents import study

FIGURES = ("temperatures", "off_typical", "scales", "interpolations", "paths", "ood")


def chapter(metrics: dict[str, Any]) -> Chapter:
    made = render_chapter("latents", SimpleNamespace(latents=latents(metrics)), {})
    html = to_html(made.markdown, {f"latent_{name}": None for name in FIGURES}, Counter())
    assert re.search(r"\b(nan|inf)\b", html) is None
    return made


def test_intervals_ranks_and_signs() -> None:
    text = chapter(study(**{"T = 0.5": {"likelier_than": 0.998}})).markdown
    assert "Images at T = 0.5 need the fewest bits, 2.50 [2.40, 2.60]" in text
    assert "likelier than over 99% of real images, although" in text
    assert "all \u22121 needs 1.50." in text  # of one image: no interval
    assert "| Along the sphere | 0.02 [\u22120.08, 0.12] | 1.00 |" in text


def test_the_finding_is_about_the_mode() -> None:
    metrics = study(**{"all 0": {"likelier_than": 0.9}, "T = 1": {"likelier_than": 0.3}})
    assert chapter(metrics).finding.endswith("likelier than 30%: typical latents are not the likeliest.")
    assert chapter(study()).finding.endswith("likelier than 50%.")


def test_nothing_finite_leads_to_no_conclusion() -> None:
    def broken(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: item if key in ("level", "confidence") else broken(item) for key, item in value.items()}
        if isinstance(value, list):
            return [broken(item) for item in value]
        return math.nan if isinstance(value, float) else value

    made = chapter(broken(study()))
    assert made.finding == ""
    for conclusion in ("need the fewest", "decide", "Halfway between", "pixel for pixel", "Noise in its latents makes"):
        assert conclusion not in made.markdown
