"""Files as catalog entries: local ones are written atomically, and `versioned: true` and fsspec's protocols work.

Tables, metrics and texts are those of kedro-datasets, which write in place, so that a run that is killed leaves half a
file, and whose JSON may hold NaN; `KedroFile` adds what they lack.

No load gives what differs from what was saved. Checkpoints and image sets have checksums inside; of the other files
the SHA-256 is kept in the folder `.sha256` next to them, and a load without it is one without a check.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import inspect
import json
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import fsspec
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem
from kedro.io import AbstractVersionedDataset, Version
from kedro_datasets._typing import ImagePreview, JSONPreview
from kedro_datasets.json import JSONDataset as KedroJSONDataset
from kedro_datasets.pandas import CSVDataset as KedroCSVDataset
from kedro_datasets.text import TextDataset as KedroTextDataset

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.files import DAMAGED, unreadable, write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fashion_dgm.checkpoint import Checkpoint

__all__ = [
    "AnimationDataset",
    "CSVDataset",
    "CheckpointDataset",
    "FigureDataset",
    "FileDataset",
    "JSONDataset",
    "KedroFile",
    "StoredDataset",
    "TextDataset",
]

In = TypeVar("In")
Out = TypeVar("Out")


class InheritedArguments:
    """Lets `catalog.to_config()` and `kedro catalog resolve-patterns` write the arguments of an inherited `__init__`.

    Kedro reads them off the signature of a subclass's `__init__`, and of an inherited one sees its own wrapper's
    `*args, **kwargs`. To be named before Kedro's class among the bases.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if "__init__" not in vars(cls) and hasattr(cls.__init__, "__wrapped__"):
            cls.__init__ = inspect.unwrap(cls.__init__)  # type: ignore[method-assign]
        super().__init_subclass__(**kwargs)


class OnFileSystem(InheritedArguments):
    """What all that lies in a file or folder has, whoever reads and writes it."""

    _fs: fsspec.AbstractFileSystem

    @property
    def _is_local(self) -> bool:
        return isinstance(self._fs, LocalFileSystem)

    @property
    def local_path(self) -> Path | None:
        """The file or folder that a load would read, if it is on this machine and was saved."""
        return Path(self._get_load_path()) if self._is_local and self.exists() else None  # type: ignore[attr-defined]

    def _put(self, path: PurePosixPath, content: bytes) -> None:
        """Replaces a file, in one step if it is on this machine."""
        if self._is_local:
            write_bytes(Path(path), content)
        else:
            self._fs.pipe_file(str(path), content)
            self._fs.invalidate_cache(str(path))

    def _check(self, path: PurePosixPath) -> None:
        """Checks what `decode` does not: nothing, where the format has checksums."""


class Hashed(OnFileSystem):
    """What files without checksums inside have, to be named first among the bases."""

    def _put(self, path: PurePosixPath, content: bytes) -> None:
        """Replaces a file and its hash; in between, the hash of either is right, so that a kill leaves no file refused."""
        line = f"{hashlib.sha256(content).hexdigest()}  {path.name}\n".encode()
        place, before = _hash_of(path), self._hashes(path)
        if before and before != line:
            super()._put(place, line + before)
        super()._put(path, content)
        if before != line:
            super()._put(place, line)

    def _check(self, path: PurePosixPath) -> None:
        """Compares a file with its hash, if there is one.

        Raises:
            ChangedError: if they differ.
        """
        if hashes := self._hashes(path):
            with self._fs.open(str(path), "rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found.encode() not in hashes:
                raise ChangedError(
                    f"{path} has changed since it was saved: its SHA-256 is not the one in {_hash_of(path)}. If you "
                    f"edited it on purpose, delete {_hash_of(path)}. If not, delete {path} and run its pipeline again."
                )

    def _hashes(self, path: PurePosixPath) -> bytes:
        try:
            return self._fs.cat_file(str(_hash_of(path)))
        except FileNotFoundError:
            return b""


class ChangedError(FashionDGMError):
    """A file is not what was saved."""


def _hash_of(path: PurePosixPath) -> PurePosixPath:
    """The file with the hash of another, as `sha256sum --check` reads it."""
    return path.parent / ".sha256" / path.name


class StoredDataset(OnFileSystem, AbstractVersionedDataset[In, Out]):
    """Base of the formats of the project, in a file or folder.

    Arguments:
        filepath: where, on this machine or with a protocol of fsspec's, such as `memory://` or `s3://`.
        load_args: options of reading, where there are any.
        save_args: options of writing, where there are any.
        version: made by Kedro of `versioned: true`.
        credentials: for the file system.
        fs_args: options of the file system.
        metadata: for plugins; Kedro itself ignores it.
    """

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
        self._load_args, self._save_args = load_args or {}, self.SAVE_ARGS | (save_args or {})
        self._fs_args = (credentials or {}) | (fs_args or {})
        # Not by Kedro's function, for which memory://a/file and memory://b/file are the same.
        self._fs, path = fsspec.url_to_fs(str(filepath), **self._fs_args)
        self.metadata = metadata
        super().__init__(PurePosixPath(path), version, self._is_there, self._fs.glob)

    @abstractmethod
    def _is_there(self, path: str) -> bool:
        """Whether the file or folder, or a version of it, was saved."""

    def _exists(self) -> bool:
        return self._is_there(str(self._get_load_path()))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "version": self._version}


