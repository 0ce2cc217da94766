"""What holds for every chapter, and what each shows only where there are results for it."""

import copy
import json
import math
import re
from collections.abc import Mapping
from typing import Any

import pytest

from fashion_dgm.findings import conclude, to_json
from fashion_dgm.findings.flow import with_benchmark
from fashion_dgm.findings.literature import LITERATURE
from fashion_dgm.reporting.chapter import Chapter
from fashion_dgm.reporting.compose import ANCHORS, compose
from fashion_dgm.reporting.markdown import Counter, to_html
from fashion_dgm.reporting.references import REFERENCES
from fashion_dgm.reporting.report import build_report
from fashion_dgm.reporting.wording import NOT_APPLICABLE
from tests.findings import test_flow, test_latents, test_likelihood, test_log_det, test_stability
from tests.findings.paths import with_nothing_finite
from tests.reporting.conftest import CONFIG, written

Metrics = dict[str, Any]
Figures = Mapping[str, bytes]
GONE = object()


def changed(metrics: Metrics, changes: Mapping[str, Any]) -> Metrics:
    """Sets results by their dotted names, or takes them out where they are `GONE`."""
    metrics = copy.deepcopy(metrics)
    for name, value in changes.items():
        *path, last = name.split(".")
        place = metrics
        for key in path:
            place = place[key]
        if value is GONE:
            del place[last]
        else:
            place[last] = value
    return metrics


def text_of(chapter: Chapter) -> str:
    return " ".join(f"{chapter.finding} {chapter.markdown}".split())


def rows_of(chapter: Chapter) -> list[set[str]]:
    lines = (line for line in chapter.markdown.splitlines() if line.startswith("|"))
    return [{cell.strip(" *") for cell in line.split("|")} for line in lines]


CONCLUSIONS = {
    "flow": ("too small to show overfitting", "half a grey level"),
    "mixture-flow": ("within the noise",),
    "residual-flow": ("more for Residual Flow", "is a contraction", "uncertainty"),
    "log-det": ("blocks it is smaller",),
    "latents": ("need the fewest", "decide", "Halfway between two images, the", "pixel for pixel", "makes the images"),
    "ood": ("This is the paradox", "at least 0.99"),
    "likelihood": ("from the volume", "They narrow the gap", "remains:", "accounts for", "likelier |", "Here they"),
    "gan": ("has a moderate advantage", "scores real images", "no sign of collapse", "no sign of copying"),
    "fid": ("is ahead of", "test images: the floor."),
    "vanishing": ("As the theory predicts", "| falls |", "| grows |"),
    "stability": ("is more stable than",),
    "published": ("0.056 more than", "the same side of 0.5"),
}


@pytest.mark.parametrize("anchor", ANCHORS)
def test_from_values_that_are_not_finite_nothing_is_concluded(metrics: Metrics, figures: Figures, anchor: str) -> None:
    whole = text_of(written(anchor, metrics, figures))
    broken = text_of(written(anchor, with_nothing_finite(metrics), figures))
    assert re.search(r"\b(nan|inf|None(?! of))\b", re.sub(r"\$[^$]+\$", "", broken)) is None
    for words in CONCLUSIONS.get(anchor, ()):
        assert words in whole and words not in broken, words


@pytest.mark.parametrize("anchor", ANCHORS)
def test_every_chapter_has_a_finding_figures_and_tables(metrics: Metrics, figures: Figures, anchor: str) -> None:
    chapter = written(anchor, metrics, figures)
    html = to_html(chapter.markdown, figures, Counter())
    assert chapter.finding and "<table" in html
    assert html.count("<img") == chapter.markdown.count("::: figure") > 0


def test_findings_take_minutes_to_read(metrics: Metrics, figures: Figures) -> None:
    findings = [written(anchor, metrics, figures).finding for anchor in ANCHORS]
    assert len(set(findings)) == len(findings) and len(" ".join(findings).split()) < 600


def test_order_of_keys_and_rows_does_not_matter(metrics: Metrics, figures: Figures) -> None:
    def turned(value: Any) -> Any:
        return {k: turned(value[k]) for k in reversed(value)} if isinstance(value, dict) else value

    # Pairs of models stand in the order of the study.
    other = turned(metrics) | {"stability": metrics["stability"]}
    other["fid"]["rows"] = other["fid"]["rows"][::-1]
    assert build_report(compose(other, figures, {}, CONFIG)) == build_report(compose(metrics, figures, {}, CONFIG))


def test_highlights_are_of_likelihood_detection_and_sample_quality(metrics: Metrics, figures: Figures) -> None:
    content = compose(metrics, figures, {}, CONFIG)
    assert [highlight.value for highlight in content.highlights] == ["3.00", "3.00", "0.100", "0.995", "40.0", "30.0"]


