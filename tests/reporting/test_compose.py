"""The parts of the report that no chapter has by itself: the summary, commands, results of the reference run."""

import json
import re
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kedro.io import DatasetError

from fashion_dgm.catalog.local import ReferenceRunDataset
from fashion_dgm.findings.gan import gan
from fashion_dgm.pipeline_registry import register_pipelines
from fashion_dgm.provenance import ORIGIN
from fashion_dgm.reporting import compose
from fashion_dgm.reporting.chapter import Chapter, chapter_template, render_summary
from fashion_dgm.reporting.compose import ANCHORS, ReferenceRun, fill, opt_in_commands
from fashion_dgm.reporting.report import build_report
from tests.conftest import ROOT
from tests.reporting.conftest import CONFIG

Metrics = dict[str, Any]
PROOFS = sorted(path.name.removesuffix(".md") for path in (files("fashion_dgm.reporting") / "proofs").iterdir())
REFERENCE = ReferenceRun({"part": 1}, {"shown": b""}, {"": "Made by all.", "stability": "Made by a study."})


@pytest.fixture
def summary(metrics: Metrics) -> list[str]:
    """The lines of the summary of chapters that have found something, but for stability."""
    command = "kedro run --pipelines stability"
    chapters = [Chapter(anchor, anchor, "", f"Found in {anchor}.") for anchor in ANCHORS if anchor != "stability"]
    chapters.insert(ANCHORS.index("stability"), Chapter("stability", "Stability", "", command=command))
    models = gan({name: metrics[name] for name in ("gan", "wgan")})
    return render_summary(
        SimpleNamespace(mixture_flow=object(), other_flows={}, gan=models), chapters
    ).markdown.splitlines()


@pytest.mark.parametrize("anchor", sorted({*ANCHORS} - {"residual-flow", "gan", "stability", "published"}))
def test_every_task_is_answered_by_its_chapter(summary: list[str], anchor: str) -> None:
    (row,) = (line for line in summary if f"Found in {anchor}." in line)
    assert f"[{ANCHORS.index(anchor) + 1}](#{anchor})" in row


def test_gans_and_what_was_not_run_have_answers_too(summary: list[str]) -> None:
    text = "\n".join(summary)
    assert "GAN: in the last epoch's training batches" in text and "WGAN: on average" in text
    assert "Not part of this run: `kedro run --pipelines stability`." in text


@pytest.mark.parametrize("name", PROOFS)
def test_every_proof_is_cited_and_folds_out_in_one_chapter(summary: list[str], name: str) -> None:
    assert f"[proof](#proof-{name})" in "\n".join(summary)
    bodies = [chapter_template(anchor).body for anchor in ANCHORS]
    assert sum(len(re.findall(rf'proof\("{name}"\)', body)) for body in bodies) == 1


def test_results_of_opt_in_pipelines_add_their_commands(metrics: Metrics) -> None:
    scored = {"models": {"RealNVP": {"results": {"likelihood": {}}}}}
    default: Metrics = {"ood": scored, "gan": {"loss_generator": 0.5}}
    assert opt_in_commands(default, "kedro run") == ()
    (command,) = opt_in_commands(default | {"wgan_gp": {"loss_generator": 0.5}, "stability": {}}, "kedro run --env x")
    assert command == "kedro run --env x --pipelines train_wgan_gp,stability,ood_eval,fid_eval,report"
    scored["models"]["RealNVP"]["results"]["likelihood_ratio"] = {}
    (command,) = opt_in_commands(metrics | {"ood": scored}, "kedro run")
    names = set(command.split()[-1].split(","))
    assert {"train_background_flow", "train_residual_flow", "ood_reverse"} <= names <= set(register_pipelines())


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose, "conclude", lambda metrics: metrics)
    monkeypatch.setattr(compose, "render_chapter", lambda anchor, *_: Chapter(anchor, anchor, "Text.", "A finding."))


@pytest.mark.usefixtures("rendered")
def test_a_chapter_of_this_run_stays_as_it_is() -> None:
    own = Chapter("stability", "Stability", "Own text.", "Own finding.")
    assert fill(own, REFERENCE) is own


@pytest.mark.usefixtures("rendered")
@pytest.mark.parametrize(("anchor", "about"), [("stability", "Made by a study."), ("log-det", "Made by all.")])
def test_an_empty_chapter_shows_whose_results_it_has(anchor: str, about: str) -> None:
    filled = fill(Chapter(anchor, "Title", "Nothing.", command="kedro run --pipelines some,report"), REFERENCE)
    assert about in filled.markdown
    assert "`kedro run --pipelines some,report`" in filled.markdown
    assert filled.markdown.endswith("Text.")
    assert filled.finding == "*Reference run:* A finding."


HEADLINE = json.loads((ROOT / "docs" / "results" / "headline.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("epochs", "parameters", "shown"),
    [(1, {}, True), (100, {"images_per_epoch": 12_000}, True), (100, {"images_per_epoch": None}, False)],
)
def test_a_run_shorter_than_assigned_shows_longer_ones(
    metrics: Metrics, figures: dict[str, bytes], epochs: int, parameters: Metrics, shown: bool
) -> None:
    for model in ("gan", "wgan"):
        metrics[model] |= {"epochs": epochs, ORIGIN: {"parameters": {f"train_{model}": parameters}}}
    reference = ReferenceRun(metrics, {}, {"": "Made by all."}, HEADLINE)
    content = compose.compose(metrics, figures, {}, CONFIG, reference)
    assert content.summary is not None and ("Reference run" in build_report(content)) == shown
    for row in HEADLINE:
        result = row["mean"] if row["sd"] is None else f"{row['mean']} ± {row['sd']}"
        line = f"| {row['model']}, {row['configuration']} | {row['metric']} | {result} |"
        here = [text for text in content.summary.markdown.splitlines() if text.startswith(line)]
        assert len(here) == (shown and "--env quick" not in row["command"])
        commits = ", ".join(f"`{commit}`" for commit in row["commit"].split(", "))
        assert all(text.endswith(f"| {row['hardware']} | {commits} |") for text in here)


def test_the_folder_of_the_repository_is_read(tmp_path: Path, png: bytes) -> None:
    tmp_path = tmp_path / "reference"
    tmp_path.mkdir()
    assert ReferenceRunDataset(filepath=str(tmp_path)).load() is None
    (tmp_path / "metrics.json").write_text('{"a": 1}')
    with pytest.raises(DatasetError, match="reference run"):
        ReferenceRunDataset(filepath=str(tmp_path)).load()
    (tmp_path / "about.json").write_text(json.dumps({"": "By a command."}))
    (tmp_path / "curve.png").write_bytes(png)
    known = {"a": 1}, {"curve": png}, {"": "By a command."}
    assert ReferenceRunDataset(filepath=str(tmp_path)).load() == ReferenceRun(*known)
    (tmp_path.parent / "headline.json").write_text('[{"model": "GAN"}]')
    assert ReferenceRunDataset(filepath=str(tmp_path)).load() == ReferenceRun(*known, ({"model": "GAN"},))
    with pytest.raises(DatasetError, match="don't write"):
        ReferenceRunDataset(filepath=str(tmp_path)).save({})
