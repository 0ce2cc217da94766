"""Datasets that may not have been made."""

from __future__ import annotations

from pathlib import Path

import pytest

from fashion_dgm.catalog.optional import (
    OptionalCheckpointDataset,
    OptionalCSVDataset,
    OptionalFigureDataset,
    OptionalJSONDataset,
    OptionalSnapshotsDataset,
)
from fashion_dgm.checkpoint import CheckpointError
from fashion_dgm.registry import build_model


def test_what_was_never_made_is_none_and_does_not_exist(tmp_path: Path) -> None:
    for make in (
        OptionalCSVDataset,
        OptionalCheckpointDataset,
        OptionalFigureDataset,
        OptionalJSONDataset,
        OptionalSnapshotsDataset,
    ):
        dataset = make(filepath=str(tmp_path / "absent"))
        assert dataset.load() is None
        assert not dataset.exists()


def test_a_model_that_was_never_made_is_asked_for_in_words(tmp_path: Path) -> None:
    checkpoint = OptionalCheckpointDataset(filepath=str(tmp_path / "absent.safetensors")).load()
    with pytest.raises(CheckpointError, match="run the pipeline that trains it"):
        build_model(checkpoint, "RealNVP")


def test_what_was_made_is_loaded(tmp_path: Path) -> None:
    dataset = OptionalJSONDataset(filepath=str(tmp_path / "metrics.json"))
    dataset.save({"auroc": 0.5})
    assert dataset.exists()
    assert dataset.load() == {"auroc": 0.5}
