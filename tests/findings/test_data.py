from __future__ import annotations

from typing import Any

import pytest

from fashion_dgm.findings.data import data

SETS = {
    "black": {"kind": "synthetic", "origin": "every pixel 0", "conversion": "none", "images": 256, "distinct": 1},
    "mine": {"kind": "own", "origin": "/home/me/mine", "conversion": "colour to grey", "images": 30, "distinct": 30},
}


@pytest.fixture
def summary() -> dict[str, Any]:
    images = {"benchmark": 10_000, "test": 12_000, "train": 48_000}
    splits = {name: {"images": n, "per_class": [n // 10] * 10, "sha256": "0f" * 32} for name, n in images.items()}
    return {"pool": "train", "seed": 0, "splits": splits}


@pytest.fixture
def ood_sets() -> dict[str, Any]:
    used = {"status": "used", "note": "", "sha256": "4b" * 32}
    absent = {
        "kmnist": {"kind": "published", "origin": "KMNIST", "status": "missing", "reason": "Put KMNIST there"},
        "damaged": {
            "kind": "own",
            "origin": "/home/me/d",
            "status": "skipped",
            "reason": "/home/me/d/a.png is damaged",
        },
    }
    return {"max_images": 1000, "sets": {name: used | entry for name, entry in SETS.items()} | absent}


def test_splits_come_in_one_order_with_their_classes(summary: dict[str, Any], ood_sets: dict[str, Any]) -> None:
    found = data(summary, ood_sets)
    assert [split.name for split in found.splits] == ["train", "test", "benchmark"]
    assert (found.train_fraction, found.uneven) == (0.8, ())
    summary["splits"]["test"]["per_class"][0] = 1_000
    assert [(split.smallest, split.largest) for split in data(summary, ood_sets).uneven] == [(1_000, 1_200)]


def test_pooled_test_images_are_counted_once(summary: dict[str, Any], ood_sets: dict[str, Any]) -> None:
    assert data(summary, ood_sets).evaluated == 22_000
    assert data(summary | {"pool": "all"}, ood_sets).evaluated == 12_000


def test_no_path_of_a_user_is_kept(summary: dict[str, Any], ood_sets: dict[str, Any]) -> None:
    found = data(summary, ood_sets)
    assert [(one.name, one.origin, one.conversion, one.constant) for one in found.ood_sets] == [
        ("mine", "", "colour to grey", False),
        ("black", "every pixel 0", "", True),
    ]
    assert found.absent == {"kmnist": "Put KMNIST there", "damaged": "damaged/a.png is damaged"}