NO_INCEPTION = {"fid.floor.inception": GONE, "fid.feature_spaces.inception": GONE, "fid.missing": ["*not* found"]}
FEW_SETS = {"mnist": {"images": 9, "kind": "published", "origin": "MNIST", "conversion": "none", "distinct": 9}}


CASES: list[tuple[str, Metrics, tuple[str, ...], tuple[str, ...]]] = [
    ("data", {"data.pool": "all"}, ("no result here is comparable with published ones",), ("neither training nor",)),
    (
        "data",
        {
            "data.splits.benchmark": GONE,
            "data.splits.test.per_class": [1_000, 1_200],
            "ood_sets.sets": {"mnist": FEW_SETS["mnist"] | {"status": "used", "note": "", "sha256": "4b" * 32}},
        },
        ("held-out (1,000 to 1,200 images per class)",),
        ("not OOD", "ot available", "| official test |"),
    ),
    (
        "flow",
        {"flow.images_seen": GONE, "flow_discrete_likelihood": GONE},
        (),
        ("From dequantised images", "seen in training", "burda-2016"),
    ),
    ("residual-flow", {"residual_flow.benchmark_bits_per_dim": GONE}, ("| 3.000 ± 0.014 | – |",), ()),  # noqa: RUF001
    ("log-det", {"log_det_study.trained": None}, ("train_residual_flow,log_det",), ("Bound of the bias",)),
    *(
        (
            "log-det",
            {f"log_det_study.unbiased.{group}": test_log_det.outcome(comparisons=0, covered=0, largest=None)},
            (),
            (f"roulette, {group} variance |",),
        )
        for group in ("finite", "infinite")
    ),
    (
        "latents",
        {"latents": test_latents.study(**{"all 0": {"likelier_than": 0.9}, "T = 1": {"likelier_than": 0.3}})},
        ("likelier than 30%: typical latents are not the likeliest.",),
        (),
    ),
    (
        "ood",
        {"ood.primary_score": "likelihood", "mnist_ood": GONE},
        (),
        ("The reverse direction", "Other scores", "::: figure ood_matrix", "The two directions"),
    ),
    ("ood", {"ood.models.RealNVP.comparisons": {}}, (), ("better than the", "worse than the", "oracle")),
    (
        "likelihood",
        {"likelihood.sets.mnist.gap": test_likelihood.gap(logit=0.01, latents_1=0.01)},
        ("there is no gap to explain",),
        ("log-determinants account", "largest single term"),
    ),
    (
        "fid",
        {"fid.failures": (), "fid.warnings": (), "fid.conversions": {}, "fid.samples": 10_000},
        (),
        ("::: note Not scored", "::: note Warnings", "were converted", "too high"),
    ),
    ("fid", {"fid.rows": []}, ("no snapshot of a model trained here was scored",), ()),
    (
        "stability",
        {"stability.progress.wgan": 0.04},
        ("too short to compare GAN or WGAN, GAN with", "WGAN reduced its distance by 4% only."),
        (),
    ),
    (
        "stability",
        {"stability": test_stability.metrics(test_stability.FRAIL_GAN, seeds=1)},
        (),
        ("more stable than",),
    ),
    ("published", {"data.pool": "all"}, ("no result of this run is",), ()),
]
"""Of a chapter: changes to results, what is there with them, and what only without."""


@pytest.mark.parametrize(("anchor", "changes", "there", "absent"), CASES)
def test_a_chapter_follows_its_results(
    metrics: Metrics,
    figures: Figures,
    anchor: str,
    changes: Metrics,
    there: tuple[str, ...],
    absent: tuple[str, ...],
) -> None:
    before, after = (text_of(written(anchor, found, figures)) for found in (metrics, changed(metrics, changes)))
    for words in there:
        assert words not in before and words in after, words
    for words in absent:
        assert words in before and words not in after, words


