import gzip
import math
import struct
from pathlib import Path

import numpy as np
import pytest

from fashion_dgm.data.idx import parse_idx, read_idx, read_plain_bytes, write_idx
from fashion_dgm.errors import FashionDGMError

SHAPES = [(5,), (0,), (3, 4), (2, 28, 28), (1, 2, 3, 4)]


def some_array(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(
    "array", [*map(some_array, SHAPES), some_array((3, 4)).T[::2]], ids=lambda array: str(array.shape)
)
def test_round_trip_plain_and_gzipped_whatever_the_name(tmp_path: Path, array: np.ndarray) -> None:
    write_idx(tmp_path / "array.gz", array)
    content = (tmp_path / "array.gz").read_bytes()
    for data in (content, gzip.compress(content)):
        (tmp_path / "array.gz").write_bytes(data)
        again = read_idx(tmp_path / "array.gz")
        assert again.dtype == np.uint8 and again.shape == array.shape and again.flags.writeable
        assert np.array_equal(again, array)


def test_written_bytes_are_those_of_the_format(tmp_path: Path) -> None:
    write_idx(tmp_path / "array", np.array([[1, 2, 3], [4, 5, 255]], dtype=np.uint8))
    assert (tmp_path / "array").read_bytes() == bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255])


def test_a_bomb_is_not_expanded_beyond_its_bound(tmp_path: Path) -> None:
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(bytes(3_000_000)))
    with pytest.raises(FashionDGMError, match=r"bomb.gz holds more than 2 MB"):
        read_plain_bytes(tmp_path / "bomb.gz", most=2_000_000)
    assert len(read_plain_bytes(tmp_path / "bomb.gz", most=3_000_000)) == 3_000_000


CORRUPTIONS = {
    "empty": (lambda data: b"", "truncated"),
    "half a magic number": (lambda data: data[:3], "truncated"),
    "half a header": (lambda data: data[:9], "truncated"),
    "a byte short": (lambda data: data[:-1], "truncated"),
    "header only": (lambda data: data[:16], "truncated"),
    "a byte too long": (lambda data: data + b"\0", "trailing"),
    "html": (lambda data: b"<html>not found</html>", "not an IDX file"),
    "no dimensions": (lambda data: b"\0\0\x08\0", "no dimensions"),
    "float32": (lambda data: b"\0\0\x0d" + data[3:], "0x0d"),
    "huge shape": (
        lambda data: data[:4] + struct.pack(">3I", 2**32 - 1, 2**32 - 1, 2**32 - 1) + data[16:],
        "truncated",
    ),
}

BAD_GZIP = {
    "a byte short": lambda data: data[:-1],
    "in the stream": lambda data: data[:12],
    "in the header": lambda data: data[:2],
    "trailing": lambda data: data + b"garbage",
    "checksum": lambda data: data[:-6] + bytes([data[-6] ^ 1]) + data[-5:],
    "stream": lambda data: data[:10] + b"\xff" * (len(data) - 10),
}
DAMAGED = CORRUPTIONS | {
    f"gzip: {name}": (lambda data, f=f: f(gzip.compress(data)), "gzip") for name, f in BAD_GZIP.items()
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_damage_is_an_error_that_names_the_file(tmp_path: Path, damage: str) -> None:
    path, (corrupt, message) = tmp_path / "images-idx3-ubyte", DAMAGED[damage]
    write_idx(path, some_array((2, 3, 4)))
    path.write_bytes(corrupt(path.read_bytes()))
    with pytest.raises(FashionDGMError, match=message) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["missing", "."])
def test_unreadable_path_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(FashionDGMError, match=r"cannot read|no file or folder"):
        read_idx(tmp_path / name)


@pytest.mark.parametrize("array", [np.zeros(3), np.zeros((2, 2), dtype=np.int8), np.array(1, dtype=np.uint8)])
def test_only_uint8_arrays_are_written(tmp_path: Path, array: np.ndarray) -> None:
    with pytest.raises(FashionDGMError, match="uint8"):
        write_idx(tmp_path / "array", array)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shape", [(0, 2**32 - 1, 2**32 - 1, 2**32 - 1), (1,) * 70])
def test_a_shape_that_no_array_has_is_an_error(shape: tuple[int, ...]) -> None:
    data = struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape) + bytes(math.prod(shape))
    with pytest.raises(FashionDGMError, match=r"no array can have|has 70 dimensions"):
        parse_idx(data)
