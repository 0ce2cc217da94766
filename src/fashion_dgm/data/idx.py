"""IDX, the file format of MNIST and FashionMNIST: unsigned bytes of any shape, plain or gzipped."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.files import readable, write_bytes

__all__ = ["parse_idx", "read_idx", "read_plain_bytes", "write_idx"]

GZIP_MAGIC = b"\x1f\x8b"
UINT8_CODE = 0x08
MAX_DIMENSIONS = 64  # numpy's
MAX_BYTES = 2**30


def read_idx(path: Path | str) -> NDArray[np.uint8]:
    """Reads an IDX file of unsigned bytes, plain or gzipped: its format is detected from its first bytes, not from its name.

    Returns:
        uint8 in 0..255, of the shape in the header.

    Raises:
        FashionDGMError: if the file cannot be read, or is anything but one whole IDX file of unsigned bytes.
    """
    return parse_idx(read_plain_bytes(path), name=str(path))


def parse_idx(data: bytes, name: str = "IDX data") -> NDArray[np.uint8]:
    """Parses uncompressed IDX bytes; `name` is what the error calls them.

    The format is described on the page of MNIST (LeCun, Cortes and Burges): two zero bytes, a code of the element
    type, the number of dimensions, each dimension as a big-endian 32-bit integer, the elements in C order.

    Returns:
        uint8 in 0..255, of the shape in the header, writable.

    Raises:
        FashionDGMError: if the bytes are anything but one whole IDX array of unsigned bytes.
    """
    if len(data) < 4:
        raise FashionDGMError(f"{name} is truncated: {len(data)} bytes do not hold an IDX header")
    if data[:2] != b"\0\0":
        raise FashionDGMError(f"{name} is not an IDX file: it starts with the bytes {data[:4].hex(' ')}")
    code, dimensions = data[2], data[3]
    if code != UINT8_CODE:
        raise FashionDGMError(f"{name} holds elements of IDX type 0x{code:02x}; only 0x08 (unsigned bytes) is read")
    if not 1 <= dimensions <= MAX_DIMENSIONS:
        raise FashionDGMError(f"{name} is not an IDX file of images or labels: it has {dimensions or 'no'} dimensions")
    header = 4 + 4 * dimensions
    if len(data) < header:
        raise FashionDGMError(f"{name} is truncated: {len(data)} bytes do not hold a header of {dimensions} dimensions")
    shape = struct.unpack(f">{dimensions}I", data[4:header])
    expected = header + math.prod(shape)
    if len(data) != expected:
        fault = "is truncated" if len(data) < expected else "has trailing bytes"
        raise FashionDGMError(f"{name} {fault}: shape {shape} needs {expected} bytes, there are {len(data)}")
    try:
        return np.frombuffer(data, dtype=np.uint8, offset=header).reshape(shape).copy()
    except ValueError as error:
        raise FashionDGMError(f"{name} has the shape {shape}, which no array can have: {error}") from error


def write_idx(path: Path | str, array: NDArray[np.uint8]) -> None:
    """Writes an uncompressed IDX file in one atomic step.

    Arguments:
        path: where to; missing folders are made.
        array: uint8 in 0..255, of any shape with 1 to 64 dimensions.

    Raises:
        FashionDGMError: if dtype or shape are others, or the file cannot be written.
    """
    if array.dtype != np.uint8 or not 1 <= array.ndim <= MAX_DIMENSIONS:
        raise FashionDGMError(
            f"IDX files here hold uint8 arrays of 1 to {MAX_DIMENSIONS} dimensions, not {array.dtype} {array.shape}"
        )
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, UINT8_CODE, array.ndim, *array.shape)
    write_bytes(Path(path), header + array.tobytes())


def read_plain_bytes(path: Path | str, most: int = MAX_BYTES) -> bytes:
    """The bytes of a file, decompressed if they are gzip.

    Raises:
        FashionDGMError: if the file cannot be read, its gzip stream is truncated or damaged, or there are more bytes than
            `most`, of which no further ones are then decompressed.
    """
    try:
        with readable(path).open("rb") as file:
            zipped = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
            file.seek(0)
            data = (gzip.GzipFile(fileobj=file) if zipped else file).read(most + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FashionDGMError(f"{path} is a truncated or damaged gzip file: {error}") from error
    except OSError as error:
        raise FashionDGMError(f"cannot read {path}: {error.strerror or error}") from error
    if len(data) > most:
        raise FashionDGMError(f"{path} holds more than {most / 1e6:,.0f} MB, so it is no such file")
    return data
