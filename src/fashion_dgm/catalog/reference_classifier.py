"""The classifier that comes with the package, as a catalog entry."""

from __future__ import annotations

from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from fashion_dgm.checkpoint import Checkpoint
from fashion_dgm.classifier.reference import reference_checkpoint

__all__ = ["ReferenceClassifierDataset"]


class ReferenceClassifierDataset(AbstractDataset[NoReturn, Checkpoint]):
    """The shipped weights, checked by their hash; read-only."""

    def __init__(self, metadata: dict[str, Any] | None = None) -> None:
        self.metadata = metadata

    def load(self) -> Checkpoint:
        return reference_checkpoint()

    def save(self, data: NoReturn) -> NoReturn:
        raise DatasetError("the reference classifier comes with the package; one of your own is saved as `classifier`")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {}
