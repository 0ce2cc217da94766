"""What the chapter on the data says of images from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fashion_dgm.data.ood import in_order
from fashion_dgm.reporting.report import Block, FigureBlock, NoteBlock, TableBlock, TextBlock
from fashion_dgm.reporting.wording import count, dataset_name, listing, plural

__all__ = ["ood_set_blocks"]

_CONSTANT = 1


def ood_set_blocks(summary: Mapping[str, Any], examples_png: bytes | None) -> tuple[Block, ...]:
    """Tells which out-of-distribution sets there are, what was done to them, and which are not there and why.

    Arguments:
        summary: `{"max_images", "sets": {name: {"kind", "origin", "status", ...}}}`, see `data.ood.build_sets`.
        examples_png: some images of each set.
    """
    return tuple(_blocks(summary, examples_png))


def _blocks(summary: Mapping[str, Any], examples_png: bytes | None) -> Iterator[Block]:
    entries = summary["sets"]
    used = [name for name in in_order(entries) if entries[name]["status"] == "used"]
    absent = [name for name in in_order(entries) if entries[name]["status"] != "used"]
    yield TextBlock(
        (
            f"To find out what a model makes of images it was not made for, there are {plural(len(used), 'set')} of them, "
            f"all as grey bytes of 28 by 28 pixels, at most {count(summary.get('max_images'))} images of each, chosen by "
            "chance where there are more. None of them takes part in training or in any choice.",
        ),
        heading="Images from elsewhere",
    )
    if examples_png is not None:
        yield FigureBlock(
            examples_png,
            f"Rows of images: FashionMNIST first, below it {listing([dataset_name(name) for name in used])}.",
            "Images of each set, at even distances through it. The first row is what the models are made for; flips, "
            "negatives and shuffled pixels are those of such images.",
        )
    yield TableBlock(
        ("Set", "What it is, and what was done to it", "Images", "SHA-256"),
        tuple(_row(name, entries[name]) for name in used),
        "Out-of-distribution sets. Hashes as above.",
        numeric=(2,),
    )
    notes = tuple(f"{dataset_name(name)}: {entries[name]['note']}." for name in used if entries[name].get("note"))
    if notes:
        yield NoteBlock("Not from elsewhere", notes)
    if absent:
        yield TextBlock(
            (
                "These were asked for and could not be had. The others don't depend on them.",
                *(f"{dataset_name(name)}: {entries[name]['reason']}" for name in absent),
            ),
            heading="Sets that are not there",
        )


def _row(name: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
    what = [part for part in (entry["origin"], entry["conversion"]) if part != "none"]
    if entry.get("distinct") == _CONSTANT < entry["images"]:
        images = f"{count(entry['images'])}, all alike"
    else:
        images = count(entry["images"])
    return dataset_name(name), "; ".join(what), images, f"`{entry['sha256'][:12]}`"
