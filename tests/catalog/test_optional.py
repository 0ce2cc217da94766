"""Datasets that may not have been made."""

from __future__ import annotations

from pathlib import Path

from fashion_dgm.catalog.optional import (
    OptionalCSVDataset,
    OptionalFigureDataset,
    OptionalJSONDataset,
    OptionalSnapshotsDataset,
)


def test_what_was_never_made_is_none_and_does_not_exist(tmp_path: Path) -> None:
    for make in (OptionalCSVDataset, OptionalFigureDataset, OptionalJSONDataset, OptionalSnapshotsDataset):
        dataset = make(filepath=str(tmp_path / "absent"))
        assert dataset.load() is None
        assert not dataset.exists()


def test_what_was_made_is_loaded(tmp_path: Path) -> None:
    dataset = OptionalJSONDataset(filepath=str(tmp_path / "metrics.json"))
    dataset.save({"auroc": 0.5})
    assert dataset.exists()
    assert dataset.load() == {"auroc": 0.5}
