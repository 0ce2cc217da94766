"""The resumable state of a training node, as a catalog entry."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from fashion_dgm.training.store import StateStore

__all__ = ["StateStoreDataset"]


class StateStoreDataset(AbstractDataset[NoReturn, StateStore]):
    """Gives a training node the store in which it saves its state while it runs, and finds it again.

    Arguments:
        filepath: the folder of the store.
    """

    def __init__(self, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> StateStore:
        return StateStore(self._filepath)

    def save(self, data: NoReturn) -> NoReturn:
        raise DatasetError("a state store is written by the training node itself, while it runs")

    def _exists(self) -> bool:
        # An empty store is one to start from, not one that some pipeline has yet to make.
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
