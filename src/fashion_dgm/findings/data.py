"""Which images a run has: how FashionMNIST was split, and which OOD sets there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fashion_dgm.data.ood import in_order

__all__ = ["DataFindings", "OODSource", "Split", "data"]

_SPLITS = ("train", "test", "benchmark")


@dataclass(frozen=True)
class Split:
    """A split, with its smallest and largest class; None where classes were not counted."""

    name: str
    images: int
    smallest: int | None
    largest: int | None
    sha256: str


@dataclass(frozen=True)
class OODSource:
    """An OOD set that is used.

    Arguments:
        origin: where it comes from; empty for a user's own images, whose path is nobody's business.
        conversion: what was done to its images; empty where that is nothing.
        constant: whether it is one image many times.
        note: what one should know of it, such as copies of training images; empty where that is nothing.
    """

    name: str
    origin: str
    conversion: str
    images: int
    constant: bool
    note: str
    sha256: str


@dataclass(frozen=True)
class DataFindings:
    """All images of a run.

    Arguments:
        pool: `train` if the official training images were split, `all` if the official test images were pooled with them.
        train_fraction: of training images, among these and the held-out ones.
        evaluated: on how many images models are evaluated.
        uneven: splits whose classes differ in size.
        max_images: of an OOD set.
        absent: OOD sets that are not available, with the reason.
    """

    pool: str
    seed: int
    splits: tuple[Split, ...]
    train_fraction: float
    evaluated: int
    uneven: tuple[Split, ...]
    max_images: int
    ood_sets: tuple[OODSource, ...]
    absent: Mapping[str, str]

    def split(self, name: str) -> Split | None:
        """Returns a split; None where there is none of that name."""
        return next((split for split in self.splits if split.name == name), None)


def data(summary: Mapping[str, Any], ood_sets: Mapping[str, Any]) -> DataFindings:
    """Concludes from `metrics["data"]` and from `metrics["ood_sets"]`, as `fashion_dgm.data.ood.build_sets` returns it."""
    found = summary["splits"]
    splits = tuple(_split(name, found[name]) for name in _SPLITS if name in found)
    # Where the pool is everything, the official test images are a part of the held-out ones.
    evaluated = ("test",) if summary["pool"] == "all" else ("test", "benchmark")
    train, test = (found[name]["images"] for name in ("train", "test"))
    entries = ood_sets["sets"]
    return DataFindings(
        pool=summary["pool"],
        seed=summary["seed"],
        splits=splits,
        train_fraction=train / (train + test),
        evaluated=sum(split.images for split in splits if split.name in evaluated),
        uneven=tuple(split for split in splits if split.smallest != split.largest),
        max_images=ood_sets["max_images"],
        ood_sets=tuple(_source(name, entries[name]) for name in in_order(entries) if _is_used(entries[name])),
        absent={name: _reason(name, entries[name]) for name in in_order(entries) if not _is_used(entries[name])},
    )


def _split(name: str, found: Mapping[str, Any]) -> Split:
    counts = found.get("per_class") or ()
    return Split(name, found["images"], min(counts, default=None), max(counts, default=None), found.get("sha256", ""))


def _source(name: str, entry: Mapping[str, Any]) -> OODSource:
    return OODSource(
        name=name,
        origin="" if entry["kind"] == "own" else entry["origin"],
        conversion="" if entry["conversion"] == "none" else entry["conversion"],
        images=entry["images"],
        constant=entry["distinct"] == 1 < entry["images"],
        note=entry["note"],
        sha256=entry["sha256"],
    )


def _is_used(entry: Mapping[str, Any]) -> bool:
    return bool(entry["status"] == "used")


def _reason(name: str, entry: Mapping[str, Any]) -> str:
    reason = str(entry["reason"])
    return reason.replace(entry["origin"], name) if entry["kind"] == "own" else reason
