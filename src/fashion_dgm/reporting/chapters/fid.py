"""The chapter on Fréchet distances."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from fashion_dgm.reporting import sources
from fashion_dgm.reporting.chapters.quality import quality_blocks, quality_notes
from fashion_dgm.reporting.chapters.titles import TITLES
from fashion_dgm.reporting.published import SEED_NOISE_FID
from fashion_dgm.reporting.report import (
    Block,
    BlockChapter,
    FigureBlock,
    FormulaBlock,
    NoteBlock,
    TableBlock,
    TextBlock,
)
from fashion_dgm.reporting.wording import (
    MISSING,
    NOT_APPLICABLE,
    SPACE_NAMES,
    count,
    is_number,
    model_name,
    model_order,
    number,
    percent,
)

__all__ = ["Standing", "feature_spaces", "fid_chapter", "ranking", "ranking_sentence", "space_name"]

_CLOSE_SHARE = 0.1
_PUBLISHED_SAMPLES = 10_000
_REFERENCES = (("benchmark", "official test images"), ("test", "held-out images"))


class Standing(NamedTuple):
    """A model's distance at its best epoch."""

    distance: float
    model: str


def fid_chapter(metrics: Mapping[str, Any], curves_png: bytes) -> BlockChapter:
    """Tells which model's samples lie nearer the real images, and how far that can be trusted.

    Arguments:
        metrics: `{"rows": [{"model", "feature_space", "best_epoch", "best_on_test", "best_on_benchmark", "last_epoch",
            "last_on_test", "last_on_benchmark"}], "floor": {space: distance of held-out to official test images}, "samples",
            "feature_spaces": {space: {"label", "dimension", "layer", "accuracy", "weights_sha256"}}, "missing": [...],
            "warnings": [...]}`, and where more was measured `"quality"`, a list of rows as `metrics.fid.Scores.quality` has
            them, `"seed"`, `"neighbours"`, `"kid": {"subsets"}`, `"extrapolation_groups"`, `"failures"`, `"conversions"`.
        curves_png: the distance of every snapshot.
    """
    spaces = feature_spaces(metrics)
    cited = [sources.HEUSEL_2017, sources.CHONG_2020]
    if metrics.get("quality"):
        cited += [sources.BINKOWSKI_2018, sources.KYNKAANNIEMI_2019, sources.NAEEM_2020]
    if "inception" in spaces:
        cited.append(sources.LUCIC_2018)
    models = {row["model"] for row in metrics["rows"]}
    once = " Each model was trained once: what follows ranks these runs, not the methods."
    return BlockChapter(
        title=TITLES["fid"],
        anchor="fid",
        intro=(
            "The Fréchet distance compares generated with real images by the mean and the covariance of their features "
            "under a fixed network. In the features of an Inception network it is called FID (Heusel et al., 2017), in "
            "those of a classifier trained on FashionMNIST itself a Fréchet classifier distance. The two have different "
            "units and never share a table.",
            f"Each snapshot of a generator draws {count(metrics.get('samples'))} images. Its best epoch is chosen on "
            "held-out images and measured again on the official test images." + (once if len(models) > 1 else ""),
        ),
        blocks=tuple(_blocks(metrics, spaces, curves_png)),
        sources=tuple(cited),
        finding=_finding(metrics, spaces),
    )


def feature_spaces(metrics: Mapping[str, Any]) -> list[str]:
    """Returns the feature spaces that were measured, in alphabetical order."""
    return sorted({row["feature_space"] for row in (*metrics["rows"], *metrics.get("quality", ()))})


def space_name(space: str) -> str:
    """Returns what a distance in a feature space is called: only Inception's is FID, whatever its metrics call it."""
    return "FID" if space == "inception" else SPACE_NAMES.get(space, f"Fréchet distance ({space})")


def ranking(metrics: Mapping[str, Any], space: str) -> tuple[list[Standing], str]:
    """Ranks the models by their best epoch on the official test images, or on held-out ones where those are missing.

    Returns:
        The models, nearest first, and which images they were compared with; nothing if a distance is not finite.
    """
    rows = _rows_of(metrics, space)
    for split, where in _REFERENCES:
        if rows and all(is_number(row.get(f"best_on_{split}")) for row in rows):
            return sorted(Standing(row[f"best_on_{split}"], row["model"]) for row in rows), where
    return [], ""


