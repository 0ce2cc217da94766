"""Sentences on what a likelihood is made of, each following its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fashion_dgm.reporting.wording import dataset_name, interval, is_number, listing, number, part_name, percent

__all__ = [
    "complexity_sentences",
    "gap_sentences",
    "layer_sentences",
    "perturbation_sentences",
    "second_order_sentences",
    "way_sentences",
]

_BEFORE = ("logit", "actnorm", "squeeze")
_OFF = 0.5  # bits/dim
_MEASURES = {
    "png_bits": "the length of its PNG file",
    "total_variation": "its total variation",
    "black_share": "its share of black pixels",
}
_CHANGES = {
    "brightness": "Multiplying the pixels by {}",
    "spread": "Multiplying the deviation from the mean image by {}",
    "blur": "A blur of {} pixels",
}


def gap_sentences(gap: Mapping[str, Any], ours: str, theirs: str) -> list[str]:
    """Tells whether volume or latents make the gap."""
    if not is_number(gap.get("difference")):
        return ["The gap is not finite, so nothing can be shared out."]
    low, high = gap["difference_interval"]
    size = f"{number(abs(gap['difference']))} [{number(min(abs(low), abs(high)))}, {number(max(abs(low), abs(high)))}]"
    if low <= 0 <= high:
        return [
            f"{theirs} and {ours} need the same number of bits/dim within the interval {interval((low, high), 2)}: this run "
            "shows no gap to explain."
        ]
    direction = "fewer" if high < 0 else "more"
    parts = gap["parts"]
    latents = sum(part["difference"] for name, part in parts.items() if name.startswith("latents"))
    volume = gap["difference"] - latents
    text = [
        f"{theirs} needs {size} bits/dim {direction} than {ours}. The log-determinants account for "
        f"{_signed(volume)} of this, {percent(volume / gap['difference'])}; the latents for {_signed(latents)}, "
        f"{percent(latents / gap['difference'])}."
    ]
    against = latents * gap["difference"] < 0
    if against and all(_clear(p["difference_interval"]) for n, p in parts.items() if n.startswith("latents")):
        text.append(
            f"The latents point the other way: by the prior alone, {theirs} would be the "
            + ("less" if latents > 0 else "more")
            + f" likely, by {number(abs(latents), 3)} bits/dim. What misleads the flow is volume."
            if direction == "fewer"
            else f"The latents point the other way, by {number(abs(latents), 3)} bits/dim: it is volume that makes "
            f"{theirs} dear."
        )
    largest = max(parts, key=lambda name: abs(parts[name]["difference"]))
    share = parts[largest]
    text.append(
        f"The largest single term is the {part_name(largest)}: {_signed(share['difference'])} bits/dim "
        f"{interval(share['difference_interval'], 2)}, {percent(share['share'])} of the gap."
    )
    return text


def layer_sentences(layers: Sequence[Mapping[str, Any]], ours: str, theirs: str) -> list[str]:
    """Tells where along the flow the gap arises."""
    start = next((i for i, row in enumerate(layers) if row["kind"] not in _BEFORE), 0) - 1
    if start < 0 or not all(is_number(row["gap"]) for row in (layers[start], layers[-1])):
        return ["What the layers do to the gap cannot be told."]
    first, last = layers[start], layers[-1]
    if abs(last["gap"]) < 2 * last["gap_se"]:
        return [f"At the end there is no clear gap between {theirs} and {ours}, so layers have nothing to answer for."]
    share = first["gap"] / last["gap"]
    text = [
        f"Before any coupling, when each pixel is judged on its own, {theirs} is already at {_signed(first['gap'])} "
        f"bits/dim from {ours}, {percent(share)} of what the gap will be after the last one ({_signed(last['gap'])})."
    ]
    if share >= 1:
        text.append("What the couplings learn of neighbouring pixels narrows the gap; it does not make it.")
    elif share >= 0.5:
        text.append("Most of the gap is there before the flow has looked at any neighbouring pixel.")
    elif share >= 0:
        text.append("Most of the gap arises in the couplings, which look at neighbouring pixels.")
    else:
        text.append("Single pixels point the other way: it is the couplings that make the gap.")
    saved = [layers[start][key] - layers[-1][key] for key in ("inside", "outside")]
    text.append(
        f"From there on the couplings save {number(saved[0])} bits/dim for {ours} and {number(saved[1])} for {theirs}"
        + (f": what they learnt of {ours} serves {theirs}, too." if saved[1] > 0 else ".")
    )
    return text


def way_sentences(sets: Mapping[str, Any], inside: str, outside: str) -> list[str]:
    """Tells how much of each kind of image is left in its latents."""
    ours, theirs = sets[inside], sets[outside]
    if not is_number(ours.get("neighbours")) or not is_number(theirs.get("neighbours")):
        return ["The correlation of neighbouring latents is not finite."]
    first, second = (f"{number(e['neighbours'], 3)} {interval(e['neighbours_interval'])}" for e in (ours, theirs))
    text = (
        f"In pure noise, neighbouring values do not correlate. Neighbouring latents of {dataset_name(inside)} correlate at "
        f"{first}, those of {dataset_name(outside)} at {second}. "
    )
    (low, high), (other_low, other_high) = ours["neighbours_interval"], theirs["neighbours_interval"]
    if other_low > high:
        return [
            text
            + f"More of {dataset_name(outside)} is left: the flow has learnt less of how such images hang together."
        ]
    if other_high < low:
        return [text + f"Less of {dataset_name(outside)} is left than of the images the flow was made for."]
    return [text + "The intervals overlap: by this measure as much of the one is left as of the other."]


def complexity_sentences(metrics: Mapping[str, Any], inside: str, outside: str) -> list[str]:
    """Tells how far complexity goes with bits/dim, and how much of the gap it accounts for."""
    sets = metrics["sets"]
    found = {name: sets[inside]["spearman"][name] for name in _MEASURES}
    known = {name: entry for name, entry in found.items() if is_number(entry["value"])}
    if not known:
        return ["No measure of complexity varies among these images."]
    text = []
    best = max(known, key=lambda name: abs(known[name]["value"]))
    where = {dataset_name(name): sets[name]["spearman"][best] for name in (inside, outside)}
    where |= {"all sets together": metrics["pooled"][best]}
    shown = [
        f"{number(e['value'])} {interval(e['value_interval'], 2)} within {n}" for n, e in where.items() if e["value"]
    ]
    text.append(
        f"What an image costs the flow goes most closely with {_MEASURES[best]}: rank correlation "
        f"{', '.join(shown)}.".replace("within all", "over all")
    )
    for name in _MEASURES:
        line = sets[outside]["line"][name]
        if not is_number(line.get("share")):
            continue
        measured = sets[outside]["bits_per_dim"]
        text.append(
            f"By {_MEASURES[name]} alone, on a line through {dataset_name(inside)}, {dataset_name(outside)} should need "
            f"{number(line['predicted'])} {interval(line['predicted_interval'], 2)} bits/dim; it needs "
            f"{number(measured)}. That is {percent(line['share'])} [{percent(line['share_interval'][0])}, "
            f"{percent(line['share_interval'][1])}] of the gap."
        )
    shares = [sets[outside]["line"][name].get("share") for name in _MEASURES]
    enough = [share for share in shares if is_number(share) and 0.8 <= share <= 1.2]
    if enough:
        text.append(
            f"So {dataset_name(outside)} costs about what garments as simple would cost: the flow does not take it for "
            "clothes, it counts bits."
        )
    elif any(is_number(share) for share in shares):
        text.append("None of the measures by itself accounts for the gap, nor for nearly all of it.")
    if off := [name for name in sorted(sets) if name != inside and _off_the_line(sets[name])]:
        shown = [
            f"{dataset_name(name)} ({number(sets[name]['bits_per_dim'])} against "
            f"{number(sets[name]['line']['png_bits']['predicted'])})"
            for name in off
        ]
        text.append(
            f"Complexity is not all that counts: more than {number(_OFF, 1)} bits/dim away from what the PNG file "
            f"predicts lie {listing(shown)}."
        )
    return text


def _off_the_line(entry: Mapping[str, Any]) -> bool:
    predicted = entry["line"]["png_bits"]["predicted"]
    return is_number(predicted) and is_number(entry["bits_per_dim"]) and abs(entry["bits_per_dim"] - predicted) > _OFF


def perturbation_sentences(perturbations: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """Reports what brightness, spread and blur do, each by its strongest clear effect in either direction."""
    text = []
    for name, phrase in _CHANGES.items():
        # At level 0 brightness and spread leave nothing of an image.
        levels = (row for row in perturbations.get(name, ()) if row["changed"] and row["level"] > 0)
        rows = [row for row in levels if is_number(row.get("auroc"))]
        clear = [row for row in rows if _clear(row["auroc_interval"], 0.5)]
        if not clear:
            text.append(f"{name.capitalize()} changes bits/dim by no more than the intervals allow for.")
            continue
        # The strongest effect in either direction.
        sides = [[row for row in clear if (row["auroc"] < 0.5) is below] for below in (True, False)]
        for row in (max(side, key=lambda row: abs(row["auroc"] - 0.5)) for side in sides if side):
            likelier, level = row["auroc"] < 0.5, f"{row['level']:g}"
            text.append(
                f"{phrase.format(level)} makes images {'likelier' if likelier else 'less likely'} "
                f"({_signed(row['difference'])} bits/dim, AUROC {number(row['auroc'], 3)} "
                f"{interval(row['auroc_interval'])})."
            )
    return text


def second_order_sentences(metrics: Mapping[str, Any], ours: str, theirs: str) -> list[str]:
    """Tells whether the second-order argument holds for this flow and these images."""
    moments, gaps = metrics["second_order"]["moments"], metrics["second_order"]["gaps"]
    low, high = moments["eigenvalues"]
    if not is_number(low) or not is_number(moments["variance_outside"]):
        return ["The moments of the pixels are not finite."]
    less = moments["variance_outside"] < moments["variance_inside"]
    text = [
        "Nalisnick et al. (2019) expand the log-density to second order about the mean of the data. For a flow of constant "
        "volume and no curvature, images of equal mean that vary less in every direction are then likelier. The pixels of "
        f"{theirs} vary {'less' if less else 'more'} in sum ({number(moments['variance_outside'], 1)} against "
        f"{number(moments['variance_inside'], 1)} for {ours})"
        + (
            "; they vary less in every direction, too"
            if low >= 0
            else ", but not less in every direction (the difference of covariances has eigenvalues from "
            f"{number(low, 1)} to {number(high, 1)})"
        )
        + f", and mean pixels differ by up to {number(moments['largest_mean_difference'])}."
    ]
    names = {"pixels": "pixels", "logits": "the logits of pixels"}
    text += [_polynomial_sentence(name, gaps[where], theirs) for where, name in names.items() if where in gaps]
    if (turned := _turned_round(gaps, theirs)) is not None:
        text.append(turned)
    text += _spread_sentences(metrics["perturbations"].get("spread", ()), gaps)
    return text


def _spread_sentences(spread: Sequence[Mapping[str, Any]], gaps: Mapping[str, Any]) -> list[str]:
    """Compares the argument's own case, equal means and a smaller covariance, with what was measured."""
    rows = [row for row in spread if row["changed"] and row["level"] < 1 and is_number(row["difference"])]
    if not rows:
        return []
    likelier = [row for row in rows if row["difference_interval"][1] < 0]
    less = [row for row in rows if row["difference_interval"][0] > 0]
    text = [
        "Images drawn towards their mean image, m + a (x - m) with a < 1, keep the mean and vary less in every direction, "
        "so the argument has them likelier. "
        + (
            "Here they are, at every level that was tried."
            if len(likelier) == len(rows)
            else "Here they are less likely, at every level that was tried."
            if len(less) == len(rows)
            else f"Here they are at {len(likelier)} of {len(rows)} levels, and less likely at {len(less)}."
        )
    ]
    for where, name in {"pixels": "pixels", "logits": "the logits of pixels"}.items():
        steps = [row for row in gaps.get(where, {}).get("towards_mean", ()) if 0 < row["level"] < 1]
        if steps and all(is_number(row["measured"]) and is_number(row["polynomial"]) for row in steps):
            row = max(steps, key=lambda row: row["level"])
            text.append(
                f"Scaled about the mean in {name} by a = {row['level']:g}, without rounding, the log-density changes by "
                f"{_signed(row['measured'])} bits/dim; the polynomial says {_signed(row['polynomial'])}."
            )
    return text


