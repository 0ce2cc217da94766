"""Files as catalog entries: local ones are written atomically, and `versioned: true` and fsspec's protocols work.

The datasets of kedro-datasets write in place, so that a run that is killed leaves half a file, and their JSON may hold NaN.

No load gives what differs from what was saved. Checkpoints and image sets have checksums inside; of the other files
the SHA-256 is kept in the folder `.sha256` next to them, and a load without it is one without a check.
"""

from __future__ import annotations

import base64
import hashlib
import inspect
import io
import json
from abc import abstractmethod
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import fsspec
from fsspec.implementations.local import LocalFileSystem
from kedro.io import AbstractDataset, AbstractVersionedDataset, DatasetError, Version
from kedro_datasets._typing import ImagePreview, JSONPreview, TablePreview

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.files import DAMAGED, unreadable, write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from fashion_dgm.checkpoint import Checkpoint

__all__ = [
    "AnimationDataset",
    "CSVDataset",
    "CheckpointDataset",
    "FigureDataset",
    "FileDataset",
    "HashedFileDataset",
    "JSONDataset",
    "StoredDataset",
    "TextDataset",
    "loaded",
]

In = TypeVar("In")
Out = TypeVar("Out")


def loaded(dataset: AbstractDataset[Any, Out]) -> Out:
    """Loads a dataset for code that Kedro does not run, and that handles errors of the library alone.

    Raises:
        FashionDGMError: what Kedro's `DatasetError` was caused by.
        DatasetError: if that is no such error.
    """
    try:
        return dataset.load()
    except DatasetError as error:
        cause = error.__cause__
        if not isinstance(cause, FashionDGMError):
            raise
    # Not above, where each would have the other as its context.
    raise cause


