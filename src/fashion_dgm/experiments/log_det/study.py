"""The study: every estimator on every block, compared with theory."""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fashion_dgm.config.analyses import LEAST_GROUPS, LogDetStudyConfig
from fashion_dgm.experiments.log_det import TABLES
from fashion_dgm.experiments.log_det.blocks import Block, random_block
from fashion_dgm.experiments.log_det.draws import Array, draw_lengths, draw_terms, estimates, mean_of, variance_of
from fashion_dgm.experiments.log_det.moments import TermMoments, term_moments, truncation_bound
from fashion_dgm.flows.log_det import ProbeKind, batch_jacobian
from fashion_dgm.flows.series_weights import Geometric, Poisson, Roulette, Truncation
from fashion_dgm.training.seeds import generator

__all__ = ["Design", "designs", "random_blocks", "study"]

KINDS: tuple[ProbeKind, ...] = ("rademacher", "gaussian")
Row = dict[str, Any]
# Of the table of truncations, or as many as the longest of them has.
SHOWN_TERMS = 60


@dataclass(frozen=True)
class Design:
    """One estimator.

    Arguments:
        name: as tables and figures show it.
        family: `truncation`, `geometric` or `poisson`.
        exact_terms: terms that are always computed.
        series: the weights.
    """

    name: str
    family: str
    exact_terms: int
    series: Truncation | Roulette


def designs(config: LogDetStudyConfig) -> Iterator[Design]:
    """Yields truncations, then roulettes, as the configuration names them."""
    for terms in config.truncations:
        yield Design(f"{terms} term" if terms == 1 else f"{terms} terms", "truncation", terms, Truncation(terms))
    for exact in config.exact_terms:
        for stop in config.geometric:
            series = Roulette(exact, Geometric(stop))
            yield Design(f"{exact} + geometric, stop {stop:g}", "geometric", exact, series)
        for rate in config.poisson:
            series = Roulette(exact, Poisson(rate))
            yield Design(f"{exact} + Poisson, mean {rate:g}", "poisson", exact, series)


def random_blocks(config: LogDetStudyConfig) -> Iterator[Block]:
    """Yields a block of each kind, dimension and Lipschitz constant."""
    for kind, dimension, lipschitz in itertools.product(config.kinds, config.dimensions, config.lipschitz):
        yield random_block(kind, dimension, lipschitz, config.seed)


def study(
    blocks: Iterable[Block],
    config: LogDetStudyConfig,
    draws: int,
    terms: int,
    in_focus: Callable[[Block], bool],
) -> dict[str, pd.DataFrame]:
    """Evaluates every estimator on every block.

    Arguments:
        blocks: each small enough for its whole Jacobian.
        draws: of each estimator on each block.
        terms: of the series for exact moments.
        in_focus: which blocks get the rows of `probes`, `costs`, `budgets` and `tails`.

    Returns:
        blocks: a row a block: its Jacobian, and the variances of both kinds of probe.
        truncation: error, its bound and the variance at one probe, after each number of terms.
        probes: variance of the mean of several probes.
        estimators: bias, variance and cost of each estimator at one probe.
        costs: variance of roulettes in theory, over their expected number of terms.
        budgets: mean squared error of each estimator at equal cost.
        tails: variance of each roulette if no more than so many terms were computed.
    """
    tables: dict[str, list[Row]] = {name: [] for name in TABLES}
    for block in blocks:
        _, jacobians = batch_jacobian(block.g, block.x)
        moments = term_moments(jacobians[0], terms)
        _study_block(tables, block, moments, config, draws, in_focus(block))
    return {name: pd.DataFrame(rows) for name, rows in tables.items()}


def _study_block(
    tables: dict[str, list[Row]], block: Block, moments: TermMoments, config: LogDetStudyConfig, draws: int, focus: bool
) -> None:
    every = list(designs(config))
    lengths = [
        draw_lengths(one.series, draws, generator(config.seed, "lengths", block.name, one.name)) for one in every
    ]
    longest = max(int(length.max()) for length in lengths)
    reference = max(config.truncations)
    drawn = {
        kind: draw_terms(
            block, draws, kind, max(longest, reference) if kind == "rademacher" else reference,
            generator(config.seed, "probes", block.name, kind),
        )
        for kind in KINDS
    }  # fmt: skip
    key = {"block": block.name, "kind": block.kind, "dimension": block.dimension, "lipschitz": block.lipschitz}
    sums = {kind: drawn[kind][:reference].sum(0) for kind in KINDS}
    tables["blocks"].append(key | _block_row(moments, sums, reference, config))
    tables["truncation"].extend(
        key
        | {
            "terms": n,
            "error": moments.truncation_bias(n),
            "bound": truncation_bound(block.dimension, block.lipschitz, n),
            "variance": moments.truncation_variance(n, "rademacher"),
        }
        for n in range(1, min(len(moments.means), max(SHOWN_TERMS, *config.truncations)) + 1)
    )
    for one, length in zip(every, lengths, strict=True):
        values = estimates(one.series, drawn["rademacher"], length)
        tables["estimators"].append(key | _estimator_row(one, values, moments, config.confidence))
        if focus:
            tables["budgets"].extend(key | row for row in _budget_rows(one, values, moments, config))
        if focus and isinstance(one.series, Roulette):
            capped = moments.capped_variances(one.series, "rademacher")
            tables["tails"].extend(
                key | {"estimator": one.name, "cap": k, "chance": one.series.at_least(k), "variance": variance}
                for k, variance in enumerate(capped, start=1)
            )
    if focus:
        tables["costs"].extend(key | row for row in _cost_rows(moments, config))
        for kind in KINDS:
            theory = moments.truncation_variance(reference, kind)
            tables["probes"].extend(key | row for row in _probe_rows(kind, sums[kind], theory, config))