def test_a_new_flow_has_a_chapter_of_its_own(metrics: Metrics, figures: Figures) -> None:
    metrics["nice_flow"] = metrics["flow"] | {"architecture": "NICE", "test_bits_per_dim": 2.5}
    metrics["nice_flow_discrete_likelihood"] = test_flow.bound(math.nan, **{"1": 4.0, "16": 3.5})
    metrics["ood"]["models"]["NICE"] = metrics["ood"]["models"]["MixtureFlow"] | {
        "in_distribution": {"images": 100, "bits_per_dim": 2.6, "bits_per_dim_sd": 0.25}
    }
    content = compose(metrics, figures, {}, CONFIG)
    chapters = {chapter.anchor: chapter for chapter in content.chapters}
    assert list(chapters).index("nice-flow") == list(chapters).index("residual-flow") + 1
    own = chapters["nice-flow"]
    assert own.title == "NICE" and "0.400 fewer for NICE" in own.finding and own.finding in content.summary.markdown
    assert {"Bits/dim, official test images", "3.000 ± 0.014", "2.600 ± 0.025"} <= set().union(*rows_of(own))
    assert "::: figure nice_flow_curve" in own.markdown and "::: figure nice_flow_samples" in own.markdown
    assert any("NICE" in row for row in rows_of(chapters["flow"])) and "for RealNVP and NICE" in text_of(
        chapters["flow"]
    )
    assert "**NICE, 1\u00a0epoch**" in chapters["published"].markdown
    assert any("train_nice_flow" in command for command in content.how_to_reproduce)
    assert 'id="nice-flow"' in build_report(content)
    assert content.claims["nice-flow"] and {*content.claims["nice-flow"]} < {*content.claims["flow"]}
    origin = {"mismatches": ["NICE was trained on other images"]}
    stale = compose(changed(metrics, {"nice_flow.origin": origin}), figures, {}, CONFIG).chapters
    assert [chapter.anchor for chapter in stale if "NICE was trained on other images" in chapter.finding] == [
        "nice-flow"
    ]


def test_of_two_flows_of_one_architecture_each_has_its_own_results(metrics: Metrics) -> None:
    own = metrics["mixture_flow"] | {"architecture": "MixtureFlow"}
    inside = {"in_distribution": {"images": 100, "bits_per_dim": 2.0}}
    found = with_benchmark(changed(metrics, {"wide_flow": own, "ood.models.wide_flow": inside}))
    bits = [found[name]["benchmark_bits_per_dim"] for name in ("mixture_flow", "wide_flow")]
    assert bits == [metrics["ood"]["models"]["MixtureFlow"]["in_distribution"]["bits_per_dim"], 2.0]


def test_findings_of_all_chapters_are_json(metrics: Metrics) -> None:
    found = json.loads(json.dumps(to_json(conclude(metrics)), allow_nan=False))
    assert {name.replace("_", "-") for name in found} - {"other-flows"} == set(ANCHORS)
    assert found["gan"]["models"][0]["balance"] == "MODERATE"
    assert found["gan"]["columns"] == sorted({*metrics["gan"], *metrics["wgan"]})
    assert found["published"]["detections"][0]["compared"][0]["published"][0]["source"] in REFERENCES


def test_what_older_results_lack_may_be_absent(metrics: Metrics, figures: Figures) -> None:
    fid = {"rows": metrics["fid"]["rows"], "samples": 2000}
    for row in fid["rows"]:
        del row["best_on_benchmark"], row["last_on_benchmark"]
    assert "on held-out images" in written("fid", metrics | {"fid": fid}, figures).finding
    for row in metrics["fid"]["quality"]:
        del row["copying_probability"]
    assert written("fid", metrics, figures).markdown


def test_every_published_result_is_printed_with_its_source(metrics: Metrics, figures: Figures) -> None:
    found = written("published", metrics, figures)
    cells = rows_of(found)

    def stands(source: str, *values: str) -> bool:
        reference = REFERENCES[source]
        expected = {*values, f"[{reference.authors} ({reference.year})](#{source})"}
        return source in found.cited and any(expected <= row for row in cells)

    assert all(stands(one.source, f"{one.bits:.3f} ± {one.spread:.3f}") for one in LITERATURE.likelihood)
    assert all(stands(one.source, *one.auroc.values()) for one in LITERATURE.detection)
    assert all(stands(one.source, f"{one.fid} ± {one.spread}", one.model) for one in LITERATURE.distance)


def test_classifier_distances_are_never_compared_with_fid(metrics: Metrics, figures: Figures) -> None:
    """docs/reading-the-numbers.md#data-splits"""
    metrics = changed(metrics, NO_INCEPTION)
    metrics["fid"]["rows"] = [row for row in metrics["fid"]["rows"] if row["feature_space"] == "classifier"]
    content = compose(metrics, figures, {}, CONFIG)
    chapters = {chapter.anchor: chapter for chapter in content.chapters}
    ours = {f"{row['best_on_benchmark']:.1f}" for row in metrics["fid"]["rows"]}
    assert {"All models", NOT_APPLICABLE, "not computed", "this run", ""} in rows_of(chapters["published"])
    assert not any(ours & row for row in rows_of(chapters["published"]))
    fid = chapters["fid"]
    assert "No FID in this report" in fid.markdown and r"\*not\* found" in fid.markdown
    assert fid.finding.endswith("FID itself was not computed.") and "lucic-2018" not in fid.cited
    assert not re.search(r"^\|.*\bFID\b", fid.markdown, re.MULTILINE)
    assert all("FID" not in highlight.label for highlight in content.highlights)
