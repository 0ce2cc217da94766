"""All out-of-distribution sets that the parameters name, each on its own: what is wrong with one costs no other."""

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashion_dgm.config.data import OODSetsConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.data.ood import synthetic
from fashion_dgm.data.ood.chance import choose
from fashion_dgm.data.ood.folder import read_folder
from fashion_dgm.data.ood.published import DIGITS_CONVERSION, PUBLISHED_SETS, FileMissing, load_digits
from fashion_dgm.data.ood.transforms import TRANSFORMS
from fashion_dgm.data.raw_sets import RAW_SETS
from fashion_dgm.errors import FashionDGMError

__all__ = ["Fetch", "build_sets", "check_names", "in_order", "partners_of"]

_KINDS = ("published", "own", "transform", "synthetic")

Fetch = Callable[[], "NDArray[np.uint8]"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Candidate:
    """A set yet to be made: `make` gives images `(N, 1, 28, 28)` and what was done to them, or raises."""

    kind: str
    origin: str
    make: Callable[[], tuple[NDArray[np.uint8], str]]


def build_sets(
    train: ImageSet, benchmark: ImageSet, other: ImageSet, published: Mapping[str, Fetch], config: OODSetsConfig
) -> tuple[dict[str, ImageSet], dict[str, Any]]:
    """Makes every out-of-distribution set that can be made, and reports the outcome of each.

    Arguments:
        train: what models learn from; copies of its images are counted.
        benchmark: in-distribution images, which the transforms start from; transforms carry their name.
        other: official test images of a set of `RAW_SETS` that is not the in-distribution one.
        published: gives the images of each other published set, uint8 `(N, 1, 28, 28)`, or raises `FashionDGMError`.
        config: which sets, and of how many images at most.

    Returns:
        The sets by name, labels 0 where there are none; and `{"seed", "max_images", "sets": {name: {"kind", "origin",
        "status", ...}}}`. With status `used` an entry has `images`, `distinct`, `sha256`, `conversion`, `in_train` and
        `in_benchmark` (fractions of exact copies) and `note`; with `missing` (a file that cannot be fetched) or `skipped`
        (a user's set with a mistake in it) it has `reason`; what the network said is in the log alone. `made_from` is the
        number of benchmark images of which a transform's were chosen, as `partners_of` takes it.

    Raises:
        FashionDGMError: if not one set is left, the in-distribution set is named among them, or as `check_names`.
    """
    check_names(config)
    if benchmark.name in config.published:
        raise FashionDGMError(f"{benchmark.name} is in distribution: it cannot be an out-of-distribution set, too")
    known = {"train": set(_hashes(train)), "benchmark": set(_hashes(benchmark))}
    sets: dict[str, ImageSet] = {}
    entries: dict[str, dict[str, Any]] = {}
    for name, candidate in _candidates(train, benchmark, other, published, config).items():
        entry = {"kind": candidate.kind, "origin": candidate.origin}
        try:
            images, conversion = candidate.make()
            sets[name] = ImageSet(images, np.zeros(len(images), dtype=np.uint8), name)
        except FashionDGMError as error:
            status = "missing" if isinstance(error, FileMissing) else "skipped"
            reason = error.reason if isinstance(error, FileMissing) else str(error)
            entries[name] = {**entry, "status": status, "reason": reason}
            logger.warning("out-of-distribution set %s is %s: %s", name, status, error)
        else:
            facts = _facts(name, sets[name], conversion, known)
            made_from = {"made_from": len(benchmark)} if candidate.kind == "transform" else {}
            entries[name] = {**entry, "status": "used", **facts, **made_from}
    if not sets:
        reasons = "".join(f"\n  {name}: {entry['reason']}" for name, entry in entries.items()) or " none is named"
        raise FashionDGMError(f"ood_sets leaves no out-of-distribution set:{reasons}")
    return sets, {"seed": config.seed, "max_images": config.max_images, "sets": entries}


def check_names(config: OODSetsConfig) -> None:
    """Refuses what depends on which transforms there are.

    Raises:
        FashionDGMError: if there is no transform of a name, or a folder has the name of a transformed set.
    """
    for name in config.transforms:
        if name not in TRANSFORMS:
            raise FashionDGMError(
                f"there is no transform {name!r}; ood_sets.transforms may name {', '.join(TRANSFORMS)}"
            )
    taken = sorted({f"{of}_{name}" for of in RAW_SETS for name in TRANSFORMS} & set(config.folders))
    if taken:
        raise FashionDGMError(
            f"{', '.join(taken)} is already the name of one of the project's sets; choose another name"
        )


def partners_of(summary: Mapping[str, Any], name: str) -> NDArray[np.int64] | None:
    """Returns of each image of a set which benchmark image it was made from, `(N,)`; None for sets of other images.

    Arguments:
        summary: as `build_sets` returns it.
        name: of the set.
    """
    made_from = summary.get("sets", {}).get(name, {}).get("made_from")
    return None if made_from is None else choose(made_from, summary["max_images"], summary["seed"])


def in_order(entries: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The names of a summary's sets in the order of tables and figures: by kind, then by name."""
    return sorted(entries, key=lambda name: (_KINDS.index(entries[name]["kind"]), name))


def _candidates(
    train: ImageSet, benchmark: ImageSet, other: ImageSet, published: Mapping[str, Fetch], config: OODSetsConfig
) -> dict[str, _Candidate]:
    most, seed = config.max_images, config.seed

    def some(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return images[choose(len(images), most, seed)]

    def fetched(name: str) -> _Candidate:
        if name == other.name:
            origin, conversion, get = _official(name), "none", lambda: other.images
        elif name == "digits":
            origin, conversion, get = "scikit-learn's handwritten digits", DIGITS_CONVERSION, load_digits
        else:
            title, conversion, get = PUBLISHED_SETS[name].title, PUBLISHED_SETS[name].conversion, published[name]
            origin = f"{title}, official test images"
        return _Candidate("published", origin, lambda: (some(get()), conversion))

    def transformed(name: str) -> _Candidate:
        conversion, apply = TRANSFORMS[name].conversion, TRANSFORMS[name].apply
        return _Candidate(
            "transform", _official(benchmark.name), lambda: (apply(some(benchmark.images), seed), conversion)
        )

    def synthesised(name: str) -> _Candidate:
        return _Candidate(
            "synthetic",
            synthetic.HOW[name],
            lambda: (some(synthetic.synthesise(name, most, train.images, seed)), "none"),
        )

    return {
        **{name: fetched(name) for name in config.published},
        **{f"{benchmark.name}_{name}": transformed(name) for name in config.transforms},
        **{name: synthesised(name) for name in config.synthetic},
        **{name: _Candidate("own", path, partial(_own, path, most, seed)) for name, path in config.folders.items()},
    }


def _own(path: str, most: int, seed: int) -> tuple[NDArray[np.uint8], str]:
    images, conversion = read_folder(path, most, seed)
    return images[choose(len(images), most, seed)], conversion.describe()


def _official(name: str) -> str:
    return f"{RAW_SETS[name].title if name in RAW_SETS else name}, official test images"


def _hashes(images: ImageSet) -> list[bytes]:
    """A hash of the pixels of each image."""
    return [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images.images]


def _facts(name: str, images: ImageSet, conversion: str, known: Mapping[str, set[bytes]]) -> dict[str, Any]:
    each = _hashes(images)
    copies = {split: sum(image in those for image in each) / len(each) for split, those in known.items()}
    note = "; ".join(
        f"{fraction:.1%} of the images are exact copies of images of {split}: AUROC near 0.5 is expected of these"
        for split, fraction in copies.items()
        if fraction > 0
    )
    if note:
        logger.warning("out-of-distribution set %s: %s", name, note)
    return {
        "images": len(images),
        "distinct": len(set(each)),
        "sha256": images.sha256,
        "conversion": conversion,
        **{f"in_{split}": fraction for split, fraction in copies.items()},
        "note": note,
    }
