import dataclasses
import io
import random
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from tests.damage import DAMAGES, Damage

from fashion_dgm.evaluation import feature_cache
from fashion_dgm.evaluation.feature_cache import FeatureCache
from fashion_dgm.evaluation.features import FeatureSpace

CPU = torch.device("cpu")
IMAGES = np.random.default_rng(0).integers(256, size=(6, 1, 28, 28)).astype(np.uint8)


@pytest.fixture
def space() -> FeatureSpace:
    """A feature space that counts how often it is asked."""
    return FeatureSpace("classifier", "", "last", 28, "00", Mock(side_effect=lambda images: images.mean(dim=(1, 2))))


def features(space: FeatureSpace, folder: Path | None, images: np.ndarray = IMAGES) -> np.ndarray:
    return FeatureCache(folder).features(space, np.ascontiguousarray(images), CPU, 100)


@pytest.mark.parametrize("kept", [True, False])
def test_features_are_extracted_once_where_there_is_a_folder(space: FeatureSpace, tmp_path: Path, kept: bool) -> None:
    first, second = (features(space, tmp_path if kept else None) for _ in range(2))
    assert space.extract.call_count == (1 if kept else 2)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, space(torch.from_numpy(IMAGES), CPU, 100))


def test_nothing_is_stale(space: FeatureSpace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = IMAGES.copy()
    changed[0, 0, 0, 0] ^= 1
    cases = [(space, images) for images in (IMAGES, changed, IMAGES[:5], IMAGES[::-1])]
    changes = ({"weights_sha256": "01"}, {"layer": "other"}, {"name": "inception"})
    cases += [(dataclasses.replace(space, **change), IMAGES) for change in changes]
    for one, images in cases:
        np.testing.assert_allclose(features(one, tmp_path, images), images.mean(axis=(1, 2)) / 255, rtol=1e-5)
    assert space.extract.call_count == len(cases) == len(list(tmp_path.iterdir()))
    monkeypatch.setattr(feature_cache, "code_version", lambda *packages: "another")
    features(space, tmp_path)
    assert space.extract.call_count == len(cases) + 1


def pickled(data: bytes, rng: random.Random) -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    return file.getvalue()


@pytest.mark.parametrize("damage", [*DAMAGES.values(), pickled], ids=[*DAMAGES, "pickled"])
def test_damaged_features_are_made_anew_and_pickles_are_not_loaded(
    space: FeatureSpace, tmp_path: Path, damage: Damage
) -> None:
    rng, expected = random.Random(0), features(space, tmp_path)
    (path,) = tmp_path.iterdir()
    for _ in range(20):
        path.write_bytes(damage(path.read_bytes(), rng))
        np.testing.assert_array_equal(features(space, tmp_path), expected)
    calls = space.extract.call_count
    assert calls > 10
    features(space, tmp_path)
    assert space.extract.call_count == calls


@pytest.mark.parametrize(("denied", "message"), [("r", "are extracted anew"), ("w", "are not kept for the next run")])
def test_a_folder_that_cannot_be_used_is_a_warning(
    space: FeatureSpace,
    tmp_path: Path,
    denied: str,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if denied == "r":
        features(space, tmp_path)
    original = Path.open

    def opened(self: Path, mode: str = "r", *args: Any, **options: Any) -> Any:
        # Python files are read for the version of the code.
        if denied in mode and self.suffix != ".py":
            raise PermissionError(13, "Permission denied", self)
        return original(self, mode, *args, **options)

    monkeypatch.setattr(Path, "open", opened)
    np.testing.assert_array_equal(features(space, tmp_path), space(torch.from_numpy(IMAGES), CPU, 100))
    assert message in caplog.text and "Permission denied" in caplog.text and "damaged" not in caplog.text
