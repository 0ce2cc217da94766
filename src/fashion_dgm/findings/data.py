"""Which images a run has: how FashionMNIST was split, and which OOD sets there are."""

from collections.abc import Mapping
from dataclasses import dataclass

from fashion_dgm.data.ood import in_order
from fashion_dgm.findings.row import Row

__all__ = ["DataFindings", "data"]

_SPLITS = ("train", "test", "benchmark")


@dataclass(frozen=True)
class DataFindings:
    """All images of a run.

    Arguments:
        pool: `train` if the official training images were split, `all` if the official test images were pooled with
            them.
        splits: by name, with the sizes of the `smallest` and `largest` class; None where classes were not counted.
        train_fraction: of training images, among these and the held-out ones.
        evaluated: on how many images models are evaluated.
        uneven: splits whose classes differ in size.
        max_images: of an OOD set.
        ood_sets: those that are used, by name, `constant` if one image many times. `origin`, `conversion` and `note`
            are empty where there is nothing to say, and so is the origin of a user's own images, whose path is nobody's
            business.
        absent: OOD sets that are not available, with the reason.
    """

    pool: str
    seed: int
    splits: Mapping[str, Row]
    train_fraction: float
    evaluated: int
    uneven: tuple[str, ...]
    max_images: int
    ood_sets: Mapping[str, Row]
    absent: Mapping[str, str]


def data(summary: Row, ood_sets: Row) -> DataFindings:
    """Concludes from `metrics["data"]` and from `metrics["ood_sets"]`, as `fashion_dgm.data.ood.build_sets` returns it."""
    splits = {name: _split(summary["splits"][name]) for name in _SPLITS if name in summary["splits"]}
    # Where the pool is everything, the official test images are a part of the held-out ones.
    evaluated = ("test",) if summary["pool"] == "all" else ("test", "benchmark")
    train, test = (splits[name]["images"] for name in ("train", "test"))
    entries = {name: ood_sets["sets"][name] for name in in_order(ood_sets["sets"])}
    return DataFindings(
        pool=summary["pool"],
        seed=summary["seed"],
        splits=splits,
        train_fraction=train / (train + test),
        evaluated=sum(splits[name]["images"] for name in evaluated if name in splits),
        uneven=tuple(name for name, split in splits.items() if split["smallest"] != split["largest"]),
        max_images=ood_sets["max_images"],
        ood_sets={name: _source(entry) for name, entry in entries.items() if entry["status"] == "used"},
        absent={name: _reason(name, entry) for name, entry in entries.items() if entry["status"] != "used"},
    )


def _split(found: Row) -> Row:
    counts = found.get("per_class") or ()
    sizes = {"smallest": min(counts, default=None), "largest": max(counts, default=None)}
    return {"images": found["images"], "sha256": found.get("sha256", ""), **sizes}


def _source(entry: Row) -> Row:
    return {
        "origin": "" if entry["kind"] == "own" else entry["origin"],
        "conversion": "" if entry["conversion"] == "none" else entry["conversion"],
        "constant": entry["distinct"] == 1 < entry["images"],
        **{name: entry[name] for name in ("images", "note", "sha256")},
    }


def _reason(name: str, entry: Row) -> str:
    reason = str(entry["reason"])
    return reason.replace(entry["origin"], name) if entry["kind"] == "own" else reason
