"""The chapter on the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fashion_dgm.reporting import sources
from fashion_dgm.reporting.chapters.ood_sets import ood_set_blocks
from fashion_dgm.reporting.chapters.titles import TITLES
from fashion_dgm.reporting.report import BlockChapter, FigureBlock, TableBlock
from fashion_dgm.reporting.wording import MISSING, count, listing, percent

__all__ = ["data_chapter"]

_SPLIT_NAMES = {"train": "training", "test": "held-out", "benchmark": "official test"}
_SPLIT_ORDER = ("train", "test", "benchmark")


def data_chapter(
    summary: Mapping[str, Any],
    example_png: bytes,
    ood_sets: Mapping[str, Any] | None = None,
    ood_png: bytes | None = None,
) -> BlockChapter:
    """Tells which images there are, how they were divided, and which come from elsewhere.

    Arguments:
        summary: `{"pool", "seed", "splits": {name: {"images", "per_class", "sha256"}}}`.
        example_png: examples of each class.
        ood_sets: what became of each out-of-distribution set, as `data.ood.build_sets` tells it.
        ood_png: examples of those sets.
    """
    splits = summary["splits"]
    names = sorted(splits, key=lambda name: (_SPLIT_ORDER.index(name) if name in _SPLIT_ORDER else 9, name))
    rows = [_row(_SPLIT_NAMES.get(name, name), "FashionMNIST", splits[name]) for name in names]
    return BlockChapter(
        title=TITLES["data"],
        anchor="data",
        intro=(
            "FashionMNIST (Xiao et al., 2017) holds grey images of 28 by 28 pixels, each of one of ten kinds of clothing. "
            "It has the size and shape of MNIST, which makes the two a natural pair for out-of-distribution detection: "
            "a model can tell them apart by nothing but the picture.",
            _split_sentence(summary, splits),
            _balance_sentence(splits, names),
        ),
        blocks=(
            FigureBlock(
                example_png,
                "Rows of FashionMNIST images, a row for each of the ten classes, light clothes on black.",
                "Examples of each class.",
            ),
            TableBlock(
                ("Set", "Images of", "Number", "A class", "SHA-256"),
                tuple(rows),
                "What each set holds. The hash is over shape, pixels and labels; its first twelve digits are shown.",
                numeric=(2, 3),
            ),
            *(ood_set_blocks(ood_sets, ood_png) if ood_sets else ()),
        ),
        sources=(sources.XIAO_2017,),
        finding=_finding(summary),
    )


def _finding(summary: Mapping[str, Any]) -> str:
    splits = summary["splits"]
    # Where the pool is everything, the benchmark is a part of the held-out images.
    judged = [name for name in splits if name == "test" or (name != "train" and summary.get("pool") != "all")]
    others = sum(splits[name]["images"] for name in judged)
    return (
        f"All models draw their training images from {count(splits['train']['images'])} of FashionMNIST and are evaluated "
        f"on {count(others)} others."
    )


def _row(use: str, name: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
    digest = entry.get("sha256")
    return use, name, count(entry["images"]), _per_class(entry.get("per_class")), f"`{digest[:12]}`" if digest else ""


def _per_class(counts: Sequence[int] | None) -> str:
    if not counts:
        return ""
    low, high = min(counts), max(counts)
    return count(low) if low == high else f"{count(low)} to {count(high)}"


def _split_sentence(summary: Mapping[str, Any], splits: Mapping[str, Any]) -> str:
    pool = {
        "train": "The official training images are",
        "all": "The official training and test images are pooled and",
    }.get(summary.get("pool", ""), "The images are")
    train, test = splits["train"]["images"], splits["test"]["images"]
    text = (
        f"{pool} divided class by class with seed {summary.get('seed', MISSING)} into {count(train)} for training "
        f"({percent(train / (train + test))}) and {count(test)} held out ({percent(test / (train + test))})."
    )
    if "benchmark" not in splits:
        return text
    if summary.get("pool") == "all":
        return (
            f"{text} Figures on official test images are of those {count(splits['benchmark']['images'])} that fell into "
            "the held-out part. Others were trained on, so no figure here compares with published ones."
        )
    return (
        f"{text} The {count(splits['benchmark']['images'])} official test images take part in neither training nor the "
        "choice of an epoch. Published figures are measured on them, and so are ours."
    )


def _balance_sentence(splits: Mapping[str, Any], names: Sequence[str]) -> str:
    counted = {name: splits[name]["per_class"] for name in names if splits[name].get("per_class")}
    uneven = [
        f"{_SPLIT_NAMES.get(name, name)} ({_per_class(counts)} images a class)"
        for name, counts in counted.items()
        if min(counts) != max(counts)
    ]
    if uneven:
        return f"Classes differ in size in {listing(uneven)}."
    return "Within each set, every class has the same number of images."
