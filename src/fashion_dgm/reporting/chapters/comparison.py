"""The chapter that holds a run against published figures."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from fashion_dgm.findings.criteria import SEED_NOISE_FID
from fashion_dgm.findings.fid import Standing
from fashion_dgm.findings.fid import fid as fid_findings
from fashion_dgm.findings.standing import OurLikelihood, our_detections, our_likelihoods
from fashion_dgm.reporting import published, sources
from fashion_dgm.reporting.chapters.titles import TITLES
from fashion_dgm.reporting.report import Block, BlockChapter, FigureBlock, NoteBlock, TableBlock, TextBlock
from fashion_dgm.reporting.wording import (
    NOT_APPLICABLE,
    count,
    dataset_name,
    interval,
    is_number,
    listing,
    model_name,
    number,
    percent,
    plural,
)

__all__ = ["comparison_chapter", "likelihood_sentence"]

# A difference below what another seed moves is none.
_SAME_BITS = 0.01
OFFICIAL_IMAGES = 10_000
_EPOCHS = 1_000  # that Cornish et al. allow themselves
_SETS = ("mnist", "emnist_letters", "omniglot", "fashion_mnist_vertical_flip", "fashion_mnist_horizontal_flip")


def comparison_chapter(metrics: Mapping[str, Any], figure_png: bytes) -> BlockChapter:
    """Tells where a run stands beside published figures, and on what terms.

    Arguments:
        metrics: `{"data", "flow", "ood", "fid"}` and, where they were trained, `"mixture_flow"` and `"residual_flow"`, each
            as its own chapter takes it; the flows of couplings with what `with_benchmark` of
            `fashion_dgm.findings.standing` adds.
        figure_png: bits/dim and AUROC beside published ones.
    """
    ours = our_likelihoods(metrics["flow"], metrics.get("residual_flow"), metrics.get("mixture_flow"))
    inception = fid_findings(metrics["fid"]).space("inception") is not None
    blocks: list[Block] = [
        NoteBlock("How far this run goes", tuple(_size(metrics, ours[0]))),
        FigureBlock(
            figure_png,
            "Dots for this run among squares for published figures, a panel each for bits per dimension and for the AUROC "
            "on each set that others report; the tables below have all values.",
            "This run (blue dots) beside published figures (grey squares), the best on top. Bars: what the source prints "
            "after ±; of our bits/dim, one standard error over images; of our AUROC, the bootstrap interval.",
        ),
        TextBlock(tuple(_likelihoods(metrics["flow"], ours)), heading="Likelihood"),
        _likelihood_table(ours),
        TextBlock(tuple(_detections(metrics["ood"])), heading="Detection of other images"),
        _detection_table(metrics["ood"]),
        TextBlock(tuple(_distances(metrics["fid"], inception)), heading="FID"),
        _distance_table(metrics["fid"], inception),
    ]
    return BlockChapter(
        title=TITLES["published"],
        anchor="published",
        intro=(
            "Figures from papers, as their sources print them, and those of this run. They compare as far as the terms "
            "agree: the same images at the same size, nothing chosen on the images that judge, the density of the "
            "dequantised image and not a bound of it, the same features under a distance. Where the terms differ, it is "
            "said.",
        ),
        blocks=tuple(blocks),
        sources=(sources.CORNISH_2020, sources.HUANG_2024, sources.KAMKARI_2024, sources.LUCIC_2018, sources.REN_2019),
        finding=likelihood_sentence(metrics["flow"]),
    )


def likelihood_sentence(flow: Mapping[str, Any]) -> str:
    """Returns how RealNVP's bits/dim stand beside those of the published RealNVP."""
    own, theirs = our_likelihoods(flow)[0], published.REALNVP
    if not is_number(own.bits):
        return "RealNVP's likelihood is not finite, so it cannot be held against published figures."
    difference = own.bits - theirs.bits
    if abs(difference) <= max(_SAME_BITS, 2 * (own.error or 0.0)):
        standing = f"within the noise of the {theirs.bits}"
    else:
        standing = f"{number(abs(difference), 3)} {'more' if difference > 0 else 'less'} than the {theirs.bits}"
    return (
        f"On {_where(own)} RealNVP needs {_with_error(own)} bits/dim, {standing} that {theirs.cite} report for theirs."
    )


