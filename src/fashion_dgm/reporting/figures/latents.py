"""Figures of what a flow makes of unusual latents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from fashion_dgm.reporting.figures.captioned import COLUMNS, CaptionedRow, captioned_rows
from fashion_dgm.reporting.style import BLUE, GREY, VERMILLION, WIDTH, styled
from fashion_dgm.reporting.wording import number

if TYPE_CHECKING:
    from fashion_dgm.experiments.latent_space.probe import Shots

__all__ = [
    "PATH_NAMES",
    "latent_interpolations",
    "latent_off_typical",
    "latent_paths",
    "latent_scales",
    "latent_strangers",
    "latent_temperatures",
]

PATH_NAMES = {
    "path_pixels": "pixels blended",
    "path_linear": "straight through latent space",
    "path_spherical": "along the sphere",
}
_PAIRS = 2


def latent_temperatures(shots: Sequence[Shots]) -> Figure:
    """Draws a row a temperature, a column a latent; under each image its bits/dim."""
    return captioned_rows(
        [
            _row(shot, f"{shot.variant}   {_means(shot)}", norms=False)
            for shot in shots
            if shot.experiment == "temperature"
        ]
    )


def latent_off_typical(shots: Sequence[Shots]) -> Figure:
    """Draws latents off the typical set; under each image its bits/dim and, in grey, `|z| / sqrt(D)`."""
    rows = [_row(shot, f"Truncated: every latent within ±{shot.level:g}") for shot in _of(shots, "truncation")]
    rows += _sweep(_of(shots, "constant"), "Constant: every latent has the value above the image", "{}", range(1))
    rows += _sweep(_of(shots, "active"), "Sparse: the whole norm on so many of the latents", "{}", range(1))
    rows += _sweep(_of(shots, "radius"), "The direction of a real image, at other radii", "{}", range(2))
    return captioned_rows(rows)


def latent_scales(shots: Sequence[Shots]) -> Figure:
    """Draws garments with latents of one scale from another garment, and draws of the prior with one scale at 0."""
    rows = [_row(shot, "Garments as they are") for shot in _of(shots, "familiar")]
    rows += [
        _row(shot, f"With the latents of scale {shot.level:g} of the garment to the left")
        for shot in _of(shots, "swap")
    ]
    rows += [
        _row(shot, f"Drawn from the prior, but the latents of scale {shot.level:g} are 0")
        for shot in _of(shots, "silent")
    ]
    return captioned_rows(rows)


def latent_interpolations(shots: Sequence[Shots]) -> Figure:
    """Draws two pairs of images, and three ways from one to the other."""
    rows = []
    for pair in range(_PAIRS):
        for path, name in PATH_NAMES.items():
            rows += _sweep(_of(shots, path), name[0].upper() + name[1:], "", [pair])
    return captioned_rows(rows)


def latent_strangers(shots: Sequence[Shots], name: str) -> Figure:
    """Draws foreign images through the flow and back, mixed with familiar ones, and disturbed; `name` is theirs."""
    familiar, (stranger, decoded) = _of(shots, "familiar")[0], _of(shots, "stranger")
    rows = [_row(stranger, f"{name}, as it is"), _row(decoded, f"{name}, encoded and decoded")]
    rows.append(_row(familiar, "The garments that are mixed in below"))
    rows += [
        _row(shot, f"Latents of scale {shot.level:g} from {name}, the others from the garment")
        for shot in _of(shots, "mixture")
    ]
    rows += _sweep(_of(shots, "noise"), f"{name} with a fraction s of fresh noise in its latents", "s = {}", range(2))
    return captioned_rows(rows)


@styled
def latent_paths(variants: Sequence[Mapping[str, Any]], inside: tuple[float, float]) -> Figure:
    """Draws mean bits/dim and mean norm along the three ways, with intervals.

    Arguments:
        variants: rows of `{"experiment", "level", "bits_per_dim", "bits_per_dim_interval", "norm"}`, in the order of
        `level`. inside: 5% and 95% quantile of the bits/dim of real images, for a band.
    """
    figure = Figure(figsize=(WIDTH, 5.2), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    upper.axhspan(*inside, color=GREY, alpha=0.13, linewidth=0)
    upper.annotate(
        "90% of real images",
        (0.5, inside[1]),
        xytext=(0, -3),
        textcoords="offset points",
        ha="center",
        va="top",
        color=GREY,
    )
    for (path, name), color, dash in zip(
        PATH_NAMES.items(), (GREY, VERMILLION, BLUE), ("-", (0, (4, 2.5)), "-"), strict=True
    ):
        rows = [row for row in variants if row["experiment"] == path]
        if not rows:
            continue
        t = [row["level"] for row in rows]
        low, high = zip(*(row["bits_per_dim_interval"] for row in rows), strict=True)
        upper.plot(t, [row["bits_per_dim"] for row in rows], color=color, linestyle=dash, marker="o", label=name)
        upper.fill_between(t, low, high, color=color, alpha=0.2, linewidth=0)
        lower.plot(t, [row["norm"] for row in rows], color=color, linestyle=dash, marker="o")
    figure.legend(*upper.get_legend_handles_labels(), loc="outside upper left", ncols=3, columnspacing=1.4)
    upper.set_title("Bits per dimension")
    lower.axhline(1, color=GREY, linewidth=0.8)
    lower.set_title("Norm of the latents over √D")
    lower.set_xlabel("way from one image to the other")
    return figure


def _of(shots: Sequence[Shots], experiment: str) -> list[Shots]:
    return [shot for shot in shots if shot.experiment == experiment]


def _means(shot: Shots) -> str:
    return f"{number(float(shot.bits_per_dim.mean()))} bits/dim,  ‖z‖/√D = {number(float(shot.norm.mean()))}"


def _row(shot: Shots, heading: str, norms: bool = True) -> CaptionedRow:
    bits = tuple(number(float(value)) for value in shot.bits_per_dim[:COLUMNS])
    norm = tuple(number(float(value)) for value in shot.norm[:COLUMNS])
    return CaptionedRow(shot.images[:COLUMNS], heading, below=(bits, norm) if norms else (bits,))


def _sweep(shots: Sequence[Shots], heading: str, form: str, which: Sequence[int]) -> list[CaptionedRow]:
    """Lays one image of each kind side by side, for each of `which`; of too many kinds evenly spaced ones are shown."""
    if len(shots) > COLUMNS:
        shots = [shots[i] for i in np.linspace(0, len(shots) - 1, COLUMNS).round().astype(int)]
    rows = []
    for place, index in enumerate(which):
        shown = [shot for shot in shots if index < len(shot.images)]
        if not shown:
            continue
        above = tuple(form.format(_signed(shot.level)) for shot in shown) if form and place == 0 else ()
        bits = tuple(number(float(shot.bits_per_dim[index])) for shot in shown)
        norm = tuple(number(float(shot.norm[index])) for shot in shown)
        images = np.stack([shot.images[index] for shot in shown])
        rows.append(CaptionedRow(images, heading if place == 0 else "", above, (bits, norm)))
    return rows


def _signed(level: float | None) -> str:
    return "" if level is None else f"{level:g}".replace("-", "\u2212")
