"""The chapter on estimates of the log-determinant."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fashion_dgm.reporting import sources
from fashion_dgm.reporting.chapters.titles import TITLES
from fashion_dgm.reporting.figures.log_det import KIND_NAMES
from fashion_dgm.reporting.report import Block, Chapter, FigureBlock, FormulaBlock, NoteBlock, TableBlock, TextBlock
from fashion_dgm.reporting.wording import (
    count,
    interval,
    is_number,
    number,
    percent,
    plural,
    significant,
)

__all__ = ["log_det_chapter", "log_det_sentence"]


def log_det_chapter(metrics: Mapping[str, Any], figures: Mapping[str, bytes]) -> Chapter:
    """Tells what truncation and roulette cost, in bias, variance and products.

    Arguments:
        metrics: as `fashion_dgm.log_det_study.summary.summarise` returns them, with `draws` and `trained_draws`.
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
            (*(_truncation_sentence(block) for block in focus), *_trained_sentence(trained)),
            heading="Truncation: a bias that falls",
        ),
        _block_table(focus),
        *([_trained_table(trained)] if trained else []),
        FigureBlock(
            figures["probes"],
            "Above, variance over the number of probes for both kinds, measured points on the lines of theory. Below, the "
            "measured ratio of variances over the predicted one, on the diagonal.",
            f"Hutchinson's probes. S is the symmetric part of log(I + A). Bars: {percent(metrics['confidence'])} "
            "intervals.",
        ),
        TextBlock((_variance_sentence(metrics), *(_probe_sentence(b) for b in focus)), heading="Which probe, how many"),
        FigureBlock(
            figures["bias"],
            "Mean error of each estimator with its interval, beside its true bias, for two kinds of block.",
            f"Mean error over {count(metrics['draws'])} independent draws"
            f"{_trained_draws(metrics)}, with 95% intervals. On one block, all estimators are given the same probes, so "
            "their errors are alike. Hollow: the variance is infinite, and the interval cannot be trusted.",
        ),
        TextBlock(_bias_sentences(metrics["unbiased"]), heading="Is roulette unbiased?"),
        FigureBlock(
            figures["variance"],
            "Left, the standard deviation of geometric roulette falls with the expected number of terms. Right, the "
            "deviation of Poisson roulette climbs without end as rarer terms are counted, that of a slow geometric one "
            "levels off.",
            "The price of being unbiased, on the contracting block. Left: theory (lines) and measurement (points), by how "
            "many terms are always computed. Right: a variance that is infinite on paper comes from series so long that "
            "a run never meets them; until it does, the estimate looks tame and is off.",
        ),
        _roulette_table(focus),
        FigureBlock(
            figures["budget"],
            "Root mean squared error over cost on logarithmic axes, a panel a kind of block: truncations level off at "
            "their bias, roulettes go on falling.",
            "Error at equal cost. An estimate that may cost B products averages over as many probes as that pays for. "
            "Lines: theory; points: measured. Roulettes of infinite variance are left out.",
        ),
        TextBlock(tuple(_budget_sentence(block) for block in focus), heading="At equal cost"),
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
    return Chapter(
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


def log_det_sentence(metrics: Mapping[str, Any]) -> str:
    """Returns the study's main result in one sentence."""
    tests = metrics["unbiased"]
    unbiased = tests["finite"]["agrees"]
    return (
        f"Log-determinants by Russian roulette {'are unbiased' if unbiased else 'deviate from the truth'} within what "
        f"{count(metrics['draws'])} draws resolve, where their variance is finite; truncation is measurably biased in "
        f"{count(tests['truncation']['biased'])} of {count(tests['truncation']['comparisons'])} cases."
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


def _name(block: Mapping[str, Any]) -> str:
    return str(KIND_NAMES.get(block["kind"], block["kind"])).capitalize()


def _truncation_sentence(block: Mapping[str, Any]) -> str:
    needed, bound, limit = block.get("terms_needed"), block.get("terms_by_bound"), block["small_bias"]
    text = f"{_name(block)}: "
    if needed is None:
        text += f"the terms that were computed do not bring the bias below {limit:g} nats"
    else:
        text += f"{plural(needed, 'term')} bring the bias below {limit:g} nats"
    text += (
        "; the bound does not promise it for any of them" if bound is None else f"; the bound asks for {count(bound)}"
    )
    return (
        f"{text}. The spectral norm here is {number(block['norm'])} (bound {number(block['lipschitz'])}), the largest "
        f"eigenvalue {number(block['radius'])} in size, which is what sets the pace "
        "in the long run."
    )


def _trained_sentence(trained: Mapping[str, Any] | None) -> tuple[str, ...]:
    cut = [one for one in trained["estimators"] if one["bound"]] if trained else []
    small = [one for one in cut if abs(one["bias"]) < 0.1 * one["noise"]]
    if not cut:
        return ()
    first, last = cut[0], small[0] if small else cut[-1]
    text = (
        f"For the likelihood of the trained flow, over all its layers, {first['estimator']} means a bias of "
        f"{significant(first['bias'], 2)} bits/dim"
    )
    if last is not first:
        text += f", and {last['estimator']} one of {significant(last['bias'], 2)}"
    return (
        f"{text}; the noise of an image from one probe is {significant(last['noise'], 2)}"
        + (", at least ten times as much." if small else "."),
    )


def _bias(nats: float) -> str:
    return "< 0.001" if abs(nats) < 0.001 else significant(nats, 2)


def _block_table(focus: Sequence[Mapping[str, Any]]) -> TableBlock:
    shown = [one["terms"] for one in focus[0]["truncations"]] if focus else []
    return TableBlock(
        ("Block", "log det", "Noise of a probe", *(f"n = {terms}" for terms in shown)),
        tuple(
            (
                _name(block),
                number(block["log_det"]),
                number(block["standard_deviation"]),
                *(_bias(one["bias"]) for one in block["truncations"]),
            )
            for block in focus
        ),
        "The log-determinant, the standard deviation of an estimate from one Rademacher probe, and the bias after n terms. "
        "All in nats and exact.",
        numeric=tuple(range(1, 3 + len(shown))),
    )


def _trained_table(trained: Mapping[str, Any]) -> TableBlock:
    rows = tuple(
        (
            one["estimator"],
            f"{one['expected_terms']:g}",
            number(one["bias"], 5),
            significant(one["bound"], 2),
            "∞" if one["noise"] is None else number(one["noise"], 5),
        )
        for one in trained["estimators"]
    )
    return TableBlock(
        ("Estimator", "Terms", "Bias", "Bound of the bias", "Noise"),
        rows,
        "What the estimate does to the likelihood of the trained flow, in bits/dim, summed over its "
        f"{plural(trained['layers'], 'layer')} and averaged over {plural(trained['images'], 'image')}, from whole "
        "Jacobians. Noise: standard deviation with one "
        "probe of each layer and image; ∞ where it is infinite. A positive bias makes the flow look worse than it is.",
        numeric=(1, 2, 3, 4),
    )


def _variance_sentence(metrics: Mapping[str, Any]) -> str:
    test = metrics["variance"]
    verdict = "agree with" if test["agrees"] else "deviate from"
    return (
        f"The measured variances of single probes {verdict} theory: of {count(test['comparisons'])}, the farthest lies "
        f"{number(test['largest'], 1)} standard errors off, where {number(test['limit'], 1)} is the limit for all of them "
        f"at {percent(metrics['confidence'])}. More probes divide the variance by their number."
    )


def _probe_sentence(block: Mapping[str, Any]) -> str:
    ratio, bounds = block.get("ratio"), block.get("ratio_interval")
    if not is_number(ratio) or bounds is None:
        return f"{_name(block)}: the ratio of variances was not measured."
    text = (
        f"{_name(block)}: Rademacher probes have {number(ratio)} {interval(bounds, 2)} times the variance of Gaussian "
        f"ones; theory says {number(block['ratio_theory'])}, as {percent(block['diagonal_share'])} of S lies on its "
        "diagonal, which probes of ±1 do not see"
    )
    if bounds[1] < 1:
        return f"{text}."
    return f"{text}. Within noise there is no difference."


def _bias_sentences(tests: Mapping[str, Any]) -> tuple[str, ...]:
    finite, infinite, truncation = tests["finite"], tests["infinite"], tests["truncation"]
    found = [
        f"Truncation: the bias stands out from the noise in {count(truncation['biased'])} of "
        f"{count(truncation['comparisons'])} cases; everywhere it is "
        f"{'what' if truncation['agrees'] else 'not what'} the Jacobian says (farthest {number(truncation['largest'], 1)} "
        f"standard errors, limit {number(truncation['limit'], 1)}).",
    ]
    if finite["comparisons"]:
        verdict = "no bias is found" if finite["agrees"] else "a bias is found, against theory"
        found.append(
            f"Roulette of finite variance: {verdict} in {count(finite['comparisons'])} cases (farthest "
            f"{number(finite['largest'], 1)} standard errors, limit {number(finite['limit'], 1)}); "
            f"{percent(finite['covered'] / finite['comparisons'])} of the intervals hold the truth."
        )
    if infinite["comparisons"]:
        share = percent(infinite["covered"] / infinite["comparisons"])
        found.append(
            f"Roulette of infinite variance: {share} of {count(infinite['comparisons'])} intervals hold the truth, and the "
            f"farthest mean ({infinite['farthest']}) lies {number(infinite['largest'], 1)} of its own standard errors off"
            + (
                f". By more than chance allows, {count(infinite['beyond'])} are off: unbiased on paper, and yet wrong in "
                "practice, because what would bring the mean back has not been drawn. The others have so little left "
                "beyond the terms that are computed that these draws do not show it."
                if not infinite["agrees"]
                else ". So many draws do not show what theory warns of."
            )
        )
    return tuple(found)


def _roulette_table(focus: Sequence[Mapping[str, Any]]) -> TableBlock:
    names = [one["estimator"] for one in focus[0]["roulettes"]] if focus else []
    by_block = [{one["estimator"]: one for one in block["roulettes"]} for block in focus]
    rows = []
    for name in names:
        cells = [f"{one['expected_terms']:g}" for one in focus[0]["roulettes"] if one["estimator"] == name]
        for found in by_block:
            one = found[name]
            theory = one["standard_deviation_theory"]
            cells.append(f"{number(one['standard_deviation'])} ({'∞' if theory is None else number(theory)})")
        rows.append((name, *cells))
    return TableBlock(
        ("Roulette", "Terms", *(_name(block) for block in focus)),
        tuple(rows),
        "Standard deviation of one estimate in nats, from one Rademacher probe: measured and, in brackets, in theory; "
        "∞ where it is infinite. Terms: expected number, which is the cost in products.",
        numeric=tuple(range(1, 2 + len(focus))),
    )


def _budget_sentence(block: Mapping[str, Any]) -> str:
    roulettes, limit = block["roulettes"], block["small_bias"]
    finite = [one for one in roulettes if one["standard_deviation_theory"] is not None]
    # Where a truncation of the same cost lacks next to nothing, roulette has nothing to win.
    worth = [one for one in finite if abs(one["truncation_bias"] or 0) >= limit and is_number(one["break_even"])]
    if worth:
        best = min(worth, key=lambda one: one["break_even"])
        text = (
            f"against {plural(round(best['expected_terms']), 'term')} cut off, which lack "
            f"{significant(abs(best['truncation_bias']), 2)} nats, `{best['estimator']}` has the smaller error "
        )
        text += (
            "at any budget"
            if best["break_even"] <= best["expected_terms"]
            else f"for estimates that may cost more than about {_two_digits(best['break_even'])} products"
        )
    elif finite:
        text = f"as many terms cut off lack less than {limit:g} nats, so that roulette has nothing to win"
    else:
        text = "no roulette has a finite variance"
    infinite = len(roulettes) - len(finite)
    if infinite and finite:
        text += (
            f"; {count(infinite)} of {count(len(roulettes))} roulettes have an infinite variance here, as Poisson always "
            "does and geometric ones do whose chance to go on is below the square of the largest eigenvalue, "
            f"{number(block['radius'] ** 2)}"
        )
    return f"{_name(block)}: {text}."


def _two_digits(value: float) -> str:
    return count(int(round(value, 1 - math.floor(math.log10(value))))) if value < 1e6 else significant(value, 2)
