"""The chapter on images from unusual latents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fashion_dgm.reporting import sources
from fashion_dgm.reporting.chapters.latent_sentences import (
    Row,
    likeliest_sentence,
    path_sentences,
    rank_among_real,
    scale_sentences,
    show_bits,
    stranger_sentences,
    temperature_sentences,
    typical_sentences,
)
from fashion_dgm.reporting.chapters.titles import TITLES
from fashion_dgm.reporting.report import BlockChapter, FigureBlock, NoteBlock, TableBlock, TextBlock
from fashion_dgm.reporting.wording import dataset_name, number, percent, plural

__all__ = ["latent_space_chapter"]

_UNDER = "Under each image: its bits/dim and, in grey, ‖z‖/√D."
_ROWS = 5  # of each kind in the table


def latent_space_chapter(metrics: Mapping[str, Any], figures: Mapping[str, bytes]) -> BlockChapter:
    """Tells what the flow makes of latents its prior would hardly draw, and how likely it finds the outcome.

    Arguments:
        metrics: `{"stranger", "confidence", "reference": {"images", "bits_per_dim", "quantiles"}, "variants": rows of
            `fashion_dgm.experiments.latent_space.summary.summarise_shots`, "paths": what `compare_paths` there returns}`.
        figures: PNGs `latent_temperatures`, `latent_off_typical`, `latent_scales`, `latent_interpolations`, `latent_paths`
            and `latent_strangers`.
    """
    stranger = dataset_name(metrics["stranger"])
    variants, reference = metrics["variants"], metrics["reference"]
    return BlockChapter(
        title=TITLES["latents"],
        anchor="latents",
        intro=(
            "The inverse of the flow makes an image of any latent vector z. The prior draws nearly all of them from a thin "
            "shell, ‖z‖ ≈ √D. Here latents come from elsewhere. Each image is rounded to 8 bits and scored like any image "
            "of a data set, so its bits/dim compare with those of real images, "
            f"{number(reference.get('bits_per_dim'))} on average.",
        ),
        blocks=(
            FigureBlock(
                figures["latent_temperatures"],
                "Rows of generated images, a row a temperature, the same latents in each; bits/dim under each image.",
                "The same nine draws of the prior, multiplied by the temperature T; bits/dim under each image. Above each "
                "row: means over more images, and the norm of the latents over √D.",
            ),
            TextBlock(tuple(temperature_sentences(variants, reference)), heading="Temperature"),
            FigureBlock(
                figures["latent_off_typical"],
                "Rows of images from truncated, constant and sparse latents, and from latents of real images at other "
                "radii.",
                f"Off the typical set. {_UNDER}",
            ),
            TextBlock(tuple(typical_sentences(variants, reference)), heading="Off the typical set"),
            FigureBlock(
                figures["latent_scales"],
                "Garments; the same with latents of one scale from their neighbour; draws with the latents of one "
                "scale at 0.",
                f"One scale at a time. {_UNDER}",
            ),
            TextBlock(
                tuple(scale_sentences(variants, "swap", "the other garment")), heading="One scale of another image"
            ),
            FigureBlock(
                figures["latent_interpolations"],
                "Two pairs of garments and the images between them, by blending, straight through latent space, and along "
                "the sphere.",
                f"Three ways from the first image to the last. {_UNDER}",
            ),
            FigureBlock(
                figures["latent_paths"],
                "Curves of bits/dim and of the latents' norm along three ways between images.",
                f"The same for many pairs: means and, shaded, {percent(metrics.get('confidence'))} bootstrap intervals over "
                "pairs. The norms of blended images are those of their own latents.",
            ),
            TextBlock(tuple(path_sentences(metrics["paths"])), heading="From one image to another"),
            FigureBlock(
                figures["latent_strangers"],
                f"{stranger} through the flow and back, mixed with garments scale by scale, and with noise in its latents.",
                f"{stranger} in the flow's latent space. {_UNDER}",
            ),
            TextBlock(tuple(stranger_sentences(variants, stranger)), heading=f"{stranger} in latent space"),
            _table(metrics),
            NoteBlock(
                "How far this goes",
                (
                    "One flow: another, or the same with another seed, lays out its latents in another way. Intervals are "
                    "over images, which were drawn once.",
                    "Rounding to 8 bits changes an image, so it is not exactly the one that its latents stand for: beside "
                    "their norm, the table has that of the latents it is given back.",
                ),
            ),
        ),
        sources=(sources.BROCK_2019, sources.NALISNICK_2019, sources.SHOEMAKE_1985),
        finding=likeliest_sentence(variants),
    )


def _table(metrics: Mapping[str, Any]) -> TableBlock:
    experiments = {
        "temperature": "Temperature",
        "truncation": "Truncated",
        "active": "Sparse",
        "silent": "Drawn",
        "radius": "Real, rescaled",
        "swap": "Real",
        "familiar": "Garments",
        "stranger": dataset_name(metrics["stranger"]),
        "mixture": "Garments",
        "noise": "Noise in the stranger",
    }
    rows = [row for experiment in experiments for row in _thinned(metrics["variants"], experiment)]
    images = max((row["images"] for row in rows), default=0)
    return TableBlock(
        ("Latents", "‖z‖/√D", "again", "Bits/dim", "Likelier than"),
        tuple(
            (
                f"{experiments[row['experiment']]}: {row['variant']}",
                number(row.get("norm")),
                number(row.get("norm_again")),
                show_bits(row),
                rank_among_real(row),
            )
            for row in rows
        ),
        f"Kinds of latents, {plural(images, 'image')} of each; of many levels, some. In brackets: "
        f"{percent(metrics.get('confidence'))} bootstrap intervals over images. Again: the "
        "norm of the latents that the flow gives the image after it was rounded to 8 bits. Last column: the share of real "
        "images that need more bits.",
        numeric=(1, 2, 3, 4),
    )


def _thinned(variants: Sequence[Row], experiment: str) -> list[Row]:
    """Returns the rows of an experiment, of many levels the first, the last and some between."""
    rows = [row for row in variants if row["experiment"] == experiment]
    if len(rows) <= _ROWS:
        return rows
    return [rows[round(i * (len(rows) - 1) / (_ROWS - 1))] for i in range(_ROWS)]