def _turned_round(gaps: Mapping[str, Any], theirs: str) -> str | None:
    """Says so where the two coordinates rank the sets differently."""
    if "logits" not in gaps or any(abs(gap["measured"]) < 2 * gap["measured_se"] for gap in gaps.values()):
        return None
    if gaps["pixels"]["measured"] * gaps["logits"]["measured"] > 0:
        return None
    likelier, other = ("pixels", "logits") if gaps["pixels"]["measured"] > 0 else ("logits", "pixels")
    return (
        f"Measured in {likelier}, {theirs} is the likelier set; measured in {other}, it is the less likely one, under "
        "the same flow. A density ranks images only together with the coordinates it is taken in."
    )


def _polynomial_sentence(coordinates: str, found: Mapping[str, Any], theirs: str) -> str:
    measured, polynomial = found["measured"], found["polynomial"]
    if not is_number(measured) or not is_number(polynomial):
        return f"In {coordinates}, the polynomial or the gap is not finite."
    text = (
        f"Tried on this flow itself, in {coordinates}: the second-order polynomial about the mean puts {theirs} "
        f"{number(abs(polynomial))} bits/dim {'above' if polynomial > 0 else 'below'} in mean log-density, while the "
        f"log-density itself puts it {number(abs(measured))} {'above' if measured > 0 else 'below'}"
    )
    if abs(measured) < 2 * found["measured_se"]:
        return f"{text}, which is within the noise of zero."
    if polynomial * measured < 0:
        return f"{text}: the polynomial has the wrong sign, and the argument does not explain this flow."
    ratio = polynomial / measured
    if 0.5 <= ratio <= 2:
        return f"{text}: the polynomial is of the right sign and size."
    return f"{text}: the right sign, but {number(ratio, 1)} times the size."


def _clear(bounds: Sequence[float], nothing: float = 0.0) -> bool:
    return bounds[0] > nothing or bounds[1] < nothing


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + number(value)
