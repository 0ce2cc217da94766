"""The scores: what each is made of, and the one place where its sign is set. High means out of distribution.

A new score is an entry of `SCORES`, with a function that fits it, the measures that it needs and its reference.

A score is fitted to measures of training images, and from then on is a function of one image. Nothing else reaches it.
"""

# Derived in docs/theory/likelihood-ood.md.

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from fashion_dgm.config import OODConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.ood.densities import Calibrated, JointDensity, Mahalanobis, ProductDensity

__all__ = ["SCORES", "STATISTICS", "Measures", "Score", "needs_of", "scores_of", "statistics_of"]

Measures = Mapping[str, NDArray[np.floating]]
Fitted = Callable[[Measures], NDArray[np.floating]]
Fit = Callable[[Measures, OODConfig], Fitted]


@dataclass(frozen=True)
class Score:
    """A score: one measure of how far OOD an image is.

    Arguments:
        label: what it is called in tables.
        paper: where it comes from, in short.
        needs: measures that it is made of.
        fit: takes measures of training images, and gives the function from measures of images to scores `(N,)`.
        tails: "one" or "two": whether only one side of the measure counts as OOD.
        uses_flow: whether a flow is needed; the others know the training images alone.
        uses_labels: whether anything in it was trained with the labels of the training images.
        statistics: those of the parameters that it is made of, too.
    """

    label: str
    paper: str
    needs: tuple[str, ...]
    fit: Fit
    tails: str = "one"
    uses_flow: bool = True
    uses_labels: bool = False
    statistics: Callable[[OODConfig], Sequence[str]] = lambda config: ()


def _as_is(measure: Callable[[Measures], NDArray[np.floating]]) -> Fit:
    return lambda train, config: measure


def _distance_from_mean(measure: str) -> Fit:
    def fit(train: Measures, config: OODConfig) -> Fitted:
        mean = float(np.mean(train[measure]))
        return lambda images: np.abs(images[measure] - mean)

    return fit


def _mahalanobis(train: Measures, config: OODConfig) -> Fitted:
    fitted = Mahalanobis(train["latents"])
    return lambda images: fitted.squared(images["latents"])


def _waic(images: Measures) -> NDArray[np.floating]:
    """`Var[log p] - E[log p]` over the ensemble, in nats."""
    nats = images["ensemble_bits_per_dim"] * images["latents"].shape[1] * np.log(2)
    return nats.mean(1) + nats.var(1)


def _log(name: str) -> Callable[[Measures], NDArray[np.floating]]:
    # A copy is at distance 0.
    return lambda images: np.log(np.maximum(images[name], 1e-6))


STATISTICS: Mapping[str, tuple[tuple[str, ...], Callable[[Measures], NDArray[np.floating]]]] = MappingProxyType(
    {
        "bits_per_dim": (("bits_per_dim",), lambda images: images["bits_per_dim"]),
        "log_prior": (("log_prior",), lambda images: images["log_prior"]),
        "log_det": (("log_det",), lambda images: images["log_det"]),
        "coded_bits_per_dim": (("coded_bits_per_dim",), lambda images: images["coded_bits_per_dim"]),
        "gradient_norm": (("gradient_norm",), _log("gradient_norm")),
        "nearest_pixels": (("nearest_pixels",), _log("nearest_pixels")),
        "nearest_edges": (("nearest_edges",), _log("nearest_edges")),
        "nearest_features": (("nearest_features",), _log("nearest_features")),
    }
)
"""Statistics of which densities can be fitted: what each needs, and how it comes from it."""


_CODER = ("coded_bits_per_dim",)


def statistics_of(names: Sequence[str], images: Measures) -> NDArray[np.float64]:
    """Returns the named statistics `(N, S)` of images."""
    return np.stack([STATISTICS[name][1](images) for name in names], axis=1).astype(np.float64)


def _dose(train: Measures, config: OODConfig) -> Fitted:
    names = config.dose_statistics
    density = ProductDensity(statistics_of(names, train))
    return lambda images: -density.log_density(statistics_of(names, images))


def _coder(train: Measures, config: OODConfig) -> Fitted:
    density = JointDensity(statistics_of(_CODER, train), config.components, config.seed)
    return lambda images: -density.log_density(statistics_of(_CODER, images))


