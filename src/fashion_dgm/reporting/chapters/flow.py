"""The chapter on the normalising flow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fashion_dgm.reporting import sources
from fashion_dgm.reporting.chapters.discrete_likelihood import discrete_likelihood_blocks
from fashion_dgm.reporting.chapters.titles import TITLES
from fashion_dgm.reporting.report import BlockChapter, FigureBlock, FormulaBlock, NoteBlock, TableBlock, TextBlock
from fashion_dgm.reporting.wording import count, is_number, number, plural, significant

__all__ = ["fit_sentence", "flow_chapter", "inverse_sentence"]

_OVERFIT_BITS = 0.02
_STRONG_OVERFIT_BITS = 0.1
_SAME_BITS = 0.01
_HALF_GREY_LEVEL = 0.5 / 255


def flow_chapter(
    metrics: Mapping[str, Any],
    curve_png: bytes,
    samples_png: bytes,
    discrete: Mapping[str, Mapping[str, Any]] | None = None,
) -> BlockChapter:
    """Tells how well RealNVP fits, whether it overfits, and whether it can be inverted.

    Arguments:
        metrics: `{"epochs", "parameters", "train_bits_per_dim", "test_bits_per_dim", "reconstruction_error"}`
            and, if measured on official test images, what `fashion_dgm.findings.standing.with_benchmark` adds.
        curve_png: training curves.
        samples_png: samples at several temperatures.
        discrete: by flow, what `discrete_likelihood_blocks` takes.
    """
    pixels = discrete_likelihood_blocks(discrete or {})
    return BlockChapter(
        title=TITLES["flow"],
        anchor="flow",
        intro=(
            "A normalising flow is a chain of invertible layers that turns an image into noise of a known distribution. "
            "Each layer changes volumes by a factor that can be computed, so the density of an image with noise follows "
            "exactly. RealNVP (Dinh et al., 2017) builds its layers from couplings: one half of the variables decides how "
            "each variable of the other half is mapped, so that the Jacobian is triangular and its determinant a product. "
            "The map is affine, a scale and a shift, so the inverse costs no more than the layer itself.",
        ),
        blocks=(
            FormulaBlock(
                "bits_per_dim",
                "Bits per dimension of an image x with D = 784 pixels on the scale of 256 grey levels, under a flow f with "
                "a prior on Z. Pixels get uniform noise first, which makes the figure an upper bound on the bits that a "
                "lossless code would need (Theis et al., 2016). Lower is better.",
            ),
            TextBlock(
                (fit_sentence(metrics), inverse_sentence(metrics)),
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
                ("RealNVP", ""),
                tuple(_rows(metrics)),
                "The flow in numbers. Bits/dim of training images are on as many as are held out; after ±, one standard "
                "error over the images.",
                numeric=(1,),
            ),
            *pixels,
            NoteBlock(
                "How far this goes",
                (
                    "One training with one seed: another seed gives another flow. Bits/dim are exact for the density of "
                    "the dequantised image, one draw of noise for each, and an upper bound on the bits of its 8-bit pixels.",
                    "Good likelihood does not make good samples, nor the other way round (Theis et al., 2016).",
                ),
            ),
        ),
        sources=(sources.DINH_2017, sources.THEIS_2016, *([sources.BURDA_2016] if pixels else [])),
        finding=fit_sentence(metrics),
    )


def fit_sentence(metrics: Mapping[str, Any], model: str = "RealNVP") -> str:
    """Returns how many bits training and held-out images cost, and whether that is overfitting."""
    train, test = metrics.get("train_bits_per_dim"), metrics.get("test_bits_per_dim")
    text = (
        f"After {plural(metrics['epochs'], 'epoch')} {model} needs {number(train, 3)} bits/dim for training images and "
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


def _rows(metrics: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    yield "Parameters", count(metrics.get("parameters"))
    yield "Epochs", count(metrics["epochs"])
    if "images_seen" in metrics:
        yield "Images seen in training", count(metrics["images_seen"])
    yield "Bits/dim, training images", number(metrics.get("train_bits_per_dim"), 3)
    yield "Bits/dim, held-out images", number(metrics.get("test_bits_per_dim"), 3)
    if "benchmark_bits_per_dim" in metrics:
        value, error = number(metrics["benchmark_bits_per_dim"], 3), metrics.get("benchmark_error")
        yield (
            f"Bits/dim, {count(metrics.get('benchmark_images'))} official test images",
            f"{value} ± {number(error, 3)}" if is_number(error) else value,
        )
    yield "Largest error of the inverse", significant(metrics.get("reconstruction_error"), 2)


def inverse_sentence(metrics: Mapping[str, Any]) -> str:
    """Returns how well images come back through the flow's inverse."""
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