class WrappedOnce:
    """Lets Kedro, which wraps the methods of every subclass, wrap inherited ones once; to be named before its class.

    Around a wrapped `__init__` it would see the arguments `*args, **kwargs`, which `catalog.to_config()` and
    `kedro catalog resolve-patterns` then miss. Around a wrapped `save` each wrapper would choose a version of its own.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        for method in ("__init__", "save"):
            setattr(cls, method, inspect.unwrap(getattr(cls, method)))
        super().__init_subclass__(**kwargs)


class ChangedError(FashionDGMError):
    """A file is not what was saved."""


class StoredDataset(WrappedOnce, AbstractVersionedDataset[In, Out]):
    """Base of all that lies in a file or folder.

    Arguments:
        filepath: where, on this machine or with a protocol of fsspec's, such as `memory://` or `s3://`.
        load_args: options of reading, where there are any.
        save_args: options of writing, where there are any.
        version: made by Kedro of `versioned: true`.
        credentials: for the file system.
        fs_args: options of the file system.
        metadata: for plugins; Kedro itself ignores it.
    """

    LOAD_ARGS: ClassVar[dict[str, Any]] = {}
    SAVE_ARGS: ClassVar[dict[str, Any]] = {}

    def __init__(
        self,
        *,
        filepath: str,
        load_args: dict[str, Any] | None = None,
        save_args: dict[str, Any] | None = None,
        version: Version | None = None,
        credentials: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._load_args = self.LOAD_ARGS | (load_args or {})
        self._save_args = self.SAVE_ARGS | (save_args or {})
        self._fs_args = (credentials or {}) | (fs_args or {})
        # Not by Kedro's function, for which memory://a/file and memory://b/file are the same.
        self._fs, path = fsspec.url_to_fs(str(filepath), **self._fs_args)
        self._is_local = isinstance(self._fs, LocalFileSystem)
        self.metadata = metadata
        super().__init__(PurePosixPath(path), version, self._is_there, self._fs.glob)

    @property
    def local_path(self) -> Path | None:
        """The file or folder that a load would read, if it is on this machine and was saved."""
        return Path(self._get_load_path()) if self._is_local and self.exists() else None

    @abstractmethod
    def _is_there(self, path: str) -> bool:
        """Whether the file or folder, or a version of it, was saved."""

    def _exists(self) -> bool:
        return self._is_there(str(self._get_load_path()))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "version": self._version}


class FileDataset(StoredDataset[In, Out]):
    """Base of single files: a subclass turns data into bytes, and bytes into data."""

    CONTENT: ClassVar[str]
    """What the file holds, as errors have it."""

    @abstractmethod
    def encode(self, data: In) -> bytes:
        """Returns what is written; equal data are equal bytes."""

    @abstractmethod
    def decode(self, content: bytes) -> Out:
        """Returns what a load gives."""

    def load(self) -> Out:
        """Reads the file.

        Raises:
            DatasetError: caused by a `FashionDGMError` if the file is missing, unreadable, damaged or of another kind.
        """
        path = self._get_load_path()
        try:
            return self.decode(self._get(path))
        except FileNotFoundError as error:
            raise FashionDGMError(f"{path} does not exist: run the pipeline that makes it first") from error
        except ChangedError:
            raise
        except (PermissionError, IsADirectoryError) as error:
            raise FashionDGMError(unreadable(path, error)) from error
        except (FashionDGMError, *DAMAGED) as error:
            raise FashionDGMError(
                f"{path} is damaged or not {self.CONTENT}: {error}. Delete it and run the pipeline that makes it again."
            ) from error

    def save(self, data: In) -> None:
        """Replaces the file in one step.

        Raises:
            DatasetError: caused by a `FashionDGMError` if a local file cannot be written; the old one is then still there.
        """
        self._put(self._get_save_path(), self.encode(data))

    def _is_there(self, path: str) -> bool:
        return self._fs.isfile(path)

    def _get(self, path: PurePosixPath) -> bytes:
        return self._fs.cat_file(str(path))

    def _put(self, path: PurePosixPath, content: bytes) -> None:
        """Replaces a file, in one step if it is on this machine."""
        if self._is_local:
            write_bytes(Path(path), content)
        else:
            self._fs.pipe_file(str(path), content)
            self._fs.invalidate_cache(str(path))


class HashedFileDataset(FileDataset[In, Out]):
    """Base of files without checksums inside."""

    def _get(self, path: PurePosixPath) -> bytes:
        """Reads a file and compares it with its hash, if there is one.

        Raises:
            ChangedError: if they differ.
        """
        # Another process may save the file between the two reads, but hardly twice.
        for _ in range(2):
            content, hashes = super()._get(path), self._hashes(path)
            if not hashes or hashlib.sha256(content).hexdigest().encode() in hashes:
                return content
        raise ChangedError(
            f"{path} has changed since it was saved: its SHA-256 is not the one in {_hash_of(path)}. If you "
            f"edited it on purpose, delete {_hash_of(path)}. If not, delete {path} and run its pipeline again."
        )

    def _put(self, path: PurePosixPath, content: bytes) -> None:
        """Replaces a file and its hash; in between, the hash of either is right, so that a kill leaves no file refused."""
        line = f"{hashlib.sha256(content).hexdigest()}  {path.name}\n".encode()
        place, before = _hash_of(path), self._hashes(path)
        if before and before != line:
            super()._put(place, line + before)
        super()._put(path, content)
        if before != line:
            super()._put(place, line)

    def _hashes(self, path: PurePosixPath) -> bytes:
        try:
            return self._fs.cat_file(str(_hash_of(path)))
        except FileNotFoundError:
            return b""


def _hash_of(path: PurePosixPath) -> PurePosixPath:
    """The file with the hash of another, as `sha256sum --check` reads it."""
    return path.parent / ".sha256" / path.name


class CSVDataset(HashedFileDataset["DataFrame", "DataFrame"]):
    """A table; `load_args` are those of `pandas.read_csv`, `save_args` those of `DataFrame.to_csv`."""

    CONTENT = "a table"
    # Only an empty cell is missing: a set of images may be called nan or null.
    LOAD_ARGS: ClassVar = {"keep_default_na": False, "na_values": [""]}
    SAVE_ARGS: ClassVar = {"index": False}

    def encode(self, data: DataFrame) -> bytes:
        return data.to_csv(**self._save_args).encode()

    def decode(self, content: bytes) -> DataFrame:
        import pandas as pd

        return pd.read_csv(io.BytesIO(content), **self._load_args)

    def preview(self, nrows: int = 5) -> TablePreview:
        """Returns the first rows for Kedro-Viz."""
        return TablePreview(self.load().head(nrows).to_dict(orient="split"))


class JSONDataset(HashedFileDataset[Any, Any]):
    """Metrics as JSON, sorted by name; NaN and infinity, which JSON cannot represent, are refused."""

    CONTENT = "JSON"
    SAVE_ARGS: ClassVar = {"indent": 2, "sort_keys": True, "allow_nan": False}

    def encode(self, data: Any) -> bytes:
        return json.dumps(data, **self._save_args).encode()

    def decode(self, content: bytes) -> Any:
        return json.loads(content)

    def preview(self) -> JSONPreview:
        """Returns all of it for Kedro-Viz."""
        return JSONPreview(json.dumps(self.load()))


class TextDataset(HashedFileDataset[str, str]):
    """A text such as the report, as UTF-8."""

    CONTENT = "a text"

    def encode(self, data: str) -> bytes:
        return data.encode()

    def decode(self, content: bytes) -> str:
        return content.decode()


class PictureDataset(HashedFileDataset[In, bytes]):
    """Base of pictures, which load as the bytes of their file."""

    CONTENT = "a picture"

    def decode(self, content: bytes) -> bytes:
        return content

    def preview(self) -> ImagePreview:
        """Returns the picture for Kedro-Viz, where an animation plays."""
        return ImagePreview(base64.b64encode(self.load()).decode())


class AnimationDataset(PictureDataset[bytes]):
    """The bytes of a GIF, which browsers, MLflow and most viewers of pictures play."""

    def encode(self, data: bytes) -> bytes:
        return data


class FigureDataset(PictureDataset["Figure"]):
    """Saves a matplotlib figure as PNG; `save_args` may have `dpi`, the pixels per inch."""

    SAVE_ARGS: ClassVar = {"dpi": 200}  # sharp on any screen

    def encode(self, data: Figure) -> bytes:
        from fashion_dgm.reporting.style import to_png

        return to_png(data, **self._save_args)


class CheckpointDataset(FileDataset["Checkpoint", "Checkpoint"]):
    """Weights and architecture of one network as safetensors; nothing is unpickled."""

    CONTENT = "a checkpoint"

    def encode(self, data: Checkpoint) -> bytes:
        from fashion_dgm.checkpoint import to_bytes

        return to_bytes(data)

    def decode(self, content: bytes) -> Checkpoint:
        from fashion_dgm.checkpoint import from_bytes

        return from_bytes(content)

    def preview(self) -> JSONPreview:
        """Returns for Kedro-Viz what the network is and how it was trained."""
        checkpoint = self.load()
        numbers = sum(tensor.numel() for tensor in checkpoint.weights.values())
        about = {"architecture": checkpoint.architecture, "numbers": numbers}
        return JSONPreview(json.dumps(about | {"config": checkpoint.config, "training": checkpoint.training}))