def _block_row(moments: TermMoments, sums: dict[ProbeKind, Array], reference: int, config: LogDetStudyConfig) -> Row:
    measured = {kind: variance_of(sums[kind], config.confidence) for kind in KINDS}
    theory = {kind: moments.truncation_variance(reference, kind) for kind in KINDS}
    few, many = (measured[kind] for kind in KINDS)
    ratio = few.value / many.value
    # Independent draws: the relative errors of numerator and denominator add up as squares.
    relative = math.hypot(few.error / few.value, many.error / many.value) if few.value > 0 else 0.0
    row: Row = {
        "norm": moments.norm,
        "radius": moments.radius,
        "log_det": moments.exact,
        "diagonal_fraction": moments.diagonal_fraction,
        "ratio": ratio,
        "ratio_error": ratio * relative,
        "ratio_theory": theory["rademacher"] / theory["gaussian"],
    }
    for kind in KINDS:
        row |= {
            f"variance_{kind}": measured[kind].value,
            f"variance_{kind}_error": measured[kind].error,
            f"variance_{kind}_theory": theory[kind],
        }
    return row


def _probe_rows(kind: ProbeKind, sums: Array, theory: float, config: LogDetStudyConfig) -> Iterator[Row]:
    for count in config.probes:
        means = _means(sums, count)
        if len(means) >= LEAST_GROUPS:
            found = variance_of(means, config.confidence)
            yield {
                "probe": kind, "probes": count, "groups": len(means), "variance": found.value, "low": found.low,
                "high": found.high, "theory": theory / count,
            }  # fmt: skip


def _cost_rows(moments: TermMoments, config: LogDetStudyConfig) -> Iterator[Row]:
    for exact in config.exact_terms:
        for stop in np.geomspace(0.02, 0.9, 40):
            roulette = Roulette(exact, Geometric(float(stop)))
            if moments.is_finite(roulette):
                variance = moments.roulette_variance(roulette, "rademacher")
                yield {"exact_terms": exact, "expected_terms": roulette.expected_terms, "variance": variance}


def _exact_moments(one: Design, moments: TermMoments) -> tuple[float, float]:
    """Returns bias and variance at one Rademacher probe."""
    if isinstance(one.series, Truncation):
        terms = one.series.terms
        return moments.truncation_bias(terms), moments.truncation_variance(terms, "rademacher")
    return 0.0, moments.roulette_variance(one.series, "rademacher")


def _estimator_row(one: Design, values: Array, moments: TermMoments, confidence: float) -> Row:
    mean, variance = mean_of(values, confidence), variance_of(values, confidence)
    bias, theory = _exact_moments(one, moments)
    return {
        "estimator": one.name, "family": one.family, "exact_terms": one.exact_terms,
        "expected_terms": one.series.expected_terms, "draws": len(values), "bias": mean.value - moments.exact,
        "bias_error": mean.error, "bias_theory": bias, "variance": variance.value, "variance_error": variance.error,
        "variance_theory": theory,
    }  # fmt: skip


def _budget_rows(one: Design, values: Array, moments: TermMoments, config: LogDetStudyConfig) -> Iterator[Row]:
    """Yields the error at each budget that pays for a whole probe on average: the mean over as many as it pays for."""
    bias, variance = _exact_moments(one, moments)
    cost = one.series.expected_terms
    for budget in config.budgets:
        count = int(budget // cost)
        if count < 1:
            continue
        row: Row = {
            "estimator": one.name, "family": one.family, "expected_terms": cost, "budget": budget, "probes": count,
            "error_theory": bias**2 + variance / count, "error": np.nan, "low": np.nan, "high": np.nan,
        }  # fmt: skip
        means = _means(values, count)
        if len(means) >= LEAST_GROUPS:
            found = mean_of((means - moments.exact) ** 2, config.confidence)
            row |= {"error": found.value, "low": found.low, "high": found.high}
        yield row


def _means(values: Array, count: int) -> Array:
    """Returns the means of disjoint groups of `count` draws."""
    groups = len(values) // count
    return values[: groups * count].reshape(groups, count).mean(1)
