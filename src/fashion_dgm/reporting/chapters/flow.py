"""The chapter on the normalising flow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fashion_dgm.reporting import sources
from fashion_dgm.reporting.report import Chapter, FigureBlock, FormulaBlock, TableBlock, TextBlock
from fashion_dgm.reporting.wording import count, is_number, number, plural, significant

__all__ = ["fit_sentence", "flow_chapter"]

_OVERFIT_BITS = 0.02
_STRONG_OVERFIT_BITS = 0.1
_SAME_BITS = 0.01
_HALF_GREY_LEVEL = 0.5 / 255


def flow_chapter(metrics: Mapping[str, Any], curve_png: bytes, samples_png: bytes) -> Chapter:
    """Tells how well RealNVP fits, whether it overfits, and whether it can be inverted.

    Arguments:
        metrics: `{"epochs", "parameters", "coupling", "train_bits_per_dim", "test_bits_per_dim", "reconstruction_error"}`
            and, if measured, `"benchmark_bits_per_dim"` with `"benchmark_images"`, on the official test images.
        curve_png: training curves.
        samples_png: samples at several temperatures.
    """
    ours, where = _comparable(metrics)
    published = tuple((figure.model, figure.value, figure.cite) for figure in sources.PUBLISHED_BITS_PER_DIM)
    own = (
        f"This run: RealNVP, {_size(metrics.get('parameters'))}, {plural(metrics['epochs'], 'epoch')}",
        number(ours, 3),
        where,
    )
    return Chapter(
        title="A normalising flow: RealNVP",
        anchor="flow",
        intro=(
            "A normalising flow is a chain of invertible layers that turns an image into noise of a known distribution. "
            "Each layer changes volumes by a factor that can be computed, so the likelihood of an image follows exactly. "
            "RealNVP (Dinh et al., 2017) builds its layers from couplings: one half of the variables decides how each "
            "variable of the other half is mapped, so that the Jacobian is triangular and its determinant a product. "
            + _coupling_sentence(metrics.get("coupling", "affine")),
        ),
        blocks=(
            FormulaBlock(
                "bits_per_dim",
                "Bits per dimension of an image x with D = 784 pixels on the scale of 256 grey levels, under a flow f with "
                "a prior on Z. Pixels get uniform noise first, which makes the figure an upper bound on the bits that a "
                "lossless code would need (Theis et al., 2016). Lower is better.",
            ),
            TextBlock(
                (fit_sentence(metrics), _published_sentence(metrics), _inverse_sentence(metrics)),
                heading="What was found",
            ),
            FigureBlock(
                curve_png,
                f"Curves over {plural(metrics['epochs'], 'epoch')}: bits per dimension of training and held-out images, at "
                f"the end {number(metrics.get('train_bits_per_dim'), 3)} and "
                f"{number(metrics.get('test_bits_per_dim'), 3)}, and the norm of the gradient.",
                "Bits per dimension and the gradient's norm. The training curve averages over each epoch, while the flow "
                "still learns; the held-out curve is measured after it, on part of the held-out images.",
            ),
            FigureBlock(
                samples_png,
                "Blocks of images drawn from the flow, one block a temperature.",
                "Samples of the flow. The temperature scales the noise that the inverse starts from: below 1, samples "
                "come from nearer the mode of the prior and vary less.",
            ),
            TableBlock(
                ("Model", "Bits/dim", "Source"),
                (*published, own),
                "Likelihood on FashionMNIST beside published figures, which are on the official test images (Table 2 of "
                "their paper). Figures compare only at 28 by 28 pixels and with the determinant of the preprocessing in "
                "the sum, as here.",
                numeric=(1,),
                emphasised=(len(published),),
            ),
        ),
        sources=(
            sources.DINH_2017,
            sources.THEIS_2016,
            sources.CORNISH_2020,
            *([sources.HO_2019] if metrics.get("coupling") == "mixture" else []),
        ),
    )


def fit_sentence(metrics: Mapping[str, Any]) -> str:
    """Returns how many bits training and held-out images cost, and whether that is overfitting."""
    train, test = metrics.get("train_bits_per_dim"), metrics.get("test_bits_per_dim")
    text = (
        f"After {plural(metrics['epochs'], 'epoch')} RealNVP needs {number(train, 3)} bits/dim for training images and "
        f"{number(test, 3)} for held-out ones"
    )
    if not is_number(train) or not is_number(test):
        return f"{text}; without both figures nothing can be said about overfitting."
    gap = number(abs(test - train), 3)
    if test - train > _OVERFIT_BITS:
        finding = "overfits" if test - train > _STRONG_OVERFIT_BITS else "has begun to overfit"
        return f"{text}, {gap} more: the flow {finding}."
    if test - train < -_OVERFIT_BITS:
        return f"{text}, {gap} less: there is no sign of overfitting."
    return f"{text}: {gap} apart, too little to speak of overfitting."


def _comparable(metrics: Mapping[str, Any]) -> tuple[float | None, str]:
    """Returns our figure to hold against published ones: on the official test images wherever it was measured there."""
    if "benchmark_bits_per_dim" in metrics:
        images = metrics.get("benchmark_images")
        size = f"{count(images)} " if images is not None else ""
        return metrics["benchmark_bits_per_dim"], f"{size}official test images"
    return metrics.get("test_bits_per_dim"), "held-out images"


def _published_sentence(metrics: Mapping[str, Any]) -> str:
    ours, where = _comparable(metrics)
    if not is_number(ours):
        return "The likelihood is not finite, so it cannot be held against published figures."
    difference = ours - sources.PUBLISHED_REALNVP
    if abs(difference) <= _SAME_BITS:
        standing = "on a par with"
    else:
        standing = f"{number(abs(difference), 3)} {'worse' if difference > 0 else 'better'} than"
    text = (
        f"On {where} it needs {number(ours, 3)} bits/dim, {standing} the {sources.PUBLISHED_REALNVP} that Cornish et al. "
        "(2020) report for a RealNVP trained for up to 1,000 epochs"
    )
    if "benchmark_bits_per_dim" in metrics:
        return f"{text}."
    return f"{text}. Theirs is measured on the official test images, so the comparison is a guide only."


def _inverse_sentence(metrics: Mapping[str, Any]) -> str:
    error = metrics.get("reconstruction_error")
    if not is_number(error):
        return "Sending images through the flow and back gave values that are not finite: the inverse broke down."
    text = (
        "Images sent through the flow and back return with an error of at most "
        f"{significant(error, 2)} on the scale from 0 to 1"
    )
    if error <= _HALF_GREY_LEVEL:
        return f"{text}, less than half a grey level: the flow is invertible in practice, not only on paper."
    return f"{text}, more than half a grey level: in floating point, the inverse is only approximate."


def _coupling_sentence(coupling: str) -> str:
    if coupling == "mixture":
        return (
            "Here the map is not affine as in their paper but bent, by a mixture of logistic distributions (Ho et al., "
            "2019), which can take apart a pixel's being black from its being bright."
        )
    return "The map is affine, a scale and a shift, so the inverse costs no more than the layer itself."


def _size(parameters: int | None) -> str:
    if parameters is None:
        return "size unknown"
    return (
        f"{number(parameters / 1e6, 2)}\u00a0M parameters" if parameters >= 1e5 else f"{count(parameters)} parameters"
    )
