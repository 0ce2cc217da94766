"""Figures of what a flow makes of unusual latents."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from fashion_dgm.experiments.latent_space.experiments import DecodedSamples
from fashion_dgm.reporting.figures.axes import DASHED, subplots, thinned
from fashion_dgm.reporting.figures.images import COLUMNS, CaptionedRow, captioned_rows
from fashion_dgm.reporting.style import BLUE, GREY, VERMILLION, styled
from fashion_dgm.reporting.wording import number

__all__ = [
    "PATH_NAMES",
    "latent_interpolations",
    "latent_off_typical",
    "latent_ood",
    "latent_paths",
    "latent_scales",
    "latent_temperatures",
]

PATH_NAMES = {
    "path_pixels": "pixels blended",
    "path_linear": "straight through latent space",
    "path_spherical": "along the sphere",
}
_PAIRS = 2


def latent_temperatures(samples: Sequence[DecodedSamples]) -> Figure:
    """Draws a row a temperature, a column a latent; under each image its bits/dim."""
    chosen = _of(samples, "temperature")
    return captioned_rows([_row(sample, f"{sample.variant}   {_means(sample)}", norms=False) for sample in chosen])


def latent_off_typical(samples: Sequence[DecodedSamples]) -> Figure:
    """Draws latents off the typical set; under each image its bits/dim and, in grey, `|z| / sqrt(D)`."""
    rows = _rows(samples, "truncation", "Truncated: every latent within ±{:g}")
    rows += _sweep(_of(samples, "constant"), "Constant: every latent has the value above the image", "{}", range(1))
    rows += _sweep(_of(samples, "active"), "Sparse: the whole norm on so many of the latents", "{}", range(1))
    rows += _sweep(_of(samples, "radius"), "The direction of a real image, at other radii", "{}", range(2))
    return captioned_rows(rows)


def latent_scales(samples: Sequence[DecodedSamples]) -> Figure:
    """Draws garments with latents of one scale from another garment, and draws of the prior with one scale at 0."""
    rows = _rows(samples, "in_distribution", "Garments as they are")
    rows += _rows(samples, "swap", "With the latents of scale {:g} of the garment to the left")
    rows += _rows(samples, "silent", "Drawn from the prior, but the latents of scale {:g} are 0")
    return captioned_rows(rows)


def latent_interpolations(samples: Sequence[DecodedSamples]) -> Figure:
    """Draws two pairs of images, and three ways from one to the other."""
    rows = []
    for pair in range(_PAIRS):
        for path, name in PATH_NAMES.items():
            rows += _sweep(_of(samples, path), name[0].upper() + name[1:], "", [pair])
    return captioned_rows(rows)


def latent_ood(samples: Sequence[DecodedSamples], name: str) -> Figure:
    """Draws OOD images encoded and decoded, mixed with garments, and with noise in their latents, of the set `name`."""
    garments, (original, decoded) = _of(samples, "in_distribution")[0], _of(samples, "ood")
    rows = [_row(original, f"{name}, as it is"), _row(decoded, f"{name}, encoded and decoded")]
    rows.append(_row(garments, "The garments that are mixed in below"))
    rows += [
        _row(sample, f"Latents of scale {sample.level:g} from {name}, the others from the garment")
        for sample in _of(samples, "mixture")
    ]
    rows += _sweep(_of(samples, "noise"), f"{name} with a fraction s of fresh noise in its latents", "s = {}", range(2))
    return captioned_rows(rows)


@styled
def latent_paths(variants: Sequence[Mapping[str, Any]], inside: tuple[float, float]) -> Figure:
    """Draws mean bits/dim and mean norm along the three ways, with intervals.

    Arguments:
        variants: rows of `{"experiment", "level", "bits_per_dim", "bits_per_dim_interval", "norm"}`, in the order of
            `level`.
        inside: 5% and 95% quantile of the bits/dim of real images, for a band.
    """
    figure, (upper, lower) = subplots(5.2, 2, sharex=True, height_ratios=[3, 2])
    upper.axhspan(*inside, color=GREY, alpha=0.13, linewidth=0)
    below: dict[str, Any] = {"xytext": (0, -3), "textcoords": "offset points", "ha": "center", "va": "top"}
    upper.annotate("90% of real images", (0.5, inside[1]), color=GREY, **below)
    for (path, name), color, dash in zip(PATH_NAMES.items(), (GREY, VERMILLION, BLUE), ("-", DASHED, "-"), strict=True):
        rows = [row for row in variants if row["experiment"] == path]
        if not rows:
            continue
        t = [row["level"] for row in rows]
        low, high = zip(*(row["bits_per_dim_interval"] for row in rows), strict=True)
        upper.plot(t, [row["bits_per_dim"] for row in rows], color=color, linestyle=dash, marker="o", label=name)
        upper.fill_between(t, low, high, color=color, alpha=0.2, linewidth=0)
        lower.plot(t, [row["norm"] for row in rows], color=color, linestyle=dash, marker="o")
    figure.legend(loc="outside upper left", ncols=3, columnspacing=1.4)
    upper.set_title("Bits per dimension")
    lower.axhline(1, color=GREY, linewidth=0.8)
    lower.set_title("Norm of the latents over √D")
    lower.set_xlabel("way from one image to the other")
    return figure


def _of(samples: Sequence[DecodedSamples], experiment: str) -> list[DecodedSamples]:
    return [sample for sample in samples if sample.experiment == experiment]


def _means(sample: DecodedSamples) -> str:
    return f"{number(float(sample.bits_per_dim.mean()))} bits/dim,  ‖z‖/√D = {number(float(sample.norm.mean()))}"


def _row(sample: DecodedSamples, heading: str, norms: bool = True) -> CaptionedRow:
    bits = tuple(number(float(value)) for value in sample.bits_per_dim[:COLUMNS])
    norm = tuple(number(float(value)) for value in sample.norm[:COLUMNS])
    return CaptionedRow(sample.images[:COLUMNS], heading, below=(bits, norm) if norms else (bits,))


def _rows(samples: Sequence[DecodedSamples], experiment: str, heading: str) -> list[CaptionedRow]:
    """Lays out each kind of latents of an experiment, with its level in the heading."""
    return [_row(sample, heading.format(sample.level)) for sample in _of(samples, experiment)]


def _sweep(samples: Sequence[DecodedSamples], heading: str, form: str, which: Sequence[int]) -> list[CaptionedRow]:
    """Lays one image of each kind side by side, for each of `which`; of too many kinds evenly spaced ones are shown."""
    rows = []
    for place, index in enumerate(which):
        shown = [sample for sample in thinned(samples, COLUMNS) if index < len(sample.images)]
        if not shown:
            continue
        above = tuple(form.format(_signed(sample.level)) for sample in shown) if form and place == 0 else ()
        bits = tuple(number(float(sample.bits_per_dim[index])) for sample in shown)
        norm = tuple(number(float(sample.norm[index])) for sample in shown)
        images = np.stack([sample.images[index] for sample in shown])
        rows.append(CaptionedRow(images, heading if place == 0 else "", above, (bits, norm)))
    return rows


def _signed(level: float | None) -> str:
    return "" if level is None else f"{level:g}".replace("-", "\u2212")