def ranking_sentence(metrics: Mapping[str, Any], space: str) -> str:
    """Returns which model is ahead in a feature space, and whether the lead is more than noise."""
    name = space_name(space)
    standings, where = ranking(metrics, space)
    if not _rows_of(metrics, space):
        return f"{name}: no snapshot of a model trained here was scored."
    if not standings:
        return f"{name}: not every model has a finite distance, so they cannot be ranked."
    if len(standings) == 1:
        return f"{name}: the {model_name(standings[0].model)} reaches {number(standings[0].distance)} on {where}."
    best, second = standings[:2]
    lead = (
        f"{name}: the {model_name(best.model)} is ahead of the {model_name(second.model)}, {number(best.distance)} against "
        f"{number(second.distance)} on {where}"
    )
    gap = number(second.distance - best.distance)
    if not _is_close(space, best.distance, second.distance):
        return f"{lead}, a difference of {gap}."
    if space == "inception":
        reason = f"gaps under about {number(SEED_NOISE_FID, 0)} are noise between seeds (Lucic et al., 2018)"
    else:
        reason = f"a gap of less than {percent(_CLOSE_SHARE)} may well be noise between seeds"
    return f"{lead}. The difference of {gap} decides nothing: {reason}."


def _finding(metrics: Mapping[str, Any], spaces: Sequence[str]) -> str:
    told = [ranking_sentence(metrics, space) for space in spaces]
    return " ".join(told if "inception" in spaces else [*told, "FID itself was not computed."])


def _blocks(metrics: Mapping[str, Any], spaces: Sequence[str], curves_png: bytes) -> Iterable[Block]:
    yield from _notes(metrics, spaces)
    yield from quality_notes(metrics)
    yield FormulaBlock(
        "frechet",
        "Means μ and covariances Σ of the features of real (r) and generated (g) images: the distance between two normal "
        "distributions with these moments. It is 0 where the moments agree.",
    )
    yield FigureBlock(
        curves_png,
        "Fréchet distance against the epoch, a panel a feature space and a line a model, best epochs circled, with a dashed "
        "line for the floor.",
        "Distance of every snapshot to held-out images. Circles mark the best epochs; the dashed floor is the distance "
        "between held-out and official test images."
        + (" Dotted lines are samples from elsewhere." if metrics.get("conversions") else ""),
    )
    told = (ranking_sentence, _floor_sentence, _epoch_sentence)
    found = [" ".join(filter(None, [tell(metrics, space) for tell in told])) for space in spaces]
    found += filter(None, [_agreement_sentence(metrics, spaces)])
    yield TextBlock(tuple(found), heading="What was found")
    for space in spaces:
        if _rows_of(metrics, space):
            yield _distance_table(metrics, space)
        yield from quality_blocks(metrics, space, space_name(space))
    yield _feature_table(metrics, spaces)
    models = len({row["model"] for row in metrics["rows"]})
    yield _reading_guide(metrics.get("samples"), models, bool(metrics.get("quality")))


def _notes(metrics: Mapping[str, Any], spaces: Sequence[str]) -> Iterable[NoteBlock]:
    reasons = tuple(f"Reason given: {reason.rstrip('.')}." for reason in metrics.get("missing") or ())
    if "inception" not in spaces:
        yield NoteBlock(
            "No FID in this report",
            (
                "FID needs Inception's features, which this run did without. All distances here are in the features of a "
                "classifier trained on FashionMNIST: they are not FID and cannot be compared with published FID.",
                *reasons,
            ),
        )
    elif reasons:
        yield NoteBlock("Something is missing", reasons)
    if metrics.get("warnings"):
        yield NoteBlock("Read with care", tuple(metrics["warnings"]))


def _rows_of(metrics: Mapping[str, Any], space: str) -> list[Mapping[str, Any]]:
    rows = {row["model"]: row for row in metrics["rows"] if row["feature_space"] == space}
    return [rows[model] for model in model_order(rows)]


def _is_close(space: str, first: float, second: float) -> bool:
    if space == "inception":
        return abs(first - second) < SEED_NOISE_FID
    return abs(first - second) < _CLOSE_SHARE * max(abs(first), abs(second))


def _floor_sentence(metrics: Mapping[str, Any], space: str) -> str:
    standings, _ = ranking(metrics, space)
    floor = metrics.get("floor", {}).get(space)
    if not is_number(floor) or floor <= 0:
        return ""
    real = {row["state"]: row for row in metrics.get("quality") or () if row["feature_space"] == space}
    text = f"Held-out images lie {number(floor)} from the official test images: the floor."
    trained_on = real.get("training", {}).get("distance_benchmark")
    if space == "classifier" and is_number(trained_on):
        text += f" Training images, to which the classifier was fitted, lie {number(trained_on)} from them."
    if not standings:
        return text
    ratio = standings[0].distance / floor
    error = real.get("floor", {}).get("distance_infinite_error")
    if floor - standings[0].distance > 2 * (error if is_number(error) else 0.0):
        return (
            f"{text} The best model is below the floor, nearer than real images are: suspect copies of the reference."
        )
    if ratio < 1.5:
        return f"{text} The best model comes close to the floor."
    return f"{text} The best model is at {number(ratio, 1)} times the floor."


