"""What others published on FashionMNIST: the one place that holds figures to compare with, each as its source prints it.

Measures of different kinds have tables of their own, and no function here joins them: bits/dim, AUROC, FID.
"""

# Explained in docs/reading-the-numbers.md.

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = [
    "AUROC",
    "BITS_PER_DIM",
    "FID",
    "REALNVP",
    "DetectionFigure",
    "DistanceFigure",
    "LikelihoodFigure",
    "best_auroc",
    "raw_likelihoods",
]


class LikelihoodFigure(NamedTuple):
    """Bits per dimension on the 10,000 official test images, 28 by 28 pixels.

    Arguments:
        model: its name.
        parameters: in millions.
        bits: the mean, `spread` what stands behind ± in the source.
        exact: whether it is the density of the dequantised image, or a bound of it.
        cite: where it was read; the list of references has it in full.
    """

    model: str
    parameters: float
    bits: float
    spread: float
    exact: bool
    cite: str


class DetectionFigure(NamedTuple):
    """AUROC of single images against FashionMNIST, by set: as printed, with "about" before it where it is so."""

    score: str
    raw_likelihood: bool
    auroc: Mapping[str, str]
    cite: str


class DistanceFigure(NamedTuple):
    """FID in Inception's features: mean and standard deviation over seeds, after a search over parameters."""

    model: str
    fid: float
    spread: float
    cite: str


_CORNISH, _ALIBI = "Cornish et al. (2020)", "Ren et al. (2019)"
_KAMKARI, _LPATH, _LUCIC = "Kamkari et al. (2024)", "Huang et al. (2024)", "Lucic et al. (2018)"

REALNVP = LikelihoodFigure("RealNVP, 4 residual blocks", 2.99, 2.944, 0.003, True, _CORNISH)

BITS_PER_DIM = (
    REALNVP,
    LikelihoodFigure("RealNVP, 8 residual blocks", 5.94, 2.946, 0.002, True, _CORNISH),
    LikelihoodFigure("LGF-RealNVP", 5.99, 2.823, 0.003, False, _CORNISH),
)

AUROC = (
    DetectionFigure("Raw likelihood, PixelCNN++", True, {"mnist": "0.103"}, _ALIBI),
    DetectionFigure(
        "Raw likelihood, diffusion model",
        True,
        {"mnist": "0.240", "emnist_letters": "0.339", "omniglot": "0.952"},
        _KAMKARI,
    ),
    DetectionFigure("Likelihood ratio, PixelCNN++", False, {"mnist": "0.957"}, _ALIBI),
    DetectionFigure(
        "LID and likelihood, diffusion model",
        False,
        {"mnist": "0.846", "emnist_letters": "0.568", "omniglot": "0.959"},
        _KAMKARI,
    ),
    DetectionFigure("DoSE", False, {"mnist": "1.00"}, _LPATH),
    DetectionFigure("Likelihood regret, VAE", False, {"mnist": "0.99"}, _LPATH),
    DetectionFigure("Likelihood ratio, BIVA", False, {"mnist": "0.98"}, _LPATH),
    DetectionFigure("Fisher information", False, {"mnist": "0.96"}, _LPATH),
    DetectionFigure(
        "Best of all methods compared",
        False,
        {"fashion_mnist_vertical_flip": "0.89", "fashion_mnist_horizontal_flip": "about 0.66"},
        _LPATH,
    ),
)

FID = (
    DistanceFigure("MM GAN", 29.6, 1.6, _LUCIC),
    DistanceFigure("NS GAN", 26.5, 1.6, _LUCIC),
    DistanceFigure("LSGAN", 30.7, 2.2, _LUCIC),
    DistanceFigure("DRAGAN", 27.7, 1.2, _LUCIC),
    DistanceFigure("BEGAN", 22.9, 0.9, _LUCIC),
    DistanceFigure("WGAN", 21.5, 1.6, _LUCIC),
    DistanceFigure("WGAN-GP", 24.5, 2.1, _LUCIC),
)


def raw_likelihoods(dataset: str) -> tuple[DetectionFigure, ...]:
    """Returns the published figures of plain likelihoods on a set."""
    return tuple(figure for figure in AUROC if figure.raw_likelihood and dataset in figure.auroc)


def best_auroc(dataset: str) -> tuple[DetectionFigure, float] | None:
    """Returns the highest published figure on a set, of whatever score, and its value; nothing where none was read."""
    known = [(figure, float(figure.auroc[dataset].split()[-1])) for figure in AUROC if dataset in figure.auroc]
    return max(known, key=lambda pair: pair[1]) if known else None
