"""What a flow makes of unusual latents, and how likely it finds the images."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from fashion_dgm.experiments.latent_space.summary import PATHS
from fashion_dgm.findings import criteria
from fashion_dgm.findings.criteria import Side, is_number
from fashion_dgm.findings.row import Row

__all__ = ["Contrast", "LatentsFindings", "Replacements", "latents"]

DIMENSIONS = 28 * 28  # of the latents

TABLE_ROWS = 5
"""Of each experiment, in the table of all."""

TABULATED = (
    *("temperature", "truncation", "active", "silent", "radius"),
    *("swap", "in_distribution", "ood", "mixture", "noise"),
)


@dataclass(frozen=True)
class Contrast:
    """Two kinds of latents; the side is where the bits/dim of the first lie, compared with the second's."""

    first: Row
    second: Row
    side: Side

    @property
    def same(self) -> bool:
        """Whether both are one."""
        return self.first is self.second


@dataclass(frozen=True)
class Replacements:
    """Images with the latents of one scale from another image.

    Arguments:
        rows: a row a scale, with the correlation of the pixels with that image, `like_donor`, and with the host of the
            others, `like_host`.
        decisive: the only scale of several whose latents make the image resemble their own; None without one.
    """

    rows: tuple[Row, ...]
    decisive: float | None


@dataclass(frozen=True)
class LatentsFindings:
    """All experiments; None where there is no finite result.

    Rows are as `summarise_decoded` returns them, of images from one kind of latents, with the `interval` of bits/dim over
    images, None of one image, and whether almost all real images need more bits, but not all, `nearly_all`.

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
        paths: bits/dim halfway between two images less the mean of both ends, by path, and the norm there.
        gap: bits/dim halfway, those of the linear path less those of the spherical one, pair by pair; `gap_side`
            compares them with 0.
        changed: fraction of the OOD images' pixels that decoding does not return; `changed_side` compares it with 0.
        norm, ood_norm: of the latents of in-distribution and of OOD images; `norm_deviation`, that of a sample's norm.
        noise: OOD images with the most noise in their latents, and with the least.
        table: rows of all experiments, of many levels some.
    """

    ood_set: str
    confidence: float
    real_bits: float | None
    temperature: Contrast | None
    on_shell: bool
    samples: Row | None
    samples_side: Side
    mode: Row | None
    mode_stands_out: bool
    likelier: Row | None
    ones: tuple[Row, ...]
    sparse: Contrast | None
    radius: Contrast | None
    truncation: Contrast | None
    swaps: Replacements
    mixtures: Replacements
    paths: Mapping[str, Row]
    gap: Row
    gap_side: Side
    changed: float | None
    changed_side: Side
    norm: float | None
    ood_norm: float | None
    norm_deviation: float
    noise: Contrast | None
    table: tuple[Row, ...]


def latents(metrics: Row) -> LatentsFindings:
    """Concludes from the metrics of `latent_space`.

    Arguments:
        metrics: `{"ood_set", "confidence", "reference", "variants", "paths"}`: the OOD set, bits/dim of real images,
            and what `summarise_decoded` and `compare_paths` of `fashion_dgm.experiments.latent_space.summary` return.
    """
    rows, real, paths = list(map(_row, metrics["variants"])), metrics["reference"]["bits_per_dim"], metrics["paths"]
    of = {
        name: [row for row in rows if row["experiment"] == name and is_number(row["bits_per_dim"])]
        for name in (*TABULATED, "constant")
    }
    own = {(row["experiment"], row["variant"]): row for row in rows}
    samples, mode = _at(of["temperature"], 1), _at(of["constant"], 0)
    temperature, noise = _extremes(of["temperature"], "bits_per_dim"), _extremes(of["noise"], "level")
    likelier = [row for row in of["constant"] if mode and row["bits_per_dim"] < mode["bits_per_dim"]]
    ones = tuple(row for level in (-1, 1) if (row := _at(of["constant"], level)))
    gap, changed = paths["linear_minus_spherical"], own["ood", "encoded and decoded"]["changed"]
    return LatentsFindings(
        ood_set=metrics["ood_set"],
        confidence=metrics["confidence"],
        real_bits=real,
        temperature=temperature,
        on_shell=temperature is not None and criteria.on_shell(temperature.first["norm"]),
        samples=samples,
        samples_side=_side(samples, real) if samples else Side.UNKNOWN,
        mode=mode,
        mode_stands_out=criteria.clearly_likelier(mode and mode["likelier_than"], samples and samples["likelier_than"]),
        likelier=min(likelier, key=itemgetter("bits_per_dim"), default=None),
        ones=ones if len(ones) == 2 else (),
        sparse=_extremes(of["active"], "level"),
        radius=_radius(of["radius"]),
        truncation=_extremes(of["truncation"], "level"),
        swaps=_replacements(rows, "swap"),
        mixtures=_replacements(rows, "mixture"),
        paths={name: paths[name] for name in PATHS if is_number(paths[name]["difference"])},
        gap=gap,
        gap_side=criteria.side(gap["difference"], gap["difference_interval"], 0.0),
        changed=changed,
        changed_side=criteria.side(changed, None, 0.0),
        norm=own["in_distribution", "as it is"]["norm"],
        ood_norm=own["ood", "as it is"]["norm"],
        norm_deviation=1 / math.sqrt(2 * DIMENSIONS),
        noise=_contrast(noise.second, noise.first) if noise else None,
        table=tuple(row for name in TABULATED for row in _thinned([row for row in rows if row["experiment"] == name])),
    )


def _row(row: Row) -> Row:
    rank = row["likelier_than"]
    return {
        **row,
        "interval": None if row["images"] == 1 else row["bits_per_dim_interval"],
        "nearly_all": is_number(rank) and criteria.NEARLY_ALL <= rank < 1,
    }


def _side(row: Row, real: object) -> Side:
    if not is_number(real):
        return Side.UNKNOWN
    return criteria.side(row["bits_per_dim"], row["bits_per_dim_interval"], real)


def _contrast(first: Row, second: Row) -> Contrast:
    return Contrast(
        first, second, criteria.compare_intervals(first["bits_per_dim_interval"], second["bits_per_dim_interval"])
    )


def _extremes(rows: Sequence[Row], key: str) -> Contrast | None:
    """Compares the row of the lowest with that of the highest value."""
    return _contrast(min(rows, key=itemgetter(key)), max(rows, key=itemgetter(key))) if len(rows) > 1 else None


def _radius(rows: Sequence[Row]) -> Contrast | None:
    """Compares the radius of the fewest bits with the one nearest to that of the prior."""
    if not rows:
        return None
    return _contrast(min(rows, key=itemgetter("bits_per_dim")), min(rows, key=lambda row: abs(row["level"] - 1)))


def _at(rows: Iterable[Row], level: float) -> Row | None:
    return next((row for row in rows if math.isclose(row["level"], level, abs_tol=1e-9)), None)


def _replacements(rows: Iterable[Row], experiment: str) -> Replacements:
    found = tuple(row for row in rows if row["experiment"] == experiment and is_number(row["like_donor"]))
    scales = [row["level"] for row in found if row["like_donor"] > row["like_host"]]
    return Replacements(found, scales[0] if len(found) > 1 and len(scales) == 1 else None)


def _thinned(rows: Sequence[Row]) -> Sequence[Row]:
    """Returns the rows of an experiment, of many the first, the last and some between."""
    if len(rows) <= TABLE_ROWS:
        return rows
    return [rows[round(i * (len(rows) - 1) / (TABLE_ROWS - 1))] for i in range(TABLE_ROWS)]