def _epoch_sentence(metrics: Mapping[str, Any], space: str) -> str:
    parts = []
    for row in _rows_of(metrics, space):
        model, best, last = model_name(row["model"]), row["best_epoch"], row["last_epoch"]
        if best == last:
            parts.append(f"the {model} was best at its last epoch, {last}, and might gain from more training")
            continue
        part = f"the {model} was best at epoch {best}"
        if is_number(row.get("best_on_test")) and is_number(row.get("last_on_test")):
            part += f", and epoch {last} is {number(row['last_on_test'] - row['best_on_test'])} worse"
        parts.append(part)
    return f"Best against last epoch, on held-out images: {'; '.join(parts)}." if parts else ""


def _agreement_sentence(metrics: Mapping[str, Any], spaces: Sequence[str]) -> str:
    tables = [standings for space in spaces if len(standings := ranking(metrics, space)[0]) > 1]
    leaders = [standings[0].model for standings in tables]
    if len(leaders) < 2:
        return ""
    if len(set(leaders)) == 1:
        return f"Both feature spaces put the {model_name(leaders[0])} first."
    return "The feature spaces disagree on which model is ahead, so the ranking depends on what one calls similar."


def _distance_table(metrics: Mapping[str, Any], space: str) -> TableBlock:
    columns = ("best_on_test", "best_on_benchmark"), ("last_on_test", "last_on_benchmark")
    rows: list[tuple[str, ...]] = []
    for row in _rows_of(metrics, space):
        best, last = ([number(row.get(column)) for column in pair] for pair in columns)
        rows.append((model_name(row["model"]), count(row["best_epoch"]), *best, count(row["last_epoch"]), *last))
    for row in metrics.get("quality") or ():
        if row["feature_space"] == space and row["state"] == "training":
            distances = number(row["distance_test"]), number(row["distance_benchmark"])
            rows.append(("Training images", "", *distances, "", "", ""))
    floor = metrics.get("floor", {}).get(space)
    if is_number(floor):
        rows.append(("Held-out images", "floor", "", number(floor), "", "", ""))
    return TableBlock(
        ("Images of", "Best epoch", "held-out", "official", "Last epoch", "held-out", "official"),
        tuple(rows),
        f"{space_name(space)} to held-out and to official test images, N = {count(metrics.get('samples'))}; lower is "
        "better. The best epoch is the one nearest the held-out images.",
        numeric=(1, 2, 3, 4, 5, 6),
    )


def _feature_table(metrics: Mapping[str, Any], spaces: Sequence[str]) -> TableBlock:
    rows = []
    for space in spaces:
        entry = metrics.get("feature_spaces", {}).get(space, {})
        digest = entry.get("weights_sha256")
        rows.append(
            (
                space_name(space),
                entry.get("layer", MISSING),
                count(entry.get("dimension")),
                percent(entry["accuracy"], 2) if "accuracy" in entry else NOT_APPLICABLE,
                f"`{digest[:12]}`" if digest else MISSING,
            )
        )
    return TableBlock(
        ("Distance", "Layer", "Features", "Accuracy", "Weights (SHA-256)"),
        tuple(rows),
        "The networks whose features are compared. The accuracy is that of the classifier on the official test images"
        + _origin_clause(metrics.get("feature_spaces", {}).get("classifier", {}).get("origin")),
        numeric=(2, 3),
    )


def _origin_clause(origin: str | None) -> str:
    if origin == "shipped":
        return "; it comes with the package, so that its distances can be compared between machines."
    if origin == "trained":
        return "; it was trained in this run, so its distances can be compared within this report only."
    return "."


def _reading_guide(samples: int | None, models: int, more: bool) -> TextBlock:
    size = (
        "The estimate has a bias that falls with the number of samples: compare equal N only (Chong and Forsyth, 2020)."
    )
    if is_number(samples) and samples < _PUBLISHED_SAMPLES:
        size += (
            f" Published figures use {count(_PUBLISHED_SAMPLES)} or more; beside them, ours from {count(int(samples))} come "
            "out too high."
        )
    paragraphs = [
        "Compare a distance with the floor: two finite sets of real images never have equal moments, so held-out images "
        "are not at distance 0 from the official test images either. A perfect generator would be as near to either set as "
        "they are to each other, or a little farther, as it draws its classes at random. Training images have a row to "
        "themselves: a network fitted to them gives them other features than images it has not seen, and the difference to "
        "the floor shows how much it memorised.",
        size,
        "Distances in different features have different units. The classifier's features see what separates kinds of "
        "clothing; Inception's were learnt from colour photographs and are a poor fit for small grey images.",
    ]
    if more:
        paragraphs.append(
            "Precision and density fall where samples look like nothing real, recall and coverage where kinds of real "
            "images are missing. KID has no bias, so sets of unequal size may be compared by it. Compare each with the row "
            "of the held-out images: real images do not reach 1 either."
        )
    if models > 1:
        paragraphs.append("One run a model says little about a method: seeds can differ by more than models do.")
    return TextBlock(tuple(paragraphs), heading="How to read these numbers")
