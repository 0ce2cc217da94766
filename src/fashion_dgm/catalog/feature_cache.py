"""The folder of known features, as a catalog entry."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from fashion_dgm.evaluation.feature_cache import FeatureCache

__all__ = ["FeatureCacheDataset"]


class FeatureCacheDataset(AbstractDataset[NoReturn, FeatureCache]):
    """Gives a node the features that were extracted before, and a place for new ones.

    Arguments:
        filepath: the folder; it may be deleted at any time.
    """

    def __init__(self, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> FeatureCache:
        return FeatureCache(self._filepath)

    def save(self, data: NoReturn) -> NoReturn:
        raise DatasetError("the feature cache is written by the node itself, while it runs")

    def _exists(self) -> bool:
        # An empty cache is one to start from, not one that some pipeline has yet to make.
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
