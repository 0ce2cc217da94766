"""Sentences on estimates of the log-determinant, each following its numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from fashion_dgm.reporting.figures.log_det import KIND_NAMES
from fashion_dgm.reporting.wording import count, interval, is_number, number, percent, plural, significant

__all__ = [
    "bias_sentences",
    "block_name",
    "budget_sentence",
    "log_det_sentence",
    "probe_sentence",
    "trained_sentences",
    "truncation_sentence",
    "variance_sentence",
]


def log_det_sentence(metrics: Mapping[str, Any]) -> str:
    """Returns the study's main result in one sentence."""
    tests = metrics["unbiased"]
    unbiased = tests["finite"]["agrees"]
    return (
        f"Log-determinants by Russian roulette {'are unbiased' if unbiased else 'deviate from the truth'} within what "
        f"{count(metrics['draws'])} draws resolve, where their variance is finite; truncation is measurably biased in "
        f"{count(tests['truncation']['biased'])} of {count(tests['truncation']['comparisons'])} cases."
    )


def block_name(block: Mapping[str, Any]) -> str:
    """Writes the kind of a block as it begins a sentence or a row."""
    return str(KIND_NAMES.get(block["kind"], block["kind"])).capitalize()


def truncation_sentence(block: Mapping[str, Any]) -> str:
    """Returns how many terms a block needs, beside what the bound asks for."""
    needed, bound, limit = block.get("terms_needed"), block.get("terms_by_bound"), block["small_bias"]
    text = f"{block_name(block)}: "
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


def trained_sentences(trained: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Returns what truncation does to the trained flow's likelihood; nothing where none was studied."""
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


def variance_sentence(metrics: Mapping[str, Any]) -> str:
    """Returns whether the variances of single probes are those of theory."""
    test = metrics["variance"]
    verdict = "agree with" if test["agrees"] else "deviate from"
    return (
        f"The measured variances of single probes {verdict} theory: of {count(test['comparisons'])}, the farthest lies "
        f"{number(test['largest'], 1)} standard errors off, where {number(test['limit'], 1)} is the limit for all of them "
        f"at {percent(metrics['confidence'])}. More probes divide the variance by their number."
    )


def probe_sentence(block: Mapping[str, Any]) -> str:
    """Returns how much better Rademacher probes are than Gaussian ones on a block."""
    ratio, bounds = block.get("ratio"), block.get("ratio_interval")
    if not is_number(ratio) or bounds is None:
        return f"{block_name(block)}: the ratio of variances was not measured."
    text = (
        f"{block_name(block)}: Rademacher probes have {number(ratio)} {interval(bounds, 2)} times the variance of Gaussian "
        f"ones; theory says {number(block['ratio_theory'])}, as {percent(block['diagonal_share'])} of S lies on its "
        "diagonal, which probes of ±1 do not see"
    )
    if bounds[1] < 1:
        return f"{text}."
    return f"{text}. Within noise there is no difference."


def bias_sentences(tests: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns which estimators are biased, as far as the draws resolve it."""
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


def budget_sentence(block: Mapping[str, Any]) -> str:
    """Returns from which cost on roulette has the smaller error on a block."""
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
    return f"{block_name(block)}: {text}."


def _two_digits(value: float) -> str:
    return count(int(round(value, 1 - math.floor(math.log10(value))))) if value < 1e6 else significant(value, 2)