def _combined(nearest: str, statistics: Sequence[str] | None = None) -> Fit:
    """Asks two questions, and takes the answer that is the less usual among training images.

    How likely are the statistics of the image, all together? And is it further from its nearest training images than images
    with such statistics are? Tippett's smallest of two p-values: what either question finds is found, while a sum would
    drown the one in the noise of the other.

    Arguments:
        nearest: the statistic of the second question.
        statistics: of the first; those that are configured if None.
    """

    def fit(train: Measures, config: OODConfig) -> Fitted:
        names = statistics or config.combined_statistics
        density = JointDensity(statistics_of(names, train), config.components, config.seed)
        both = JointDensity(statistics_of((*names, nearest), train), config.components, config.seed)

        def unlikely(images: Measures) -> NDArray[np.float64]:
            return -density.log_density(statistics_of(names, images))

        def far(images: Measures) -> NDArray[np.float64]:
            return -both.log_tail(statistics_of((*names, nearest), images))

        calibrated = [(ask, Calibrated(ask(train))) for ask in (unlikely, far)]
        return lambda images: np.max([calibrate(ask(images)) for ask, calibrate in calibrated], axis=0)

    return fit


SCORES: Mapping[str, Score] = MappingProxyType(
    {
        "likelihood": Score(
            "likelihood",
            "Bishop (1994)",
            ("bits_per_dim",),
            _as_is(lambda images: images["bits_per_dim"]),
        ),
        "typicality": Score(
            "typicality",
            "Nalisnick et al. (2019b)",
            ("bits_per_dim",),
            _distance_from_mean("bits_per_dim"),
            tails="two",
        ),
        "latent_typicality": Score(
            "typicality of latents",
            "Choi et al. (2019), annulus method",
            ("log_prior",),
            _distance_from_mean("log_prior"),
            tails="two",
        ),
        "latent_distance": Score(
            "Mahalanobis, latents",
            "after Lee et al. (2018)",
            ("latents",),
            _mahalanobis,
        ),
        "input_complexity": Score(
            "input complexity",
            "Serrà et al. (2020)",
            ("bits_per_dim", "coded_bits_per_dim"),
            _as_is(lambda images: images["bits_per_dim"] - images["coded_bits_per_dim"]),
        ),
        "likelihood_ratio": Score(
            "likelihood ratio",
            "Ren et al. (2019)",
            ("bits_per_dim", "background_bits_per_dim"),
            _as_is(lambda images: images["bits_per_dim"] - images["background_bits_per_dim"]),
        ),
        "gradient_norm": Score(
            "gradient norm",
            "Grathwohl et al. (2020)",
            ("gradient_norm",),
            _as_is(_log("gradient_norm")),
        ),
        "waic": Score(
            "WAIC",
            "Choi et al. (2019)",
            ("latents", "ensemble_bits_per_dim"),
            _as_is(_waic),
        ),
        "dose": Score(
            "DoSE",
            "Morningstar et al. (2021)",
            (),
            _dose,
            tails="two",
            statistics=lambda config: config.dose_statistics,
        ),
        "nearest_pixels": Score(
            "neighbours, pixels",
            "Sun et al. (2022)",
            ("nearest_pixels",),
            _as_is(_log("nearest_pixels")),
            uses_flow=False,
        ),
        "nearest_edges": Score(
            "neighbours, edges",
            "Sun et al. (2022); Tola et al. (2010)",
            ("nearest_edges",),
            _as_is(_log("nearest_edges")),
            uses_flow=False,
        ),
        "nearest_features": Score(
            "neighbours, classifier",
            "Sun et al. (2022)",
            ("nearest_features",),
            _as_is(_log("nearest_features")),
            uses_flow=False,
            uses_labels=True,
        ),
        "coded_length": Score(
            "coded length",
            "after Serrà et al. (2020)",
            _CODER,
            _coder,
            tails="two",
            uses_flow=False,
        ),
        "combined_without_flow": Score(
            "combined, no flow",
            "Sun et al. (2022)",
            (*_CODER, "nearest_edges"),
            _combined("nearest_edges", _CODER),
            tails="two",
            uses_flow=False,
        ),
        "combined": Score(
            "combined",
            "Morningstar et al. (2021); Sun et al. (2022)",
            ("nearest_edges",),
            _combined("nearest_edges"),
            tails="two",
            statistics=lambda config: config.combined_statistics,
        ),
        "combined_labels": Score(
            "combined, labels",
            "Morningstar et al. (2021); Sun et al. (2022)",
            ("nearest_features",),
            _combined("nearest_features"),
            tails="two",
            uses_labels=True,
            statistics=lambda config: config.combined_statistics,
        ),
    }
)


def scores_of(config: OODConfig) -> tuple[str, ...]:
    """Returns the names of the scores that `config` asks for, where `all` is all of `SCORES`.

    Raises:
        FashionDGMError: if there is no score of a name.
    """
    names = tuple(SCORES) if config.scores == ("all",) else config.scores
    for name in (*names, config.primary_score):
        if name not in SCORES:
            raise FashionDGMError(f"there is no score {name!r}; ood_eval.scores may name {', '.join(SCORES)}")
    return names


def needs_of(name: str, config: OODConfig) -> set[str]:
    """Returns the measures that a score is made of."""
    score = SCORES[name]
    return {*score.needs, *(need for statistic in score.statistics(config) for need in STATISTICS[statistic][0])}
