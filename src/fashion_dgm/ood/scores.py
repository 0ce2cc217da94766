"""The scores: what each is made of, and the one place where its sign is set. High means out of distribution.

A new score is an entry of `SCORES`, with a function that fits it, the measures that it needs and its reference.

A score is fitted to measures of training images, and from then on is a function of one image. Nothing else reaches it.
"""

# Derived in docs/theory/likelihood-ood.md.

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from fashion_dgm.config import OODConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.ood.densities import Calibrated, JointDensity, Mahalanobis, ProductDensity

__all__ = ["SCORES", "Fitted", "Measures", "Score", "needs_of", "scores_of"]

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
        configured: the parameter that names further measures that it is made of, if there is one.
    """

    label: str
    paper: str
    needs: tuple[str, ...]
    fit: Fit
    tails: str = "one"
    uses_flow: bool = True
    uses_labels: bool = False
    configured: str | None = None


LENGTHS = ("gradient_norm", "nearest_pixels", "nearest_edges", "nearest_features")


def _statistic(name: str, images: Measures) -> NDArray[np.floating]:
    """Returns a measure on the scale on which it is scored, `(N,)`: of lengths, the logarithm."""
    # A copy is at distance 0.
    return np.log(np.maximum(images[name], 1e-6)) if name in LENGTHS else images[name]


def _statistics(names: Sequence[str], images: Measures) -> NDArray[np.float64]:
    """Returns several measures of images as columns, `(N, S)`."""
    return np.stack([_statistic(name, images) for name in names], axis=1).astype(np.float64)


def _measured(name: str) -> Fit:
    return lambda train, config: lambda images: _statistic(name, images)


def _difference(first: str, second: str) -> Fit:
    return lambda train, config: lambda images: images[first] - images[second]


def _distance_from_mean(name: str) -> Fit:
    def fit(train: Measures, config: OODConfig) -> Fitted:
        mean = float(np.mean(train[name]))
        return lambda images: np.abs(images[name] - mean)

    return fit


def _mahalanobis(train: Measures, config: OODConfig) -> Fitted:
    fitted = Mahalanobis(train["latents"])
    return lambda images: fitted.squared(images["latents"])


def _waic(train: Measures, config: OODConfig) -> Fitted:
    """`Var[log p] - E[log p]` over the ensemble, in nats."""

    def score(images: Measures) -> NDArray[np.floating]:
        nats = images["ensemble_bits_per_dim"] * images["latents"].shape[1] * np.log(2)
        return nats.mean(1) + nats.var(1)

    return score


def _dose(train: Measures, config: OODConfig) -> Fitted:
    density = ProductDensity(_statistics(config.dose_statistics, train))
    return lambda images: -density.log_density(_statistics(config.dose_statistics, images))


def _unlikely(names: Sequence[str]) -> Fit:
    """Scores by the joint density of some measures."""

    def fit(train: Measures, config: OODConfig) -> Fitted:
        density = JointDensity(_statistics(names, train), config.components, config.seed)
        return lambda images: -density.log_density(_statistics(names, images))

    return fit


def _combined(nearest: str, names: Sequence[str] | None = None) -> Fit:
    """Asks two questions, and takes the answer that is the less usual among training images.

    How likely are the statistics of the image, all together? And is it further from its nearest training images than images
    with such statistics are? Tippett's smallest of two p-values: what either question finds is found, while a sum would
    drown the one in the noise of the other.

    Arguments:
        nearest: the measure of the second question.
        names: measures of the first; those that are configured if None.
    """

    def fit(train: Measures, config: OODConfig) -> Fitted:
        first = names or config.combined_statistics
        both = (*first, nearest)
        joint = JointDensity(_statistics(both, train), config.components, config.seed)
        asked = (_unlikely(first)(train, config), lambda images: -joint.log_tail(_statistics(both, images)))
        calibrated = [(ask, Calibrated(ask(train))) for ask in asked]
        return lambda images: np.max([calibrate(ask(images)) for ask, calibrate in calibrated], axis=0)

    return fit


_BITS, _CODED = "bits_per_dim", "coded_bits_per_dim"
_SUN, _BOTH = "Sun et al. (2022)", "Morningstar et al. (2021); Sun et al. (2022)"


def _alone(label: str, paper: str, name: str, uses_flow: bool = True, uses_labels: bool = False) -> Score:
    """A score that is one measure as it is."""
    return Score(label, paper, (name,), _measured(name), uses_flow=uses_flow, uses_labels=uses_labels)


def _typical(label: str, paper: str, name: str) -> Score:
    """A score that is the distance of one measure from its mean."""
    return Score(label, paper, (name,), _distance_from_mean(name), tails="two")


def _excess(label: str, paper: str, other: str) -> Score:
    """A score that is by how much the flow's bits exceed another measure."""
    return Score(label, paper, (_BITS, other), _difference(_BITS, other))


def _joined(label: str, nearest: str, uses_labels: bool = False) -> Score:
    """`_combined` of the measures that are configured."""
    fit, configured = _combined(nearest), "combined_statistics"
    return Score(label, _BOTH, (nearest,), fit, tails="two", uses_labels=uses_labels, configured=configured)


SCORES: Mapping[str, Score] = MappingProxyType(
    {
        "likelihood": _alone("likelihood", "Bishop (1994)", _BITS),
        "typicality": _typical("typicality", "Nalisnick et al. (2019b)", _BITS),
        "latent_typicality": _typical("typicality of latents", "Choi et al. (2019), annulus method", "log_prior"),
        "latent_distance": Score("Mahalanobis, latents", "after Lee et al. (2018)", ("latents",), _mahalanobis),
        "input_complexity": _excess("input complexity", "Serrà et al. (2020)", _CODED),
        "likelihood_ratio": _excess("likelihood ratio", "Ren et al. (2019)", "background_bits_per_dim"),
        "gradient_norm": _alone("gradient norm", "Grathwohl et al. (2020)", "gradient_norm"),
        "waic": Score("WAIC", "Choi et al. (2019)", ("latents", "ensemble_bits_per_dim"), _waic),
        "dose": Score("DoSE", "Morningstar et al. (2021)", (), _dose, tails="two", configured="dose_statistics"),
        "nearest_pixels": _alone("neighbours, pixels", _SUN, "nearest_pixels", uses_flow=False),
        "nearest_edges": _alone(
            "neighbours, edges", "Sun et al. (2022); Tola et al. (2010)", "nearest_edges", uses_flow=False
        ),
        "nearest_features": _alone(
            "neighbours, classifier", _SUN, "nearest_features", uses_flow=False, uses_labels=True
        ),
        "coded_length": Score(
            "coded length", "after Serrà et al. (2020)", (_CODED,), _unlikely((_CODED,)), tails="two", uses_flow=False
        ),
        "combined_without_flow": Score(
            "combined, no flow",
            _SUN,
            (_CODED, "nearest_edges"),
            _combined("nearest_edges", (_CODED,)),
            tails="two",
            uses_flow=False,
        ),
        "combined": _joined("combined", "nearest_edges"),
        "combined_labels": _joined("combined, labels", "nearest_features", uses_labels=True),
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
    configured = SCORES[name].configured
    return {*SCORES[name].needs, *(getattr(config, configured) if configured else ())}
