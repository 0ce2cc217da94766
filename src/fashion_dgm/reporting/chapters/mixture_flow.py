"""The chapter on the mixture flow, next to RealNVP."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from fashion_dgm.findings.standing import our_likelihoods
from fashion_dgm.reporting import sources
from fashion_dgm.reporting.chapters.flow import fit_sentence, inverse_sentence
from fashion_dgm.reporting.chapters.titles import TITLES
from fashion_dgm.reporting.report import BlockChapter, FigureBlock, NoteBlock, TableBlock, TextBlock
from fashion_dgm.reporting.wording import count, is_number, number, plural, significant

__all__ = ["couplings_sentence", "mixture_flow_chapter"]

# A difference counts from two standard errors on, and never below this: a run with another seed moves as much.
_STANDARD_ERRORS, _SAME_BITS = 2.0, 0.01
_SPLITS = {"train": "training", "test": "held-out", "benchmark": "official test"}


def mixture_flow_chapter(
    flow: Mapping[str, Any], mixture: Mapping[str, Any], curve_png: bytes, samples_png: bytes
) -> BlockChapter:
    """Compares couplings by mixtures of logistics with affine ones.

    Arguments:
        flow: RealNVP's metrics, as `flow_chapter` takes them.
        mixture: the same of the mixture flow.
        curve_png: training curves.
        samples_png: samples at several temperatures.
    """
    rows = [("Parameters", *(count(found.get("parameters")) for found in (flow, mixture)))]
    rows.append(("Images seen in training", *(count(found.get("images_seen")) for found in (flow, mixture))))
    rows += [
        (f"Bits/dim, {words}", *(_with_error(found, name) for found in (flow, mixture)))
        for name, words in _SPLITS.items()
    ]
    rows.append(
        (
            "Largest error of the inverse",
            *(significant(found.get("reconstruction_error"), 2) for found in (flow, mixture)),
        )
    )
    return BlockChapter(
        title=TITLES["mixture-flow"],
        anchor="mixture-flow",
        intro=(
            "An affine coupling can only shift and scale a pixel. The mixture flow has RealNVP's scales, and couplings "
            "that map each pixel by the distribution function of a mixture of logistics, as in Flow++ (Ho et al., 2019): "
            "a monotone map with bends, which suits pixels that are either black or bright. The Jacobian stays "
            "triangular; the inverse has no formula and is found by iteration.",
        ),
        blocks=(
            TextBlock(
                (
                    couplings_sentence(flow, mixture),
                    fit_sentence(mixture, "the mixture flow"),
                    inverse_sentence(mixture),
                ),
                heading="What was found",
            ),
            TableBlock(
                ("", "RealNVP", "Mixture flow"),
                tuple(rows),
                "Both flows of this run: the same images and the same dequantisation noise. Bits/dim of training images are "
                "on as many as are held out; after ±, one standard error over the images.",
                numeric=(1, 2),
            ),
            FigureBlock(
                curve_png,
                f"Curves over {plural(mixture['epochs'], 'epoch')}: bits per dimension of training and held-out images, "
                "and the norm of the gradient.",
                "Training of the mixture flow. The training curve averages over each epoch; the held-out curve is measured "
                "after it, on part of the held-out images.",
            ),
            FigureBlock(
                samples_png,
                "Blocks of images drawn from the mixture flow, one block a temperature.",
                "Samples of the mixture flow, from the latents that RealNVP's samples are made of.",
            ),
            NoteBlock(
                "How far this goes",
                (
                    "One training of each with one seed. The two networks differ in size, in the time of a step, and in "
                    "whether they have the place of a pixel as an input: this compares two models, not one choice alone.",
                ),
            ),
        ),
        sources=(sources.DINH_2017, sources.HO_2019),
        finding=couplings_sentence(flow, mixture),
    )


def couplings_sentence(flow: Mapping[str, Any], mixture: Mapping[str, Any]) -> str:
    """Returns which of the two flows needs fewer bits, or that the difference is within the noise."""
    ours, other = our_likelihoods(flow, mixture=mixture)
    text = (
        f"On {_SPLITS[ours.split]} images the mixture flow needs {number(other.bits, 3)} bits/dim after "
        f"{plural(other.epochs, 'epoch')}, RealNVP {number(ours.bits, 3)} after {plural(ours.epochs, 'epoch')}"
    )
    if not is_number(ours.bits) or not is_number(other.bits) or ours.split != other.split:
        return f"{text}; without both on the same images neither can be called better."
    difference = other.bits - ours.bits
    if abs(difference) <= max(_STANDARD_ERRORS * math.hypot(ours.error or 0.0, other.error or 0.0), _SAME_BITS):
        return f"{text}: too close to call."
    standing = "fewer" if difference < 0 else "more"
    return f"{text}: {number(abs(difference), 3)} {standing} for the mixture flow."


def _with_error(metrics: Mapping[str, Any], name: str) -> str:
    value, error = number(metrics.get(f"{name}_bits_per_dim"), 3), metrics.get(f"{name}_error")
    return f"{value} ± {number(error, 3)}" if is_number(error) else value