@contextmanager
def reading(path: str, content: str) -> Iterator[None]:
    """Turns errors of reading into a sentence that names the file and says what to do.

    Raises:
        FashionDGMError: if the file is missing, may not be read, is damaged or does not hold `content`.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise FashionDGMError(f"{path} does not exist: run the pipeline that makes it first") from error
    except ChangedError:
        raise
    except (PermissionError, IsADirectoryError) as error:
        raise FashionDGMError(unreadable(path, error)) from error
    except (FashionDGMError, *DAMAGED) as error:
        raise FashionDGMError(
            f"{path} is damaged or not {content}: {error}. Delete it and run the pipeline that makes it again."
        ) from error


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
            DatasetError: caused by a `FashionDGMError` if the file is missing, damaged or another kind of file.
        """
        path = self._get_load_path()
        with reading(str(path), self.CONTENT):
            self._check(path)
            return self.decode(self._fs.cat_file(str(path)))

    def save(self, data: In) -> None:
        """Replaces the file in one step.

        Raises:
            DatasetError: caused by a `FashionDGMError` if a local file cannot be written; the old one is then still there.
        """
        self._put(self._get_save_path(), self.encode(data))

    def _is_there(self, path: str) -> bool:
        return self._fs.isfile(path)


class KedroFile(Hashed):
    """What a dataset of kedro-datasets lacks, to be named before it among the bases.

    Arguments:
        filepath: where, on this machine or with a protocol of fsspec's.
        load_args: options of reading, where the dataset has any.
        save_args: options of writing, where the dataset has any.
        version: made by Kedro of `versioned: true`.
        credentials: for the file system.
        fs_args: options of the file system.
        metadata: for plugins; Kedro itself ignores it.
    """

    CONTENT: ClassVar[str]
    """What the file holds, as errors have it."""

    # Else the encoding and the ends of lines would be the machine's.
    DEFAULT_FS_ARGS: ClassVar[dict[str, Any]] = {
        "open_args_load": {"mode": "r", "encoding": "utf-8", "newline": ""},
        "open_args_save": {"mode": "w", "encoding": "utf-8", "newline": ""},
    }

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
        # All by name, since Kedro writes the configuration of an entry from the arguments of this function.
        args = {"load_args": load_args, "save_args": save_args}
        super().__init__(  # type: ignore[call-arg]
            filepath=filepath,
            version=version,
            credentials=credentials,
            fs_args=fs_args,
            metadata=metadata,
            **{name: value for name, value in args.items() if value is not None},
        )
        # The library has no first folder in memory: memory://a/file and memory://b/file would be the same.
        if isinstance(self._fs, LocalFileSystem | MemoryFileSystem):
            self._filepath = PurePosixPath(self._fs._strip_protocol(str(filepath)))

    def load(self) -> Any:
        """Reads the file.

        Raises:
            DatasetError: caused by a `FashionDGMError` if the file is missing, damaged or another kind of file.
        """
        path = self._get_load_path()  # type: ignore[attr-defined]
        with reading(str(path), self.CONTENT):
            self._check(path)
            return super().load.__wrapped__(self)  # type: ignore[misc]

    def save(self, data: Any) -> None:
        """Replaces the file in one step.

        Raises:
            DatasetError: if the data cannot be written; a local file is then as it was.
        """
        self._put(self._get_save_path(), self._encoded(data))  # type: ignore[attr-defined]

    def _encoded(self, data: Any) -> bytes:
        memory = MemoryFileSystem(skip_instance_cache=True)
        # Of its own: the class has one for the whole process.
        memory.store, memory.pseudo_dirs = {}, [""]
        target: Any = copy.copy(self)
        target._fs, target._protocol, target._filepath, target._version = memory, "memory", PurePosixPath("/file"), None
        # The method beneath Kedro's wrapper, which would name this file in errors.
        super().save.__wrapped__(target, data)  # type: ignore[misc]
        return memory.cat_file("/file")


class CSVDataset(KedroFile, KedroCSVDataset):
    """A table; `load_args` are those of `pandas.read_csv`, `save_args` those of `DataFrame.to_csv`."""

    CONTENT = "a table"
    # The default of pandas 2 is off by one in the last digit of every third number.
    DEFAULT_LOAD_ARGS: ClassVar = {"float_precision": "round_trip"}


class JSONDataset(KedroFile, KedroJSONDataset):
    """Metrics as JSON, sorted by name; NaN and infinity, which JSON cannot represent, are refused."""

    CONTENT = "JSON"
    DEFAULT_SAVE_ARGS: ClassVar = {"indent": 2, "sort_keys": True, "allow_nan": False}


class TextDataset(KedroFile, KedroTextDataset):
    """A text such as the report, as UTF-8."""

    CONTENT = "a text"


class PictureDataset(Hashed, FileDataset[In, bytes]):
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