def _size(metrics: Mapping[str, Any], own: OurLikelihood) -> Iterable[str]:
    inside = metrics["ood"]["in_distribution"]
    weights = ""
    if own.parameters is not None:
        weights = f", with {percent(own.parameters / 1e6 / published.REALNVP.parameters)} of the parameters"
    largest = max(entry["images"] for entry in metrics["ood"]["sets"].values())
    yield (
        f"RealNVP was trained for {plural(own.epochs, 'epoch')} where {published.REALNVP.cite} allow up to "
        f"{count(_EPOCHS)}{weights} of the smallest of theirs. AUROCs are from at most {count(largest)} images of a set "
        f"against {count(inside['images'])} of {dataset_name(inside['name'])}, distances from "
        f"{count(metrics['fid'].get('samples'))} samples."
    )
    if own.epochs < _EPOCHS / 10 or inside["images"] < OFFICIAL_IMAGES:
        yield (
            "That is much less than the papers spend. What is worse here says little about a method; what is better says "
            "more. `kedro run` (100 epochs, full width, all images) is the run to hold against them."
        )
    if metrics["data"].get("pool") == "all":
        yield (
            "The official test images were pooled with the others before the split, and most were trained on: no figure "
            "of this run compares with a published one."
        )


def _likelihoods(flow: Mapping[str, Any], ours: tuple[OurLikelihood, ...]) -> Iterable[str]:
    yield likelihood_sentence(flow)
    text = (
        "Theirs and ours are on images of 28 by 28 pixels under uniform dequantisation, with the determinant of the "
        "preprocessing in the sum. They stop after 50 epochs without gain on validation images; here the last epoch's "
        "weights are kept, and nothing is chosen. "
    )
    if ours[0].split != "benchmark":
        text += "Ours are held-out training images, though, so the comparison is a guide only. "
    elif ours[0].images != OFFICIAL_IMAGES:
        text += f"Ours are on the first {count(ours[0].images)} of the {count(OFFICIAL_IMAGES)} official test images. "
    if any(one.model == "mixture flow" for one in ours):
        text += "Their couplings are affine, as our RealNVP's are; the mixture flow's are not, so it is another model. "
    yield text + (
        "The figure of LGF is a bound, estimated by importance sampling: its likelihood may be better than that."
    )


def _likelihood_table(ours: tuple[OurLikelihood, ...]) -> TableBlock:
    rows = [
        (
            figure.model,
            f"{figure.parameters:.2f}\u00a0M",
            f"{figure.bits:.3f} ± {figure.spread:.3f}",
            "exact" if figure.exact else "a bound",
            f"{count(OFFICIAL_IMAGES)} official test",
            figure.cite,
        )
        for figure in published.BITS_PER_DIM
    ]
    own = [
        (
            f"{one.model}, {plural(one.epochs, 'epoch')}",
            NOT_APPLICABLE if one.parameters is None else f"{number(one.parameters / 1e6, 2)}\u00a0M",
            _with_error(one),
            one.kind,
            f"{count(one.images)} official test" if one.split == "benchmark" else "held-out",
            "this run",
        )
        for one in ours
    ]
    return TableBlock(
        ("Model", "Parameters", "Bits/dim", "Likelihood", "Images", "Source"),
        (*rows, *own),
        "Likelihood on FashionMNIST; lower is better. Exact: of the density of the dequantised image; for "
        "its 8-bit pixels, every number here is an upper bound. After ±: as published (their Table 2); of ours, one "
        "standard error over the images.",
        numeric=(1, 2),
        emphasised=tuple(range(len(rows), len(rows) + len(own))),
    )


def _detections(ood: Mapping[str, Any]) -> Iterable[str]:
    ours = our_detections(ood)
    raws, mended = [own for own in ours if own.raw_likelihood], [own for own in ours if not own.raw_likelihood]
    for own, name in itertools.product(raws, _SETS):
        value, bounds = own.auroc.get(name, (None, None))
        others = published.raw_likelihoods(name)
        if others and is_number(value):
            theirs = listing([f"{figure.auroc[name]} ({figure.score.split(', ')[1]})" for figure in others])
            same = all((float(figure.auroc[name]) < 0.5) == (value < 0.5) for figure in others)
            agree = "the same way as" if same else "not the same way as"
            model = model_name(own.model)
            yield (
                f"{dataset_name(name)}, likelihood under {_the(model)}: {_auroc(value, bounds)}, {agree} the published "
                f"{theirs}."
            )
    for own in mended:
        for name in _SETS:
            value, bounds = own.auroc.get(name, (None, None))
            best = published.best_auroc(name)
            if best is None or not is_number(value):
                continue
            figure, reached = best
            label, model = own.label, model_name(own.model)
            low, high = bounds or (value, value)
            # The source's last digit hides as much as half of it.
            slack = 0.5 * 10.0 ** -len(figure.auroc[name].split(".")[1])
            standing = "ahead of" if low > reached + slack else "behind" if high < reached - slack else "level with"
            yield (
                f"{dataset_name(name)}, {label} score under {_the(model)}: {_auroc(value, bounds)}, {standing} the best "
                f"that was read, {figure.auroc[name]} ({figure.score}; {figure.cite})."
            )
    absent = [dataset_name(name) for name in _SETS if name not in raws[0].auroc]
    if absent:
        yield f"Not in this run, though others report them: {listing(absent)}."
    yield (
        "All are AUROCs of single images. The models differ, and so may the sides of a test and the images that were "
        "drawn; published ones come without intervals. Our scores are fitted to training images alone, but were designed by "
        "people who knew these sets."
    )


