from __future__ import annotations

import math
import re
from typing import Any

import pytest

from fashion_dgm.findings.standing import our_detections, our_likelihoods, with_benchmark
from fashion_dgm.reporting import chapters, published, sources
from fashion_dgm.reporting.chapters.comparison import likelihood_sentence
from fashion_dgm.reporting.figures import published_comparison
from fashion_dgm.reporting.report import BlockChapter, NoteBlock, TableBlock, TextBlock
from fashion_dgm.reporting.style import to_png

Metrics = dict[str, Any]
FLIP = "fashion_mnist_vertical_flip"


@pytest.fixture
def measured(metrics: Metrics) -> Metrics:
    """A run with a benchmark, a second score and a flip."""
    ood = metrics["ood"]
    ood["sets"][FLIP] = ood["sets"]["mnist"] | {"auroc": 0.5, "auroc_interval": [0.49, 0.51]}
    combined = {
        "mnist": {"auroc": 0.999, "auroc_interval": [0.998, 1.0]},
        FLIP: {"auroc": 0.8, "auroc_interval": [0.79, 0.81]},
    }
    ood |= {
        "model": "RealNVP",
        "headline": "combined",
        "definitions": {"combined": {"label": "combined"}},
        "models": {"RealNVP": {"results": {"combined": combined}}},
    }
    return with_benchmark(metrics)


def prose(chapter: BlockChapter) -> str:
    return "\n".join(
        text for block in chapter.blocks if isinstance(block, TextBlock | NoteBlock) for text in block.paragraphs
    )


def tables(chapter: BlockChapter) -> list[TableBlock]:
    return [block for block in chapter.blocks if isinstance(block, TableBlock)]


def test_every_published_figure_is_printed_with_its_source(measured: Metrics, png: bytes) -> None:
    chapter = chapters.comparison_chapter(measured, png)
    cells = [set(row) for table in tables(chapter) for row in table.rows]
    for likelihood in published.BITS_PER_DIM:
        assert any({f"{likelihood.bits:.3f} ± {likelihood.spread:.3f}", likelihood.cite} <= row for row in cells)
    for detection in published.AUROC:
        assert any({*detection.auroc.values(), detection.score, detection.cite} <= row for row in cells)
    for distance in published.FID:
        assert any({f"{distance.fid} ± {distance.spread}", distance.model, distance.cite} <= row for row in cells)
    listed = [(source.split(",")[0], re.search(r"\((\d{4})\)", source)) for source in chapter.sources]
    known = {f"{name} et al. ({year[1]})" for name, year in listed if year}
    cited = {figure.cite for figure in (*published.BITS_PER_DIM, *published.AUROC, *published.FID)}
    assert cited == known


@pytest.mark.parametrize(
    ("ours", "words"),
    [(3.2, "0.256 more than the 2.944"), (2.7, "0.244 less than the 2.944"), (2.95, "within the noise of the 2.944")],
)
def test_standing_of_the_likelihood(metrics: Metrics, ours: float, words: str) -> None:
    metrics["ood"]["in_distribution"]["bits_per_dim"] = ours
    sentence = likelihood_sentence(with_benchmark(metrics)["flow"])
    assert words in sentence
    assert f"On 10,000 official test images RealNVP needs {ours:.3f} ± 0.003" in sentence


def test_few_images_widen_the_noise(metrics: Metrics) -> None:
    metrics["ood"]["in_distribution"] |= {"bits_per_dim": 3.0, "bits_per_dim_sd": 0.9}
    assert "0.056 more" in likelihood_sentence(with_benchmark(metrics)["flow"])
    metrics["ood"]["in_distribution"]["images"] = 100
    assert "within the noise" in likelihood_sentence(with_benchmark(metrics)["flow"])


def test_held_out_images_are_a_guide_only(metrics: Metrics, png: bytes) -> None:
    text = prose(chapters.comparison_chapter(metrics, png))
    assert "On held-out images" in text and "a guide only" in text


@pytest.mark.parametrize(
    ("auroc", "bounds", "words"),
    [
        (0.999, [0.998, 1.0], "level with the best that was read, 1.00 (DoSE"),
        (0.98, [0.97, 0.99], "behind the best that was read, 1.00"),
    ],
)
def test_standing_of_a_score(measured: Metrics, png: bytes, auroc: float, bounds: list[float], words: str) -> None:
    found = measured["ood"]["models"]["RealNVP"]["results"]["combined"]
    found["mnist"] = {"auroc": auroc, "auroc_interval": bounds}
    text = prose(chapters.comparison_chapter(measured, png))
    assert words in text
    found[FLIP] = {"auroc": 0.95, "auroc_interval": [0.94, 0.96]}
    assert "ahead of the best that was read, 0.89" in prose(chapters.comparison_chapter(measured, png))


@pytest.mark.parametrize(("auroc", "words"), [(0.1, ", the same way as"), (0.7, ", not the same way as")])
def test_likelihood_reproduces_the_paradox_or_not(measured: Metrics, png: bytes, auroc: float, words: str) -> None:
    measured["ood"]["sets"]["mnist"] |= {"auroc": auroc, "auroc_interval": [auroc - 0.01, auroc + 0.01]}
    assert words in prose(chapters.comparison_chapter(measured, png))


def test_sets_that_are_not_there_are_named(measured: Metrics, png: bytes) -> None:
    text = prose(chapters.comparison_chapter(measured, png))
    assert "others report them: EMNIST letters, Omniglot and FashionMNIST mirrored" in text


