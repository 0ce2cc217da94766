"""The estimators that the study compares, named."""

from __future__ import annotations

from dataclasses import dataclass

from fashion_dgm.config.analyses import LogDetStudyConfig
from fashion_dgm.flows.series_weights import Geometric, Poisson, Roulette, Truncation

__all__ = ["Design", "designs"]


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


def designs(config: LogDetStudyConfig) -> list[Design]:
    """Returns truncations, then roulettes, as the configuration names them."""
    found = [
        Design(f"{terms} term" if terms == 1 else f"{terms} terms", "truncation", terms, Truncation(terms))
        for terms in config.truncations
    ]
    for exact in config.exact_terms:
        for stop in config.geometric:
            series = Roulette(exact, Geometric(stop))
            found.append(Design(f"{exact} + geometric, stop {stop:g}", "geometric", exact, series))
        for rate in config.poisson:
            series = Roulette(exact, Poisson(rate))
            found.append(Design(f"{exact} + Poisson, mean {rate:g}", "poisson", exact, series))
    return found
