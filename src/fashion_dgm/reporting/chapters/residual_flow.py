"""The chapter on Residual Flow, beside RealNVP."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from fashion_dgm.reporting import sources
from fashion_dgm.reporting.chapters.titles import TITLES
from fashion_dgm.reporting.report import (
    Block,
    BlockChapter,
    FigureBlock,
    FormulaBlock,
    NoteBlock,
    TableBlock,
    TextBlock,
)
from fashion_dgm.reporting.wording import count, is_number, number, percent, plural, significant

__all__ = ["comparison_sentence", "residual_flow_chapter"]


_SPLITS = {"train": "training", "test": "held-out", "benchmark": "official test"}
_HALF_GREY_LEVEL = 0.5 / 255
# A difference counts from two standard errors on, and never below this: a run with another seed moves as much.
_STANDARD_ERRORS, _SAME_BITS = 2.0, 0.01
# Power iteration to the usual tolerance leaves less than this.
_LAX = 1.005


def residual_flow_chapter(
    flow: Mapping[str, Any], residual: Mapping[str, Any], curve_png: bytes, samples_png: bytes
) -> BlockChapter:
    """Holds Residual Flow against RealNVP, and tells whether its estimates, inverse and bound can be trusted.

    Arguments:
        flow: RealNVP's metrics, as `flow_chapter` takes them.
        residual: as `fashion_dgm.evaluation.residual_flow.evaluate` returns them.
        curve_png: training curves.
        samples_png: samples at several temperatures.
    """
    blocks: tuple[Block, ...] = (
        FormulaBlock(
            "residual_layer",
            "A residual layer with a network g of Lipschitz constant below 1, and the iteration that inverts it. What is "
            "left of the error shrinks by that constant at every step, from whatever start.",
        ),
        TextBlock(
            (
                comparison_sentence(flow, residual),
                _estimate_sentence(residual),
                _inverse_sentence(residual),
                _bound_sentence(residual),
            ),
            heading="What was found",
        ),
        TableBlock(
            ("", "RealNVP", "Residual Flow"),
            (
                ("Parameters", count(flow.get("parameters")), count(residual.get("parameters"))),
                ("Images seen in training", count(flow.get("images_seen")), count(residual.get("images_seen"))),
                *(
                    (f"Bits/dim, {words}", number(flow.get(f"{name}_bits_per_dim"), 3), _with_error(residual, name))
                    for name, words in _SPLITS.items()
                ),
                (
                    "Density of the dequantised image",
                    "exact",
                    "estimated without bias" if residual.get("unbiased") else "estimated with a bias",
                ),
                (
                    "Largest error of the inverse",
                    significant(flow.get("reconstruction_error"), 2),
                    significant(residual.get("reconstruction_error"), 2),
                ),
                ("Passes to invert a layer", "1", number(residual.get("inverse_iterations"), 1)),
            ),
            "Both flows of this run: 28 by 28 pixels, the same dequantisation, the same logit. After ±: one standard error "
            "of probes and images together. RealNVP's figures are on whole splits (of the training images, as many as are "
            f"held out), those of Residual Flow on {_images(residual)}. One training each: another seed moves either.",
            numeric=(1, 2),
        ),
        FigureBlock(
            curve_png,
            f"Curves over {plural(residual.get('epochs') or 0, 'epoch')}: estimated bits per dimension of training and "
            "held-out images, and the norm of the gradient.",
            f"Training of Residual Flow. Both curves are estimates, {_training_noise(residual)}.",
        ),
        FigureBlock(
            samples_png,
            "Blocks of images drawn from Residual Flow, one block a temperature.",
            "Samples of Residual Flow, by fixed-point iteration from the same latents at each temperature.",
        ),
        NoteBlock(
            "How far this goes",
            (
                "Two flows of different size, which saw different numbers of images: what stands above compares these runs, "
                "not the two ways to build a flow. A residual layer also costs more time, for its estimate takes several "
                "vector-Jacobian products.",
            ),
        ),
    )
    return BlockChapter(
        title=TITLES["residual-flow"],
        anchor="residual-flow",
        intro=(
            "A coupling leaves half of the image alone to keep its determinant cheap. Residual Flow (Chen et al., 2019) "
            "changes every pixel in every layer, by any network whose spectral norms are held below 1. The price: the "
            "determinant must be estimated, and the inverse found by iteration.",
        ),
        blocks=blocks,
        sources=(sources.BEHRMANN_2019, sources.CHEN_2019, sources.DINH_2017),
        finding=comparison_sentence(flow, residual),
    )


def comparison_sentence(flow: Mapping[str, Any], residual: Mapping[str, Any]) -> str:
    """Returns which of the two flows needs fewer bits, or that they cannot be told apart."""
    name = "benchmark" if is_number(flow.get("benchmark_bits_per_dim")) else "test"
    exact, estimate = flow.get(f"{name}_bits_per_dim"), residual.get(f"{name}_bits_per_dim")
    where = f"{_SPLITS[name]} images"
    text = (
        f"On {where} Residual Flow needs {_with_error(residual, name)} bits/dim after "
        f"{plural(residual.get('epochs') or 0, 'epoch')}, RealNVP {number(exact, 3)} after "
        f"{plural(flow.get('epochs') or 0, 'epoch')}"
    )
    error = _error(residual, name)
    if not is_number(exact) or not is_number(estimate) or not is_number(error):
        return f"{text}; without both figures and their error neither can be called better."
    difference = estimate - exact
    if abs(difference) <= max(_STANDARD_ERRORS * math.hypot(error, flow.get(f"{name}_error") or error), _SAME_BITS):
        return f"{text}: too close to call."
    better = "Residual Flow" if difference < 0 else "RealNVP"
    return f"{text}: {better} is ahead by {number(abs(difference), 3)}."


def _estimate_sentence(residual: Mapping[str, Any]) -> str:
    text = f"Its likelihood is estimated by {_named(residual.get('estimator', 'an unknown estimator'))}, drawn "
    text += f"{count(residual.get('draws'))} times"
    probes, images = residual.get("test_probe_error"), residual.get("test_image_error")
    if not is_number(probes) or not is_number(images):
        return f"{text}. Its standard errors are not finite, so the figures above say little."
    text += (
        f". On held-out images, other probes would move the mean by {significant(probes, 2)} bits/dim (one standard "
        f"error), other images by {significant(images, 2)}"
    )
    if probes < images:
        return f"{text}: estimating the determinant is the smaller uncertainty."
    return f"{text}: estimating the determinant is the larger uncertainty; more draws would narrow it."


def _inverse_sentence(residual: Mapping[str, Any]) -> str:
    error = residual.get("reconstruction_error")
    if not is_number(error):
        return "Sending images through the flow and back gave values that are not finite: the inverse broke down."
    text = (
        f"Images sent through it and back return with an error of at most {significant(error, 2)} on the scale from 0 to 1, "
        f"after {number(residual.get('inverse_iterations'), 1)} iterations a layer on average and "
        f"{count(residual.get('inverse_iterations_most'))} at most"
    )
    if error <= _HALF_GREY_LEVEL:
        return f"{text}: less than half a grey level."
    return f"{text}: more than half a grey level, so the inverse is only approximate."


def _bound_sentence(residual: Mapping[str, Any]) -> str:
    layer, block = residual.get("largest_layer_norm"), residual.get("largest_block_bound")
    bound = residual.get("lipschitz_coefficient")
    if not is_number(layer) or not is_number(block) or not is_number(bound):
        return "The spectral norms are not finite, so nothing vouches for the inverse."
    text = (
        f"The largest spectral norm of a layer, measured anew after training, is {number(layer, 4)}, where "
        f"{number(bound, 2)} is the bound, and the largest product of them in a block {number(block, 4)}"
    )
    if layer > _LAX * bound:
        text += f"; a layer is {percent(layer / bound - 1, 1)} above its bound, because power iteration lags behind"
    if block < 1:
        return f"{text}: every block is a contraction, hence invertible."
    return f"{text}, which is not below 1: power iteration has not converged, and nothing vouches for the inverse."


def _named(estimator: str) -> str:
    """The estimator with the names of people as they are written."""
    return estimator.replace("rademacher", "Rademacher").replace("gaussian", "Gaussian")


def _training_noise(residual: Mapping[str, Any]) -> str:
    text = "that of the training images with fewer exact terms"
    match residual.get("training_unbiased"):
        case True:
            return f"{text}, which adds noise and no bias"
        case False:
            return f"{text} and no roulette, so with a bias"
    return text


def _error(residual: Mapping[str, Any], name: str) -> float | None:
    errors = [residual.get(f"{name}_{kind}_error") for kind in ("probe", "image")]
    values = [error for error in errors if is_number(error)]
    return math.hypot(*values) if len(values) == len(errors) else None


def _with_error(residual: Mapping[str, Any], name: str) -> str:
    error = _error(residual, name)
    value = number(residual.get(f"{name}_bits_per_dim"), 3)
    return value if error is None else f"{value} ± {number(error, 3)}"


def _images(residual: Mapping[str, Any]) -> str:
    sizes = {residual.get(f"{name}_images") for name in _SPLITS}
    if len(sizes) == 1:
        return f"{count(sizes.pop())} of each"
    return ", ".join(f"{count(residual.get(f'{name}_images'))} {words}" for name, words in _SPLITS.items()) + " images"