def test_classifier_distances_never_stand_beside_fid(measured: Metrics, png: bytes) -> None:
    """docs/reading-the-numbers.md#data-splits"""
    fid = measured["fid"]
    fid["rows"] = [row for row in fid["rows"] if row["feature_space"] == "classifier"]
    chapter = chapters.comparison_chapter(measured, png)
    table = tables(chapter)[-1]
    assert "FID" in table.columns
    assert table.rows[-1][1:3] == ("\u2013", "not computed")
    ours = {f"{row['best_on_benchmark']:.1f}" for row in fid["rows"]}
    assert not ours & {cell for row in table.rows for cell in row}
    assert "has no FID" in prose(chapter)


def test_fid_of_a_run_stands_in_the_table(measured: Metrics, png: bytes) -> None:
    chapter = chapters.comparison_chapter(measured, png)
    assert [row[:2] for row in tables(chapter)[-1].rows[-2:]] == [("WGAN", "30.0"), ("GAN", "40.0")]
    assert "the best here is the WGAN with 30.0" in prose(chapter)
    assert "ours come out too high" in prose(chapter)


def test_size_of_the_run_is_told_from_its_numbers(measured: Metrics, png: bytes) -> None:
    text = prose(chapters.comparison_chapter(measured, png))
    assert "1\u00a0epoch where Cornish et al. (2020) allow up to 1,000, with 41% of the parameters" in text
    assert "much less than the papers spend" in text
    measured["flow"]["epochs"] = 100
    assert "much less" not in prose(chapters.comparison_chapter(measured, png))
    measured["data"]["pool"] = "all"
    assert "no figure of this run compares" in prose(chapters.comparison_chapter(measured, png))


def test_residual_flow_stands_beside_realnvp(measured: Metrics, png: bytes) -> None:
    residual = {"epochs": 3, "parameters": 41_325, "benchmark_bits_per_dim": 4.0, "benchmark_images": 500}
    errors = {"benchmark_probe_error": 0.03, "benchmark_image_error": 0.04, "unbiased": True}
    found = our_likelihoods(measured["flow"], residual | errors)[1]
    assert (found.error, found.kind) == (pytest.approx(0.05), "estimated without bias")
    row = tables(chapters.comparison_chapter(measured | {"residual_flow": residual | errors}, png))[0].rows[-1]
    assert row[1:4] == ("0.04\u00a0M", "4.000 ± 0.050", "estimated without bias")


def test_mixture_flow_is_a_row_of_its_own_in_every_comparison(measured: Metrics, png: bytes) -> None:
    ood = measured["ood"]
    raw = {"mnist": {"auroc": 0.05, "auroc_interval": [0.04, 0.06]}}
    mended = {"mnist": {"auroc": 0.97, "auroc_interval": [0.96, 0.98]}}
    inside = {"name": "fashion_mnist", "images": 10_000, "bits_per_dim": 2.9, "bits_per_dim_sd": 0.3}
    ood["models"]["MixtureFlow"] = {"in_distribution": inside, "results": {"likelihood": raw, "combined": mended}}
    mixture = {"epochs": 1, "parameters": 800_000}
    both = with_benchmark(measured | {"mixture_flow": mixture})
    mixture = both["mixture_flow"]
    likelihoods, detections, _ = tables(chapters.comparison_chapter(both, png))
    rows = {row[0]: row for row in likelihoods.rows if row[-1] == "this run"}
    assert rows["RealNVP, 1\u00a0epoch"][2] == "3.100 ± 0.003"
    assert rows["mixture flow, 1\u00a0epoch"][1:3] == ("0.80\u00a0M", "2.900 ± 0.003")
    ours = {row[0]: row[1] for row in detections.rows if row[-1] == "this run"}
    assert ours["Raw likelihood, RealNVP"] == "0.100" and ours["Raw likelihood, mixture flow"] == "0.050"
    assert ours["Combined, RealNVP"] == "0.999" and ours["Combined, mixture flow"] == "0.970"
    # Published RealNVPs are compared with RealNVP alone.
    assert "RealNVP needs 3.100" in likelihood_sentence(both["flow"])
    labels = [highlight.label for highlight in chapters.highlights(flow=both["flow"], mixture=mixture)]
    assert labels == ["bits/dim of RealNVP, official test", "bits/dim of the mixture flow, official test"]
    axes = published_comparison(both["flow"], ood, mixture=mixture).axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()].count("this run: mixture flow") == 1


def test_figure_is_drawn_and_the_same_twice(measured: Metrics) -> None:
    first, second = (to_png(published_comparison(measured["flow"], measured["ood"])) for _ in range(2))
    assert first == second
    figure = published_comparison(measured["flow"], measured["ood"])
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "Bits/dim (lower is better)",
        "AUROC against MNIST",
        "AUROC against FashionMNIST upside down",
    ]
    labels = [text.get_text() for text in figure.axes[1].get_yticklabels()]
    assert labels[:2] == ["DoSE", "this run: combined, RealNVP"] and labels[-1] == "this run: raw likelihood, RealNVP"
    measured["flow"]["benchmark_bits_per_dim"] = math.nan
    assert len(published_comparison(measured["flow"], measured["ood"]).axes[0].get_yticklabels()) == 3


def test_a_run_with_likelihood_alone_has_one_score(metrics: Metrics) -> None:
    (only,) = our_detections(metrics["ood"] | {"headline": "likelihood"})
    assert only.raw_likelihood and only.auroc["mnist"] == (0.1, (0.09, 0.11))


def test_references_have_one_entry_each() -> None:
    names = [name for name in vars(sources) if name.isupper()]
    assert sorted(names) == sorted(sources.__all__)
    assert len({getattr(sources, name) for name in names}) == len(names)
