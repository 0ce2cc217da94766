"""Sentences on images from unusual latents, each following its numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fashion_dgm.reporting.wording import count, interval, is_number, number, percent, plural, significant

__all__ = [
    "Row",
    "likeliest_sentence",
    "path_sentences",
    "rank_among_real",
    "scale_sentences",
    "show_bits",
    "stranger_sentences",
    "temperature_sentences",
    "typical_sentences",
]

Row = Mapping[str, Any]
_CLEARLY = 0.1  # of real images: ranks of a few samples are no finer
_WAYS = {
    "path_pixels": "blending the pixels",
    "path_linear": "the straight way through latent space",
    "path_spherical": "the way along the sphere",
}


def _of(variants: Sequence[Row], experiment: str) -> list[Row]:
    return [row for row in variants if row["experiment"] == experiment and is_number(row.get("bits_per_dim"))]


def show_bits(row: Row) -> str:
    """Writes the mean bits/dim of a row, with its interval where there is more than one image."""
    bounds = row.get("bits_per_dim_interval")
    if row["images"] == 1:  # an interval over one image says nothing
        return number(row.get("bits_per_dim"))
    return " ".join(filter(None, [number(row.get("bits_per_dim")), interval(bounds, 2)]))


def rank_among_real(row: Row) -> str:
    """Writes the share of real images that need more bits; 100% is said only of all of them."""
    share = row.get("likelier_than")
    return "over 99%" if is_number(share) and 0.995 <= share < 1 else percent(share)


def _apart(row: Row, other: Row) -> int:
    """Says whether a row's interval lies above (1) or below (-1) another's, or they overlap (0)."""
    (low, high), (other_low, other_high) = row["bits_per_dim_interval"], other["bits_per_dim_interval"]
    return 1 if low > other_high else -1 if high < other_low else 0


def temperature_sentences(variants: Sequence[Row], reference: Row) -> list[str]:
    """Tells which temperature gives the likeliest images, and how the model's own samples compare with real ones."""
    rows = _of(variants, "temperature")
    if not rows:
        return ["No bits/dim of these images is finite."]
    best, worst = min(rows, key=_key), max(rows, key=_key)
    text = []
    if best is not worst and _apart(worst, best) > 0:
        text.append(
            f"At {best['variant']} images need the fewest bits, {show_bits(best)} per dimension, at {worst['variant']} the "
            f"most, {show_bits(worst)}. The former are likelier than {rank_among_real(best)} of real images, "
            f"though their latents, at {number(best['norm'])} √D, "
            + ("lie off the shell" if abs(best["norm"] - 1) > 0.1 else "lie on the shell")
            + " that the prior draws from."
        )
    else:
        text.append("Between the temperatures, bits/dim do not differ by more than the intervals allow for.")
    if (plain := next((row for row in rows if row["level"] == 1), None)) and is_number(reference.get("bits_per_dim")):
        low, high = plain["bits_per_dim_interval"]
        real = reference["bits_per_dim"]
        where = (
            "more than" if low > real else "fewer than" if high < real else "no different, within the interval, from"
        )
        text.append(f"The model's own samples (T = 1) need {show_bits(plain)} bits/dim, {where} real images.")
    return text


def typical_sentences(variants: Sequence[Row], reference: Row) -> list[str]:
    """Tells how likely images from off the typical set are."""
    text = []
    constants = _of(variants, "constant")
    if mode := next((row for row in constants if row["level"] == 0), None):
        text.append(
            f"The likeliest latent is 0. Its image needs {show_bits(mode)} bits/dim and is likelier than "
            f"{rank_among_real(mode)} of real images. "
            + _below(constants, mode, "Other constant latents, less likely themselves, give likelier images: ")
        )
    shell = [row for row in constants if abs(abs(row["level"]) - 1) < 1e-9]
    if len(shell) == 2:
        text.append(
            "Latents that are all 1, or all \u22121, lie exactly on the shell and have exactly the density of a "
            f"typical draw. Their images need {number(shell[0]['bits_per_dim'])} "
            f"({shell[0]['variant'].replace('-', chr(0x2212))}) and {number(shell[1]['bits_per_dim'])} "
            f"({shell[1]['variant']}) bits/dim."
        )
    sparse = _of(variants, "active")
    if len(sparse) > 1:
        full, few = max(sparse, key=_level), min(sparse, key=_level)
        direction = _apart(few, full)
        verdict = {1: "more", -1: "fewer", 0: "as many, within the intervals"}[direction]
        text.append(
            f"With the whole norm on {plural(int(few['level']), 'latent')} instead of {count(int(full['level']))}, the "
            f"prior gives z the same density, but images need {show_bits(few)} bits/dim instead of {show_bits(full)}: "
            f"{verdict}. The norm alone does not say whether latents are typical."
        )
    radii = _of(variants, "radius")
    if radii:
        least, own = min(radii, key=_key), min(radii, key=lambda row: abs(row["level"] - 1))
        text.append(
            f"In the directions of real images, the radius {number(least['level'])} √D gives the fewest bits, "
            f"{show_bits(least)}, against {show_bits(own)} at {number(own['level'])} √D"
            + (", a difference within the intervals." if _apart(least, own) == 0 else ".")
        )
    if len(truncated := _of(variants, "truncation")) > 1:
        first, last = min(truncated, key=_level), max(truncated, key=_level)
        relation = {1: "less likely", -1: "likelier", 0: "neither likelier nor less likely"}[_apart(first, last)]
        text.append(
            f"Latents cut at ±{first['level']:g} give images of {show_bits(first)} bits/dim, at ±{last['level']:g} of "
            f"{show_bits(last)}: the tighter cut gives {relation} images."
        )
    return text or ["No bits/dim of these images is finite."]


