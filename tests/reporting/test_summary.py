from __future__ import annotations

import re
from importlib.resources import files
from types import SimpleNamespace
from typing import Any

import pytest

from fashion_dgm.findings.gan import gan
from fashion_dgm.reporting.chapter import Chapter, chapter_template, render_summary
from fashion_dgm.reporting.compose import ANCHORS

PROOFS = sorted(path.name.removesuffix(".md") for path in (files("fashion_dgm.reporting") / "proofs").iterdir())


def summary(metrics: dict[str, Any], **missing: str) -> str:
    chapters = [
        Chapter(anchor, anchor, "", "" if anchor in missing else f"Found in {anchor}.", command=missing.get(anchor, ""))
        for anchor in ANCHORS
    ]
    findings = SimpleNamespace(mixture_flow=object(), gan=gan(metrics["gan"]))
    return render_summary(findings, chapters).markdown


def test_every_task_is_answered_by_its_chapter(metrics: dict[str, Any]) -> None:
    text = summary(metrics)
    for anchor in (
        "data",
        "flow",
        "mixture-flow",
        "latents",
        "ood",
        "likelihood",
        "log-det",
        "vanishing",
        "stability",
        "fid",
    ):
        (row,) = (line for line in text.splitlines() if f"Found in {anchor}." in line)
        assert f"[{ANCHORS.index(anchor) + 1}](#{anchor})" in row
    assert "GAN: in the last epoch's training batches" in text and "WGAN: on average" in text


def test_what_was_not_run_names_its_command(metrics: dict[str, Any]) -> None:
    assert "Not part of this run: `kedro run --pipelines stability`." in summary(
        metrics, stability="kedro run --pipelines stability"
    )


@pytest.mark.parametrize("name", PROOFS)
def test_every_proof_is_cited_and_folds_out_in_one_chapter(metrics: dict[str, Any], name: str) -> None:
    assert f"[proof](#proof-{name})" in summary(metrics)
    bodies = [chapter_template(anchor).body for anchor in ANCHORS]
    assert sum(len(re.findall(rf'proof\("{name}"\)', body)) for body in bodies) == 1
