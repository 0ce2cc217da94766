"""What a flow makes of unusual latents, and how likely it finds the images."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fashion_dgm.findings import criteria
from fashion_dgm.findings.criteria import Reconstruction, Side, is_number

__all__ = ["Contrast", "LatentsFindings", "Path", "Replacement", "Variant", "latents"]

Interval = tuple[float, float]

TABLE_ROWS = 5
"""Of each experiment, in the table of all variants."""

TABULATED = (
    "temperature", "truncation", "active", "silent", "radius", "swap", "familiar", "stranger", "mixture", "noise",
)  # fmt: skip
PATHS = ("path_pixels", "path_linear", "path_spherical")


@dataclass(frozen=True)
class Variant:
    """Images from one kind of latents: means over them.

    Arguments:
        level: the strength of the variant, where it has one.
        bits, interval: bits/dim, with its interval over images.
        norm: of the latents over the root of their dimension; `norm_again`, after rounding the images to 8 bits.
        likelier_than: fraction of real images that need more bits.
    """

    experiment: str
    name: str
    level: float
    images: int
    bits: float | None
    interval: Interval | None
    norm: float | None
    norm_again: float | None
    likelier_than: float | None

    @property
    def spread(self) -> Interval | None:
        """The interval; None for one image, where it means nothing."""
        return None if self.images == 1 else self.interval

    @property
    def likelier_than_nearly_all(self) -> bool:
        """Whether almost all real images need more bits, but not all."""
        return is_number(self.likelier_than) and criteria.NEARLY_ALL <= self.likelier_than < 1


@dataclass(frozen=True)
class Contrast:
    """Two variants; the side is where the bits/dim of the first lie, compared with the second's."""

    first: Variant
    second: Variant
    side: Side


@dataclass(frozen=True)
class Replacement:
    """Latents of one scale from another image: correlations of the pixels with that image and with the original."""

    scale: int
    like_donor: float
    like_host: float


@dataclass(frozen=True)
class Path:
    """Halfway between two images: bits/dim less the mean of both ends, or less those of another path."""

    name: str
    difference: float
    interval: Interval
    norm: float | None
    side: Side


@dataclass(frozen=True)
class LatentsFindings:
    """All experiments; None where there is no finite result.

    Arguments:
        ood_set: name of the OOD set.
        real_bits: mean bits/dim of real images.
        temperature: the temperature of the fewest bits, and that of the most.
        on_shell: whether the latents of the former lie where the prior samples.
        samples: of the prior, at temperature 1; `samples_side` compares them with real images.
        mode: the image of the likeliest latent, 0; `mode_stands_out` if it is clearly likelier than samples.
        likelier: the likeliest image of another constant latent, if likelier than that of the mode.
        ones: all latents -1, and all 1.
        sparse: the whole norm on the fewest latents, and on the most.
        radius: the radius of the fewest bits, and that of the prior, for latents of real images.
        truncation: the tightest truncation, and the widest.
        swaps, mixtures: one scale from another in-distribution image, and from an OOD image.
        paths: between two images; `linear_minus_spherical` compares two of them halfway, pair by pair.
        changed: fraction of the OOD images' pixels that decoding does not return.
        norm, ood_norm: of the latents of in-distribution and of OOD images; `norm_deviation`, that of a sample's norm.
        noise: OOD images with the most noise in their latents, and with the least.
        table: variants of all experiments, of many levels some.
    """

    ood_set: str
    confidence: float
    real_bits: float | None
    temperature: Contrast | None
    on_shell: bool
    samples: Variant | None
    samples_side: Side
    mode: Variant | None
    mode_stands_out: bool
    likelier: Variant | None
    ones: tuple[Variant, ...]
    sparse: Contrast | None
    radius: Contrast | None
    truncation: Contrast | None
    swaps: tuple[Replacement, ...]
    mixtures: tuple[Replacement, ...]
    paths: tuple[Path, ...]
    linear_minus_spherical: Path | None
    changed: float | None
    reconstruction: Reconstruction
    norm: float | None
    ood_norm: float | None
    norm_deviation: float
    noise: Contrast | None
    table: tuple[Variant, ...]

    @property
    def decisive_swap(self) -> int | None:
        """The scale that decides what is seen, among in-distribution images; None without one."""
        return _decisive(self.swaps)

    @property
    def decisive_mixture(self) -> int | None:
        """The scale that decides what is seen, with latents of OOD images; None without one."""
        return _decisive(self.mixtures)


