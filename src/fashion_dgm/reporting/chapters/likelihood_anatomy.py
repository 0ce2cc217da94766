"""The chapter on what the likelihood of strangers is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fashion_dgm.reporting import sources
from fashion_dgm.reporting.chapters import likelihood_tables as tables
from fashion_dgm.reporting.chapters.likelihood_sentences import (
    complexity_sentences,
    gap_sentences,
    layer_sentences,
    perturbation_sentences,
    second_order_sentences,
    way_sentences,
)
from fashion_dgm.reporting.chapters.titles import TITLES
from fashion_dgm.reporting.report import BlockChapter, FigureBlock, FormulaBlock, NoteBlock, TextBlock
from fashion_dgm.reporting.wording import dataset_name

__all__ = ["likelihood_anatomy_chapter"]


def likelihood_anatomy_chapter(metrics: Mapping[str, Any], figures: Mapping[str, bytes]) -> BlockChapter:
    """Tells which terms, layers and properties of images make the gap in likelihood between familiar and foreign images.

    Arguments:
        metrics: what the node `explain_likelihood` returns.
        figures: PNGs `likelihood_gap`, `likelihood_by_layer`, `way_through_the_flow`, `likelihood_complexity`,
            `perturbation_examples` and `perturbation_curves`.
    """
    inside, outside = metrics["in_distribution"], metrics["stranger"]
    ours, theirs = dataset_name(inside), dataset_name(outside)
    gap = metrics["sets"][outside]["gap"]
    return BlockChapter(
        title=TITLES["anatomy"],
        anchor="anatomy",
        intro=(
            f"Where does the gap between {ours} and {theirs} come from? The likelihood is a sum, a term for each layer "
            "of the flow and one for the latents of each scale, so the gap can be read term by term.",
        ),
        blocks=(
            FormulaBlock(
                "bits_by_term",
                "Bits per dimension as a sum over layers l, each with its Jacobian J, and scales s, each with its "
                "latents z. A positive log-determinant saves bits.",
            ),
            FigureBlock(
                figures["likelihood_gap"],
                "Stacked bars, a bar a set: how many bits/dim each term adds to or takes from the gap to "
                f"{ours}; dots mark the sums.",
                f"The gap of each set to {ours}, term by term, and their sum with its interval.",
            ),
            TextBlock(tuple(gap_sentences(gap, ours, theirs)), heading="Volume or latents"),
            tables.gap_table(gap, ours, theirs, metrics.get("confidence")),
            NoteBlock(
                "The split depends on coordinates",
                (
                    "Only the sum is a property of the density. The split belongs to this flow and its layers: the logit, "
                    "which learns nothing, gives dark pixels much volume, and the layers after it take some back.",
                ),
            ),
            FigureBlock(
                figures["likelihood_by_layer"],
                f"Two curves over the couplings: bits/dim of {ours} and {theirs}; below, bars of the gap between them.",
                "Bits/dim, had the flow ended after each coupling and the prior been laid on the values there. Bars: 95% "
                "intervals.",
            ),
            TextBlock(tuple(layer_sentences(metrics["layers"], ours, theirs)), heading="Layer by layer"),
            FigureBlock(
                figures["way_through_the_flow"],
                f"An image of {ours} and one of {theirs} after each coupling, gradually turning into noise.",
                "All values after each coupling, each at the pixel it started from, stretched to full contrast (after "
                "Kirichenko et al., 2020).",
            ),
            TextBlock(tuple(way_sentences(metrics["sets"], inside, outside)), heading="What is left in the latents"),
            FigureBlock(
                figures["likelihood_complexity"],
                f"A scatter of bits/dim over the bits/pixel of a PNG file, a colour a set, with a line through {ours}.",
                f"Bits/dim over the length of the image as a PNG file, and the least-squares line through {ours} alone.",
            ),
            TextBlock(tuple(complexity_sentences(metrics, inside, outside)), heading="Complexity"),
            tables.complexity_table(metrics, inside),
            FigureBlock(
                figures["perturbation_examples"],
                "One garment made darker and brighter, drawn towards the mean image, and blurred, with bits/dim under each.",
                "One image of the benchmark, changed. Under each: its bits/dim.",
            ),
            FigureBlock(
                figures["perturbation_curves"],
                "Curves of the change in bits/dim and of the AUROC over brightness, spread and blur.",
                "Above: mean change in bits/dim. Below: AUROC of changed against unchanged images. The dotted line "
                "marks the images themselves. Spread: all images drawn towards their mean image, which stays as it is.",
            ),
            TextBlock(tuple(perturbation_sentences(metrics["perturbations"])), heading="Brightness, spread, blur"),
            TextBlock(tuple(second_order_sentences(metrics, ours, theirs)), heading="The second-order argument"),
        ),
        sources=(sources.KIRICHENKO_2020, sources.NALISNICK_2019, sources.SERRA_2020),
        finding=gap_sentences(gap, ours, theirs)[0],
    )