def _detection_table(ood: Mapping[str, Any]) -> TableBlock:
    ours = our_detections(ood)
    rows: list[tuple[str, ...]] = []
    emphasised = []
    for raw in (True, False):
        rows += [
            (figure.score, *(figure.auroc.get(name, NOT_APPLICABLE) for name in _SETS), figure.cite)
            for figure in published.AUROC
            if figure.raw_likelihood == raw
        ]
        for own in ours:
            if own.raw_likelihood == raw:
                emphasised.append(len(rows))
                values = [number(own.auroc[name][0], 3) if name in own.auroc else NOT_APPLICABLE for name in _SETS]
                rows.append((f"{own.label[0].upper()}{own.label[1:]}, {model_name(own.model)}", *values, "this run"))
    return TableBlock(
        ("Score", *(dataset_name(name).removeprefix("FashionMNIST ") for name in _SETS), "Source"),
        tuple(rows),
        "AUROC of single images, FashionMNIST against other sets and against itself upside down and mirrored. Below 0.5, "
        "the others are taken for the more familiar. A dash: not reported, or not in this run. Huang et al. collect "
        "figures of several papers (their Table 1).",
        numeric=tuple(range(1, len(_SETS) + 1)),
        emphasised=tuple(emphasised),
    )


def _distances(fid: Mapping[str, Any], inception: bool) -> Iterable[str]:
    low, high = min(published.FID, key=lambda f: f.fid), max(published.FID, key=lambda f: f.fid)
    theirs = (
        f"{published.FID[0].cite} report the best of a large search over parameters, from {low.fid} ({low.model}) to "
        f"{high.fid} ({high.model})"
    )
    if not inception:
        yield (
            f"{theirs}. This run has no FID to hold against them: Inception's weights were not used. Its Fréchet classifier "
            "distances are in other features and other units; they stand in a chapter of their own and in no column with "
            "FID."
        )
        return
    standings, where = _ranking(fid)
    if standings:
        best = standings[0]
        yield (
            f"{theirs}; the best here is the {model_name(best.model)} with {number(best.distance, 1)} on {where}, each "
            f"model trained once. Gaps under about {number(SEED_NOISE_FID, 0)} are noise between seeds."
        )
    else:
        yield f"{theirs}. Not every distance of this run is finite, so none is held against them."
    if is_number(fid.get("samples")) and fid["samples"] < OFFICIAL_IMAGES:
        yield (
            f"FID has a bias that falls with the number of samples: from {count(fid['samples'])}, ours come out too high "
            f"beside figures from {count(OFFICIAL_IMAGES)}."
        )


def _distance_table(fid: Mapping[str, Any], inception: bool) -> TableBlock:
    rows = [(f.model, f"{f.fid} ± {f.spread}", "best of a large search", f.cite) for f in published.FID]
    own: list[tuple[str, ...]] = [("All models", NOT_APPLICABLE, "not computed", "this run")]
    if inception:
        standings, where = _ranking(fid)
        own = [(model_name(s.model), number(s.distance, 1), f"best epoch, on {where}", "this run") for s in standings]
    return TableBlock(
        ("Model", "FID", "How", "Source"),
        (*rows, *own),
        "FID on FashionMNIST, in Inception's features; lower is better. After ±: the standard deviation over seeds.",
        numeric=(1,),
        emphasised=tuple(range(len(rows), len(rows) + len(own))),
    )


def _ranking(fid: Mapping[str, Any]) -> tuple[tuple[Standing, ...], str]:
    space = fid_findings(fid).space("inception")
    if space is None or not space.standings:
        return (), ""
    return space.standings, {"benchmark": "official test images", "test": "held-out images"}[space.reference]


def _where(own: OurLikelihood) -> str:
    if own.split != "benchmark":
        return "held-out images"
    return f"{count(own.images)} official test images" if own.images is not None else "official test images"


def _with_error(own: OurLikelihood) -> str:
    value = number(own.bits, 3)
    return f"{value} ± {number(own.error, 3)}" if is_number(own.bits) and is_number(own.error) else value


def _the(model: str) -> str:
    return model if model == "RealNVP" else f"the {model}"


def _auroc(value: float, bounds: tuple[float, float] | None) -> str:
    return " ".join(filter(None, [number(value, 3), interval(bounds)]))
