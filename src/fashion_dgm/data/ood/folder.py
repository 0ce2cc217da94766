"""A user's own images: a folder of pictures and arrays, or one such file."""

import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fashion_dgm.data.ood.chance import choose
from fashion_dgm.data.ood.convert import Conversion, grey_of_arrays, grey_of_picture
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.files import readable

__all__ = ["ARRAYS", "PICTURES", "Origin", "read_folder", "read_folder_with_origins"]

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm", ".pbm")
# Pillow looks at the content, and would hand PostScript to a program that runs it, whatever the name of the file.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
ARRAYS = (".npy", ".npz")
Result = TypeVar("Result")

Origin = tuple[Path, int]
"""The file of an image, and its number in that file, from 0."""

_NAMED = "images"
MAX_GIGABYTES = 2  # of an archive that is expanded into memory
_SHOWN_FAILURES = 3


def read_folder(path: Path | str, max_images: int, seed: int) -> tuple[NDArray[np.uint8], Conversion]:
    """Reads pictures and arrays of a folder and the folders in it, in the order of their names; nothing is unpickled.

    Arguments:
        path: the folder, or one picture, `.npy` or `.npz` file. In a `.npz` the array `images` counts, or the only one.
        max_images: of more images than these, so many are chosen by chance.
        seed: of that choice.

    Returns:
        uint8 `(N, 1, 28, 28)`, and what was done to make them so.

    Raises:
        FashionDGMError: if there are no images, or a picture among the chosen ones or any array cannot be read or holds
            something else: of a set with a hole in it nobody would know what it is.
    """
    return read_folder_with_origins(path, max_images, seed)[:2]


def read_folder_with_origins(
    path: Path | str, max_images: int, seed: int
) -> tuple[NDArray[np.uint8], Conversion, list[Origin]]:
    """Returns what `read_folder` does, and where each image is from; arguments and errors are the same."""
    path = readable(path)
    files, ignored = _files(path)
    conversion = Conversion()
    if ignored:
        conversion.steps.add(f"{ignored} files of other kinds left out")
    ends = np.cumsum(_of_each(files, _length))
    index = np.sort(choose(int(ends[-1]), max_images, seed))
    parts = dict(zip(files, np.split(index, np.searchsorted(index, ends[:-1])), strict=True))
    starts = dict(zip(files, [0, *ends[:-1]], strict=True))
    # An array is checked whole, even where chance took none of its images.
    read = [file for file in files if len(parts[file]) or file.suffix.lower() in ARRAYS]
    images = _of_each(read, lambda file: _read(file, parts[file] - starts[file], conversion))
    origins = [(file, int(number)) for file in read for number in parts[file] - starts[file]]
    return np.concatenate(images)[:, None], conversion, origins


def _files(path: Path) -> tuple[list[Path], int]:
    """The pictures and arrays, and how many other files there are; hidden ones don't count."""
    if path.is_file():
        if path.suffix.lower() not in PICTURES + ARRAYS:
            raise FashionDGMError(f"{path} is none of {', '.join(PICTURES + ARRAYS)}")
        return [path], 0

    def complain(error: OSError) -> None:
        raise FashionDGMError(f"cannot read {error.filename}: {error.strerror}") from error

    every = []
    for folder, inner, names in os.walk(path, onerror=complain):
        inner[:] = [name for name in inner if not name.startswith(".")]
        every += [Path(folder) / name for name in names if not name.startswith(".")]
    files = sorted(file for file in every if file.suffix.lower() in PICTURES + ARRAYS)
    if not files:
        raise FashionDGMError(
            f"{path} is empty: no {', '.join(PICTURES + ARRAYS)} among its {len(every)} files, folders in it included"
        )
    return files, len(every) - len(files)


def _of_each(files: Sequence[Path], function: Callable[[Path], Result]) -> list[Result]:
    """What a function gives for each file; all failures in one error."""
    results, failures = [], []
    for file in files:
        try:
            results.append(function(file))
        except FashionDGMError as error:
            failures.append(str(error))
    if failures:
        shown = "; ".join(failures[:_SHOWN_FAILURES]) + ("; ..." if len(failures) > _SHOWN_FAILURES else "")
        raise FashionDGMError(
            shown if len(files) == 1 else f"{len(failures)} of {len(files)} files cannot be used: {shown}"
        )
    return results


def _length(file: Path) -> int:
    readable(file)
    if file.suffix.lower() in PICTURES:
        return 1
    shape = _load(file).shape
    # A shape that is none of images is refused with its reason when it is read.
    return shape[0] if shape else 1


def _read(file: Path, index: NDArray[np.int64], conversion: Conversion) -> NDArray[np.uint8]:
    if file.suffix.lower() in ARRAYS:
        return grey_of_arrays(_load(file), index, conversion, str(file))
    try:
        with warnings.catch_warnings():
            # Of 90 million pixels Pillow only warns, and of twice as many it raises an error.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=FORMATS) as picture:
                return grey_of_picture(picture, conversion)[None]
    except FashionDGMError as error:
        raise FashionDGMError(f"{file}: {error}") from error
    # Decoders raise errors of every kind at damaged files.
    except Exception as error:
        raise FashionDGMError(f"{file} is damaged or no picture: {error}") from error


def _load(file: Path) -> NDArray[Any]:
    """The array of a file; one of `.npy` stays on disk until it is used."""
    try:
        content = np.load(file, mmap_mode="r", allow_pickle=False)
        if not isinstance(content, np.lib.npyio.NpzFile):
            return content
        with content:
            names = content.files
            if _NAMED not in names and len(names) != 1:
                raise FashionDGMError(
                    f"{file} holds {len(names)} arrays ({', '.join(names[:5])}); name that of the images {_NAMED!r}"
                )
            name = _NAMED if _NAMED in names else names[0]
            # A few megabytes of zeros would fill any memory.
            assert content.zip is not None
            members = {member.filename.removesuffix(".npy"): member.file_size for member in content.zip.infolist()}
            gigabytes = members[name] / 1e9
            if gigabytes > MAX_GIGABYTES:
                raise FashionDGMError(
                    f"{file} expands to {gigabytes:.1f} GB, more than {MAX_GIGABYTES}; save its images as .npy, which "
                    "stays on disk"
                )
            # Of a member that is no array numpy gives the bytes.
            if not isinstance(array := content[name], np.ndarray):
                raise ValueError(f"{name} in it is none")
            return array
    except FashionDGMError:
        raise
    # As do readers of archives and headers.
    except Exception as error:
        if "pickle" in str(error) or "Python objects" in str(error):
            raise FashionDGMError(
                f"{file} is no array, or one of Python objects (a pickle), which could run code and are never loaded; "
                "save plain numbers, for instance np.save(file, np.stack(images).astype(np.uint8))"
            ) from error
        raise FashionDGMError(f"{file} is damaged or no array: {error}") from error
