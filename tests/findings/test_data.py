from typing import Any

import pytest

from fashion_dgm.findings.data import data


def splits() -> dict[str, Any]:
    images = {"benchmark": 10_000, "test": 12_000, "train": 48_000}
    found = {name: {"images": n, "per_class": [n // 10] * 10, "sha256": "0f" * 32} for name, n in images.items()}
    return {"pool": "train", "seed": 0, "splits": found}


def ood_sets() -> dict[str, Any]:
    keys = ("kind", "origin", "conversion", "images", "distinct", "note")
    used = {
        "black": ("synthetic", "every pixel 0", "none", 256, 1, ""),
        "mine": ("own", "/home/me/mine", "colour to grey", 30, 30, "50.0% of the images are exact copies"),
        "mnist": ("published", "MNIST, official test images", "none", 10_000, 10_000, ""),
    }
    absent = {
        "kmnist": {"kind": "published", "origin": "KMNIST", "reason": "Put KMNIST there"},
        "damaged": {"kind": "own", "origin": "/home/me/d", "reason": "/home/me/d/a.png is damaged"},
    }
    sets = {name: dict(zip(keys, entry, strict=True), status="used", sha256="4b" * 32) for name, entry in used.items()}
    return {"max_images": 1000, "sets": sets | {name: {"status": "missing", **entry} for name, entry in absent.items()}}


def test_splits_come_in_one_order_with_their_classes() -> None:
    summary = splits()
    found = data(summary, ood_sets())
    assert list(found.splits) == ["train", "test", "benchmark"]
    assert (found.train_fraction, found.uneven) == (0.8, ())
    summary["splits"]["test"]["per_class"][0] = 1_000
    found = data(summary, ood_sets())
    assert found.uneven == ("test",)
    assert (found.splits["test"]["smallest"], found.splits["test"]["largest"]) == (1_000, 1_200)


@pytest.mark.parametrize(("pool", "evaluated"), [("train", 22_000), ("all", 12_000)])
def test_pooled_test_images_are_counted_once(pool: str, evaluated: int) -> None:
    assert data(splits() | {"pool": pool}, ood_sets()).evaluated == evaluated


def test_no_path_of_a_user_is_kept() -> None:
    found = data(splits(), ood_sets())
    assert {name: (one["origin"], one["conversion"], one["constant"]) for name, one in found.ood_sets.items()} == {
        "mnist": ("MNIST, official test images", "", False),
        "mine": ("", "colour to grey", False),
        "black": ("every pixel 0", "", True),
    }
    assert "/home" not in str(found.ood_sets)
    assert found.absent == {"kmnist": "Put KMNIST there", "damaged": "damaged/a.png is damaged"}
