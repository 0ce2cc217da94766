"""The chapter on estimates of the log-determinant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fashion_dgm.reporting import sources
from fashion_dgm.reporting.chapters.log_det_sentences import (
    bias_sentences,
    budget_sentence,
    log_det_sentence,
    probe_sentence,
    trained_sentences,
    truncation_sentence,
    variance_sentence,
)
from fashion_dgm.reporting.chapters.log_det_tables import block_table, roulette_table, trained_table
from fashion_dgm.reporting.chapters.titles import TITLES
from fashion_dgm.reporting.report import Block, BlockChapter, FigureBlock, FormulaBlock, NoteBlock, TextBlock
from fashion_dgm.reporting.wording import (
    count,
    number,
    percent,
    plural,
)

__all__ = ["log_det_chapter"]


def log_det_chapter(metrics: Mapping[str, Any], figures: Mapping[str, bytes]) -> BlockChapter:
    """Tells what truncation and roulette cost, in bias, variance and products.

    Arguments:
        metrics: as `fashion_dgm.experiments.log_det.summary.summarise` returns them, with `draws` and `trained_draws`.
        figures: PNG files by name: `truncation`, `probes`, `bias`, `variance`, `budget`.
    """
    focus, trained = metrics["focus"], metrics.get("trained")
    blocks: list[Block] = [
        FormulaBlock(
            "log_det_series",
            "A is the Jacobian of the residual branch g of a layer x + g(x), v a random probe, and n the number of terms "
            "computed: fixed (truncation, all weights c = 1), or drawn (roulette, c = 1 / P(term k is computed)). Each "
            "term costs one vector-Jacobian product (vjp), about as much as a backward pass.",
        ),
        TextBlock(_blocks_text(metrics), heading="Method"),
        *([] if trained else [_missing_trained()]),
        FigureBlock(
            figures["truncation"],
            "Error of the truncated series over the number of terms on logarithmic axes, a panel a kind of block, with "
            "dashed bounds above the curves.",
            "What the series lacks if it is cut off, from whole Jacobians: no randomness is in it. Dashed: the bound of "
            "theory from dimension and Lipschitz constant alone.",
        ),
        TextBlock(
            (*(truncation_sentence(block) for block in focus), *trained_sentences(trained)),
            heading="Truncation: a bias that falls",
        ),
        block_table(focus),
        *([trained_table(trained)] if trained else []),
        FigureBlock(
            figures["probes"],
            "Above, variance over the number of probes for both kinds, measured points on the lines of theory. Below, the "
            "measured ratio of variances over the predicted one, on the diagonal.",
            f"Hutchinson's probes. S is the symmetric part of log(I + A). Bars: {percent(metrics['confidence'])} "
            "intervals.",
        ),
        TextBlock((variance_sentence(metrics), *(probe_sentence(b) for b in focus)), heading="Which probe, how many"),
        FigureBlock(
            figures["bias"],
            "Mean error of each estimator with its interval, beside its true bias, for two kinds of block.",
            f"Mean error over {count(metrics['draws'])} independent draws"
            f"{_trained_draws(metrics)}, with 95% intervals. On one block, all estimators are given the same probes, so "
            "their errors are alike. Hollow: the variance is infinite, and the interval cannot be trusted.",
        ),
        TextBlock(bias_sentences(metrics["unbiased"]), heading="Is roulette unbiased?"),
        FigureBlock(
            figures["variance"],
            "Left, the standard deviation of geometric roulette falls with the expected number of terms. Right, the "
            "deviation of Poisson roulette climbs without end as rarer terms are counted, that of a slow geometric one "
            "levels off.",
            "The price of being unbiased, on the contracting block. Left: theory (lines) and measurement (points), by how "
            "many terms are always computed. Right: a variance that is infinite on paper comes from series so long that "
            "a run never meets them; until it does, the estimate looks tame and is off.",
        ),
        roulette_table(focus),
        FigureBlock(
            figures["budget"],
            "Root mean squared error over cost on logarithmic axes, a panel a kind of block: truncations level off at "
            "their bias, roulettes go on falling.",
            "Error at equal cost. An estimate that may cost B products averages over as many probes as that pays for. "
            "Lines: theory; points: measured. Roulettes of infinite variance are left out.",
        ),
        TextBlock(tuple(budget_sentence(block) for block in focus), heading="At equal cost"),
        NoteBlock(
            "How to read this",
            (
                "The error of a value is not the whole story. A flow in training follows gradients, averaged over many "
                "batches: noise averages out there and bias does not, and a flow can learn to exploit it. In evaluation, "
                "one likelihood is reported, and many terms are cheap. That is why flows are trained with roulette and "
                "evaluated with many terms computed always.",
                "Random blocks are not trained ones. Of the same Lipschitz constant, one Jacobian may be easy and another "
                "as hard as the bound allows.",
            ),
        ),
    ]
    return BlockChapter(
        title=TITLES["log-det"],
        anchor="log-det",
        intro=(
            "A coupling buys an exact determinant by leaving half of the image alone. A residual layer changes all of it, "
            "and its log-determinant must be estimated: by a power series whose traces are sampled with random probes. "
            "Cutting the series off leaves a bias (Behrmann et al., 2019); Russian roulette removes it and pays in "
            "variance (Chen et al., 2019). How much of either depends on the Jacobian.",
        ),
        blocks=tuple(blocks),
        sources=(sources.BEHRMANN_2019, sources.CHEN_2019, sources.HUTCHINSON_1990),
        finding=log_det_sentence(metrics),
    )


def _blocks_text(metrics: Mapping[str, Any]) -> tuple[str, ...]:
    focus, trained = metrics["focus"], metrics.get("trained")
    random = [block for block in focus if block["kind"] != "trained"]
    text = (
        f"{count(metrics['blocks'])} residual blocks small enough for their whole Jacobian, so that the truth is known. "
        "Random ones have two layers with a tanh between, scaled to a Lipschitz constant. Dense: random matrices. "
        "Convolutional: 3x3 kernels. Contracting: built so that all eigenvalues of the Jacobian lie near the negative of "
        "the constant, the case that bounds are made for."
    )
    if random:
        text += (
            f" Tables and most figures show D = {random[0]['dimension']} at a Lipschitz constant of "
            f"{random[0]['lipschitz']:g}. Estimators ran on {count(metrics['draws'])} independent probes a block."
        )
    if trained is None:
        return (text,)
    return (
        text,
        f"The trained flow has {plural(trained['layers'], 'residual layer')} of {trained['dimension']} dimensions, studied "
        f"at {plural(trained['images'], 'held-out image')} with {count(metrics['trained_draws'])} probes each. Its spectral "
        f"norms lie between {number(trained['norm'][0])} and {number(trained['norm'][1])}, where the bound is "
        f"{number(trained['lipschitz'])}. Figures show the layer of the largest norm.",
    )


def _missing_trained() -> NoteBlock:
    return NoteBlock(
        "Not on a trained flow yet",
        (
            "No Residual Flow was trained before this study ran, so it knows random blocks only. Run "
            "`kedro run --pipelines train_residual_flow,log_det_study,report`, with the same `--env` as this report, to "
            "see where trained layers lie.",
        ),
    )


def _trained_draws(metrics: Mapping[str, Any]) -> str:
    return f" ({count(metrics['trained_draws'])} on the trained flow)" if metrics.get("trained") else ""
