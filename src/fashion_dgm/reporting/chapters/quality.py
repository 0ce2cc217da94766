"""What the chapter on distances tells beside the Fréchet distance: kernel distance, infinite N, quality and variety."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fashion_dgm.reporting.report import Block, NoteBlock, TableBlock, TextBlock
from fashion_dgm.reporting.wording import count, is_number, listing, model_name, model_order, number, percent, plural

__all__ = ["quality_blocks", "quality_notes", "quality_sentences"]

Row = Mapping[str, Any]

# Shares of a few thousand images are known to about a hundredth; what differs by less than this is not told apart.
_CLOSE_SHARE = 0.03
_STATES = {"best": 0, "last": 1, "brought": 2, "training": 3, "floor": 4}


def quality_blocks(metrics: Mapping[str, Any], space: str, name: str) -> Iterable[Block]:
    """Yields tables of all measures in one feature space, and what can be read from it; nothing where none were taken.

    Arguments:
        metrics: as for `fid_chapter`.
        name: what the distance in this space is called.
    """
    rows = _rows(metrics, space)
    if rows:
        yield from _tables(metrics, rows, name)
        sentences = quality_sentences(metrics, space)
        if sentences:
            yield TextBlock(tuple(sentences))


def quality_notes(metrics: Mapping[str, Any]) -> Iterable[NoteBlock]:
    """Yields what could not be scored, and what was done to samples from elsewhere."""
    failures = metrics.get("failures") or ()
    if failures:
        at = ["" if row["epoch"] is None else f", epoch {row['epoch']}" for row in failures]
        told = [f"{model_name(r['model'])}{e}: {r['reason'].rstrip('.')}." for r, e in zip(failures, at, strict=True)]
        yield NoteBlock("Not scored", tuple(told))
    changed = {name: what for name, what in (metrics.get("conversions") or {}).items() if what != "none"}
    if changed:
        told = [f"{name}: {what}." for name, what in changed.items()]
        yield NoteBlock("What was done to samples from elsewhere", tuple(told))


def quality_sentences(metrics: Mapping[str, Any], space: str) -> list[str]:
    """Returns what the measures say about each model's best epoch, and whether they agree on the order.

    Sets of another size than the others stand in the table alone, for most measures depend on it.
    """
    rows = [row for row in _rows(metrics, space) if row["samples"] == metrics.get("samples")]
    judged = [row for row in rows if row["state"] in ("best", "brought")]
    floor = next((row for row in rows if row["state"] == "floor"), None)
    sentences = [_variety_sentence(row, floor) for row in judged] if floor is not None else []
    sentences.append(" ".join(filter(None, [_order_sentence(judged), _bias_sentence(judged)])))
    return [sentence for sentence in sentences if sentence]


def _rows(metrics: Mapping[str, Any], space: str) -> list[Row]:
    rows = [row for row in metrics.get("quality") or () if row["feature_space"] == space]
    last = {(row["model"], row["epoch"]) for row in rows if row["state"] == "last"}
    best = {(row["model"], row["epoch"]) for row in rows if row["state"] == "best"}
    rows = [
        {**row, "also_last": (row["model"], row["epoch"]) in last}
        for row in rows
        if row["state"] != "last" or (row["model"], row["epoch"]) not in best
    ]
    places = {model: place for place, model in enumerate(model_order({row["model"] for row in rows}))}
    # Models trained here, then what was brought, then real images, the floor last.
    return sorted(rows, key=lambda row: (max(_STATES[row["state"]], 1), places[row["model"]], _STATES[row["state"]]))


def _tables(metrics: Mapping[str, Any], rows: Sequence[Row], name: str) -> Iterable[TableBlock]:
    labels, emphasised = (
        [_label(row) for row in rows],
        tuple(i for i, row in enumerate(rows) if row["state"] == "brought"),
    )
    sizes = sorted({row["kid_subset"] for row in rows if is_number(row.get("kid_subset"))})
    distances = tuple(
        (
            label,
            count(row["samples"]),
            number(row["distance_benchmark"]),
            _with_error(row.get("distance_infinite"), row.get("distance_infinite_error")),
            _with_error(row.get("kid"), row.get("kid_deviation"), 4),
        )
        for label, row in zip(labels, rows, strict=True)
    )
    yield TableBlock(
        ("Images of", "N", "Distance", "at N = ∞", "KID"),
        distances,
        f"Distances to the official test images, in the same features as the {name}. At N = ∞: extrapolated on both sides, "
        f"with its standard error, by leaving out one of {count(metrics.get('extrapolation_groups'))} groups. KID: mean and "
        f"standard deviation over {count(metrics.get('kid', {}).get('subsets'))} subsets of "
        f"{listing([count(n) for n in sizes]) or 'no'} images. Draws by seed {metrics.get('seed')}.",
        numeric=(1, 2, 3, 4),
        emphasised=emphasised,
    )
    names = ("precision", "recall", "density", "coverage")
    yield TableBlock(
        ("Images of", *(name.capitalize() for name in names)),
        tuple((label, *(number(row.get(name)) for name in names)) for label, row in zip(labels, rows, strict=True)),
        f"Quality (precision, density) and variety (recall, coverage) of the same samples against the official test images, "
        f"by {count(metrics.get('neighbours'))} nearest neighbours in the same features.",
        numeric=(1, 2, 3, 4),
        emphasised=emphasised,
    )


def _label(row: Row) -> str:
    if row["state"] == "floor":
        return "Held-out images (floor)"
    if row["state"] == "training":
        return "Training images"
    if row["state"] == "brought":
        return f"{row['model']} (brought)"
    state = "best and last" if row["state"] == "best" and row["also_last"] else row["state"]
    return f"{model_name(row['model'])}, {state} epoch ({row['epoch']})"


def _variety_sentence(row: Row, floor: Row) -> str:
    shares = [(row.get(name), floor.get(name)) for name in ("precision", "recall", "density", "coverage")]
    if not all(is_number(value) and is_number(of) and of > 0 for value, of in shares):
        return ""
    precision, recall, density, coverage = (value for value, _ in shares)
    quality, variety = density / floor["density"], coverage / floor["coverage"]
    text = (
        f"Of the samples of {_name(row)}, {percent(precision)} lie among real images (of held-out images, "
        f"{percent(floor['precision'])}); of the real images, {percent(recall)} lie among the samples "
        f"({percent(floor['recall'])})."
    )
    if quality > 1 + _CLOSE_SHARE and variety < 1 - _CLOSE_SHARE:
        lost = f"{percent(1 - variety)} of what held-out images cover"
        return f"{text} They crowd where real images are densest, and leave out {lost}."
    if quality < 1 - _CLOSE_SHARE and variety < 1 - _CLOSE_SHARE:
        reached = f"{percent(quality)} of the density and {percent(variety)} of the coverage that held-out images have"
        if abs(quality - variety) < _CLOSE_SHARE:
            return f"{text} They reach {reached}."
        return f"{text} They reach {reached}: {'quality' if quality < variety else 'variety'} is the weaker side."
    return text


def _order_sentence(rows: Sequence[Row]) -> str:
    known = [row for row in rows if is_number(row.get("kid")) and is_number(row["distance_benchmark"])]
    if len(known) < 2:
        return ""
    by_distance = sorted(known, key=lambda row: row["distance_benchmark"])
    by_kid = sorted(known, key=lambda row: row["kid"])
    first, second = by_kid[:2]
    if second["kid"] - first["kid"] < max(first["kid_deviation"], second["kid_deviation"]):
        return f"By KID, {_name(first)} and {_name(second)} are not told apart: they differ by less than subsets do."
    if by_distance[0] is first:
        return f"KID, whose estimate has no bias, puts {_name(first)} first, too."
    return f"KID puts {_name(first)} first where the Fréchet distance puts {_name(by_distance[0])}: the order is open."


def _bias_sentence(rows: Sequence[Row]) -> str:
    known = [row for row in rows if is_number(row.get("distance_infinite")) and is_number(row["distance_benchmark"])]
    if len(known) < 2:
        return ""
    finite = sorted(known, key=lambda row: row["distance_benchmark"])
    infinite = sorted(known, key=lambda row: row["distance_infinite"])
    shift = max(row["distance_benchmark"] - row["distance_infinite"] for row in known)
    change = "keeps" if finite == infinite else "changes"
    return (
        f"Extrapolating to infinitely many samples {change} the order of these {plural(len(known), 'set')} and takes off at "
        f"most {number(shift)}."
    )


def _name(row: Row) -> str:
    return row["model"] if row["state"] == "brought" else f"the {model_name(row['model'])}"


def _with_error(value: float | None, error: float | None, digits: int = 2) -> str:
    text = number(value, digits)
    return f"{text} ± {number(error, digits)}" if is_number(value) and is_number(error) else text