def likeliest_sentence(variants: Sequence[Row]) -> str:
    """Returns how likely the image of the likeliest latent is, beside what the prior draws."""
    mode = next((row for row in _of(variants, "constant") if row["level"] == 0), None)
    if mode is None:
        return ""
    text = f"The image of the flow's likeliest latent, 0, is likelier than {rank_among_real(mode)} of real images"
    plain = next((row for row in _of(variants, "temperature") if row["level"] == 1), None)
    if plain is None:
        return f"{text}."
    text += f", what its prior draws likelier than {rank_among_real(plain)}"
    first, second = mode.get("likelier_than"), plain.get("likelier_than")
    apart = is_number(first) and is_number(second) and first - second > _CLEARLY
    return f"{text}: typical is not most likely." if apart else f"{text}."


def _below(rows: Sequence[Row], mode: Row, lead: str) -> str:
    likelier = [row for row in rows if row["bits_per_dim"] < mode["bits_per_dim"] and row is not mode]
    if not likelier:
        return "No other constant latent gives a likelier image."
    best = min(likelier, key=_key)
    return f"{lead}{best['variant'].replace('-', chr(0x2212))} needs {number(best['bits_per_dim'])}."


def scale_sentences(variants: Sequence[Row], experiment: str, donor: str) -> list[str]:
    """Tells which scale carries the picture, by the likeness to host and donor."""
    rows = [
        row for row in _of(variants, experiment) if is_number(row.get("like_donor")) and is_number(row.get("like_host"))
    ]
    text = []
    for row in rows:
        towards = row["like_donor"] > row["like_host"]
        text.append(
            f"With the latents of scale {row['level']:g} from {donor}, the pixels correlate at "
            f"{number(row['like_donor'])} with {donor} and at {number(row['like_host'])} with the image that gave the rest: "
            + ("the picture goes over to the donor." if towards else "the picture stays what it was.")
        )
    if len(rows) > 1:
        shape = max(rows, key=lambda row: row["like_donor"] - row["like_host"])
        if shape["like_donor"] > shape["like_host"]:
            text.append(f"It is scale {shape['level']:g} that decides what is seen.")
    return text or ["Nothing can be said about which scale carries the picture."]


def path_sentences(paths: Mapping[str, Any]) -> list[str]:
    """Tells what lies halfway between two images, on each way."""
    text = []
    for path, name in _WAYS.items():
        found = paths[path]
        if not is_number(found.get("difference")):
            continue
        low, high = found["difference_interval"]
        size = f"{number(abs(found['difference']))} {interval(_sorted_abs(low, high), 2)}"
        change = (
            f"{size} bits/dim more than the ends"
            if low > 0
            else f"{size} bits/dim fewer than the ends"
            if high < 0
            else "as many bits/dim as the ends, within the interval"
        )
        text.append(f"Halfway, {name} needs {change}; the latents' norm there is {number(found['norm'])} √D.")
    gap = paths["linear_minus_spherical"]
    if is_number(gap.get("difference")):
        low, high = gap["difference_interval"]
        size = f"{number(abs(gap['difference']))} {interval(_sorted_abs(low, high), 2)} bits/dim"
        if high < 0:
            text.append(
                f"Pair by pair, the straight way is likelier halfway than the spherical one, by {size}. It cuts through the "
                "inside of the shell, where no draw lies: here, too, atypical latents give likelier images."
            )
        elif low > 0:
            text.append(f"Pair by pair, the spherical way is likelier halfway than the straight one, by {size}.")
        else:
            text.append(
                "Pair by pair, the straight and the spherical way do not differ in bits/dim beyond the interval."
            )
    return text or ["No bits/dim along the ways is finite."]


def _sorted_abs(low: float, high: float) -> tuple[float, float]:
    first, second = sorted((abs(low), abs(high)))
    return first, second


def stranger_sentences(variants: Sequence[Row], stranger: str) -> list[str]:
    """Tells what becomes of foreign images in latent space."""
    own = {(row["experiment"], row["variant"]): row for row in variants}
    familiar, foreign = own[("familiar", "as it is")], own[("stranger", "as it is")]
    decoded = own[("stranger", "encoded and decoded")]
    text = []
    if is_number(decoded.get("changed")):
        share = decoded["changed"]
        text.append(
            f"Encoded and decoded, {stranger} comes back "
            + ("pixel for pixel" if share == 0 else f"with {significant(100 * share, 2)}% of its pixels changed")
            + ": a bijection has latents for every image, learnt from it or not."
        )
    if is_number(foreign.get("norm")) and is_number(familiar.get("norm")):
        text.append(
            f"Its latents have a norm of {number(foreign['norm'], 3)} √D on average, those of FashionMNIST "
            f"{number(familiar['norm'], 3)} √D; draws of the prior scatter about 1 by {number(_scatter(), 3)}."
        )
    text += scale_sentences(variants, "mixture", stranger)
    if len(noise := _of(variants, "noise")) > 1:
        first, last = min(noise, key=_level), max(noise, key=_level)
        relation = {1: "dearer", -1: "cheaper", 0: "neither dearer nor cheaper, within the intervals"}[
            _apart(last, first)
        ]
        text.append(
            f"Fresh noise in its latents makes the images {relation}: from {show_bits(first)} bits/dim at s = "
            f"{first['level']:g} to {show_bits(last)} at s = {last['level']:g}."
        )
    return text


def _scatter(dimensions: int = 784) -> float:
    return 1 / math.sqrt(2 * dimensions)


def _key(row: Row) -> float:
    return float(row["bits_per_dim"])


def _level(row: Row) -> float:
    return float(row["level"])