def latents(metrics: Mapping[str, Any], dimensions: int = 784) -> LatentsFindings:
    """Concludes from the metrics of `latent_space`.

    Arguments:
        metrics: `{"stranger", "confidence", "reference", "variants", "paths"}`: the OOD set, bits/dim of real images, and
            what `summarise_shots` and `compare_paths` of `fashion_dgm.experiments.latent_space.summary` return.
        dimensions: of the latents.
    """
    rows, real = metrics["variants"], metrics["reference"].get("bits_per_dim")
    finite = [variant for variant in map(_variant, rows) if is_number(variant.bits)]
    of = {name: [variant for variant in finite if variant.experiment == name] for name in (*TABULATED, "constant")}
    temperature = _extremes(of["temperature"], by_bits=True)
    samples = _at(of["temperature"], 1)
    mode = _at(of["constant"], 0)
    likelier = [
        v for v in of["constant"] if mode and v.bits is not None and mode.bits is not None and v.bits < mode.bits
    ]
    ones = tuple(found for level in (-1, 1) if (found := _at(of["constant"], level)))
    own = {(row["experiment"], row["variant"]): row for row in rows}
    changed = own["stranger", "encoded and decoded"].get("changed")
    return LatentsFindings(
        ood_set=metrics["stranger"],
        confidence=metrics["confidence"],
        real_bits=real,
        temperature=temperature,
        on_shell=temperature is not None and criteria.on_shell(temperature.first.norm or math.nan),
        samples=samples if is_number(real) else None,
        samples_side=criteria.side(samples.bits, samples.interval, real)
        if samples and is_number(real)
        else Side.UNKNOWN,
        mode=mode,
        mode_stands_out=criteria.clearly_likelier(mode and mode.likelier_than, samples and samples.likelier_than),
        likelier=min(likelier, key=_bits, default=None),
        ones=ones if len(ones) == 2 else (),
        sparse=_extremes(of["active"]),
        radius=_radius(of["radius"]),
        truncation=_extremes(of["truncation"]),
        swaps=_replacements(rows, "swap"),
        mixtures=_replacements(rows, "mixture"),
        paths=tuple(path for name in PATHS if (path := _path(name, metrics["paths"][name])) is not None),
        linear_minus_spherical=_path("linear_minus_spherical", metrics["paths"]["linear_minus_spherical"]),
        changed=changed,
        reconstruction=criteria.reconstruction(changed),
        norm=own["familiar", "as it is"].get("norm"),
        ood_norm=own["stranger", "as it is"].get("norm"),
        norm_deviation=1 / math.sqrt(2 * dimensions),
        noise=_reversed(_extremes(of["noise"])),
        table=tuple(variant for name in TABULATED for variant in _thinned(rows, name)),
    )


def _variant(row: Mapping[str, Any]) -> Variant:
    bounds = row.get("bits_per_dim_interval")
    return Variant(
        experiment=row["experiment"],
        name=row["variant"],
        level=math.nan if row.get("level") is None else row["level"],
        images=row["images"],
        bits=row.get("bits_per_dim"),
        interval=tuple(bounds) if bounds else None,
        norm=row.get("norm"),
        norm_again=row.get("norm_again"),
        likelier_than=row.get("likelier_than"),
    )


def _bits(variant: Variant) -> float:
    return math.inf if variant.bits is None else variant.bits


def _contrast(first: Variant, second: Variant) -> Contrast:
    return Contrast(first, second, criteria.compare_intervals(first.interval, second.interval))


def _extremes(variants: Sequence[Variant], by_bits: bool = False) -> Contrast | None:
    """Compares the lowest with the highest level, or the fewest with the most bits."""
    if len(variants) < 2:
        return None
    ordered = sorted(variants, key=_bits if by_bits else lambda variant: variant.level)
    return _contrast(ordered[0], ordered[-1])


def _reversed(contrast: Contrast | None) -> Contrast | None:
    return contrast and _contrast(contrast.second, contrast.first)


def _radius(variants: Sequence[Variant]) -> Contrast | None:
    if not variants:
        return None
    return _contrast(min(variants, key=_bits), min(variants, key=lambda variant: abs(variant.level - 1)))


def _at(variants: Iterable[Variant], level: float) -> Variant | None:
    return next((variant for variant in variants if math.isclose(variant.level, level, abs_tol=1e-9)), None)


def _replacements(rows: Iterable[Mapping[str, Any]], experiment: str) -> tuple[Replacement, ...]:
    return tuple(
        Replacement(round(row["level"]), row["like_donor"], row["like_host"])
        for row in rows
        if row["experiment"] == experiment and is_number(row.get("like_donor")) and is_number(row.get("like_host"))
    )


def _decisive(replacements: Sequence[Replacement]) -> int | None:
    """Returns the only scale of several whose latents make the image resemble their own."""
    scales = [one.scale for one in replacements if one.like_donor > one.like_host]
    return scales[0] if len(replacements) > 1 and len(scales) == 1 else None


def _path(name: str, found: Mapping[str, Any]) -> Path | None:
    difference = found.get("difference")
    if not is_number(difference):
        return None
    low, high = found["difference_interval"]
    return Path(name, difference, (low, high), found.get("norm"), criteria.side(difference, (low, high), 0.0))


def _thinned(rows: Iterable[Mapping[str, Any]], experiment: str) -> list[Variant]:
    """Returns the variants of an experiment, of many levels the first, the last and some between."""
    found = [_variant(row) for row in rows if row["experiment"] == experiment]
    if len(found) <= TABLE_ROWS:
        return found
    return [found[round(i * (len(found) - 1) / (TABLE_ROWS - 1))] for i in range(TABLE_ROWS)]
