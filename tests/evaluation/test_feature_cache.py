import dataclasses
import io
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.damage import DAMAGES, Damage

from fashion_dgm.evaluation import feature_cache
from fashion_dgm.evaluation.feature_cache import FeatureCache
from fashion_dgm.evaluation.features import FeatureSpace

CPU = torch.device("cpu")
IMAGES = np.random.default_rng(0).integers(256, size=(6, 1, 28, 28)).astype(np.uint8)


class Counting:
    """A feature space that counts how often it is asked."""

    def __init__(self) -> None:
        self.calls = 0
        self.space = FeatureSpace("classifier", "", "last", 28, "00", self.extract)

    def extract(self, images: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return images.mean(dim=(1, 2))


def test_features_are_extracted_once(tmp_path: Path) -> None:
    counting = Counting()
    first = FeatureCache(tmp_path).features(counting.space, IMAGES, CPU, 100)
    second = FeatureCache(tmp_path).features(counting.space, IMAGES, CPU, 100)
    assert counting.calls == 1
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, counting.space(torch.from_numpy(IMAGES), CPU, 100))


def test_nothing_is_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting()
    cache = FeatureCache(tmp_path)
    changed = IMAGES.copy()
    changed[0, 0, 0, 0] ^= 1
    cases = [
        (counting.space, IMAGES),
        (counting.space, changed),
        (counting.space, IMAGES[:5]),
        (counting.space, IMAGES[::-1]),
        (dataclasses.replace(counting.space, weights_sha256="01"), IMAGES),
        (dataclasses.replace(counting.space, layer="other"), IMAGES),
        (dataclasses.replace(counting.space, name="inception"), IMAGES),
    ]
    for space, images in cases:
        found = cache.features(space, np.ascontiguousarray(images), CPU, 100)
        np.testing.assert_allclose(found, images.mean(axis=(1, 2)) / 255, rtol=1e-5)
    assert counting.calls == len(cases) == len(list(tmp_path.iterdir()))
    monkeypatch.setattr(feature_cache, "code_version", lambda *packages: "another")
    cache.features(counting.space, IMAGES, CPU, 100)
    assert counting.calls == len(cases) + 1


def pickled(data: bytes, rng: random.Random) -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    return file.getvalue()


@pytest.mark.parametrize("damage", [*DAMAGES.values(), pickled], ids=[*DAMAGES, "pickled"])
def test_damaged_features_are_made_anew_and_pickles_are_not_loaded(tmp_path: Path, damage: Damage) -> None:
    counting, rng = Counting(), random.Random(0)
    expected = FeatureCache(tmp_path).features(counting.space, IMAGES, CPU, 100)
    (path,) = tmp_path.iterdir()
    for _ in range(20):
        path.write_bytes(damage(path.read_bytes(), rng))
        np.testing.assert_array_equal(FeatureCache(tmp_path).features(counting.space, IMAGES, CPU, 100), expected)
    calls = counting.calls
    assert calls > 10
    FeatureCache(tmp_path).features(counting.space, IMAGES, CPU, 100)
    assert counting.calls == calls


@pytest.mark.parametrize(("denied", "message"), [("r", "are extracted anew"), ("w", "are not kept for the next run")])
def test_a_folder_that_cannot_be_used_is_a_warning(
    tmp_path: Path, denied: str, message: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    counting = Counting()
    if denied == "r":
        FeatureCache(tmp_path).features(counting.space, IMAGES, CPU, 100)
    original = Path.open

    def opened(self: Path, mode: str = "r", *args: Any, **options: Any) -> Any:
        # Python files are read for the version of the code.
        if denied in mode and self.suffix != ".py":
            raise PermissionError(13, "Permission denied", self)
        return original(self, mode, *args, **options)

    monkeypatch.setattr(Path, "open", opened)
    found = FeatureCache(tmp_path).features(counting.space, IMAGES, CPU, 100)
    np.testing.assert_array_equal(found, counting.space(torch.from_numpy(IMAGES), CPU, 100))
    assert message in caplog.text and "Permission denied" in caplog.text and "damaged" not in caplog.text


def test_without_a_folder_nothing_is_kept() -> None:
    counting = Counting()
    for _ in range(2):
        FeatureCache(None).features(counting.space, IMAGES, CPU, 100)
    assert counting.calls == 2
