"""Files that someone with bad intentions, or another program, may hand over."""

import gzip
import io
import json
import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

CODE = "EXECUTED"
"""The file that a payload makes in the working directory."""


class Payload:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {CODE}",)


def pickled() -> bytes:
    return pickle.dumps(Payload())


def object_array(path: Path) -> None:
    with path.open("wb") as file:
        (np.savez if path.suffix == ".npz" else np.save)(file, np.array([Payload()], dtype=object))  # type: ignore[operator]


def npy(path: Path, header: str, version: tuple[int, int] = (1, 0), content: bytes = b"") -> None:
    length = struct.pack("<H" if version == (1, 0) else "<I", len(header))
    path.write_bytes(b"\x93NUMPY" + bytes(version) + length + header.encode() + content)


def of_shape(path: Path, shape: str, dtype: str = "|u1") -> None:
    npy(path, f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}}}".ljust(117) + "\n")


def array(values: Any) -> Callable[[Path], None]:
    return lambda path: np.save(path, values)


def zip_bomb(path: Path, gigabytes: float = 2.2, said: int | None = None) -> None:
    """An archive of zeros; `said` is the size that it claims to expand to."""
    shape, header = (int(gigabytes * 1e9) // 784, 28, 28), io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("images.npy", "w", force_zip64=True) as member,
    ):
        member.write(header.getvalue())
        for _ in range(int(gigabytes * 1e9) // 2**24):
            member.write(bytes(2**24))
    if said is not None:
        content = path.read_bytes()
        place = content.rindex(b"PK\x01\x02")
        path.write_bytes(content[: place + 24] + struct.pack("<I", said) + content[place + 28 :])


def many_members(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(20_000):
            archive.writestr(f"{number}.npy", b"")


def outside(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"../../{CODE}.npy", pickled())


def gzip_bomb(path: Path, gigabytes: float) -> None:
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(int(gigabytes * 1e9) // 2**24):
            file.write(bytes(2**24))


def png(path: Path, width: int, height: int, *chunks: tuple[bytes, bytes]) -> None:
    header = (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    parts = [b"\x89PNG\r\n\x1a\n"]
    for name, content in (header, *chunks, (b"IEND", b"")):
        crc = zlib.crc32(name + content)
        parts.append(struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc))
    path.write_bytes(b"".join(parts))


def grey(size: int = 28) -> Image.Image:
    return Image.fromarray(np.full((size, size), 200, dtype=np.uint8))


def cut(path: Path) -> None:
    grey(300).save(path)
    path.write_bytes(path.read_bytes()[:-60])


def animated(path: Path) -> None:
    grey().save(path, save_all=True, append_images=[grey()] * 50, format="GIF")


def text_bomb(path: Path) -> None:
    png(path, 28, 28, (b"zTXt", b"k\0\0" + zlib.compress(bytes(2**28))), (b"IDAT", zlib.compress(bytes(29 * 28))))


def endless_tiff(path: Path) -> None:
    """Its first directory names itself as the next one."""
    entries = [(256, 4, 1, 28), (257, 4, 1, 28), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8)]
    entries += [(278, 4, 1, 28), (279, 4, 1, 784)]
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    path.write_bytes(b"II*\0" + struct.pack("<I", 8) + directory + struct.pack("<I", 8) + bytes(784))


SVG = f"""<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<svg xmlns="http://www.w3.org/2000/svg"><script>touch {CODE}</script><text>&x;</text></svg>"""
POSTSCRIPT = f"""%!PS-Adobe-3.0 EPSF-3.0
%%BoundingBox: 0 0 28 28
(%pipe%touch {CODE}) (w) file
showpage
"""


def link(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def text(content: str | bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content if isinstance(content, bytes) else content.encode())


def sparse(path: Path) -> None:
    """A terabyte of zeros that takes no space."""
    with path.open("wb") as file:
        file.truncate(10**12)


IMAGES: dict[str, Callable[[Path], object]] = {
    "pickle.npy": text(pickled()),
    "pickle.npz": text(pickled()),
    "pickle.png": text(pickled()),
    "objects.npy": object_array,
    "objects.npz": object_array,
    "torch.npz": lambda path: torch.save(Payload(), path),
    "code_in_header.npy": lambda path: npy(path, f"__import__('os').system('touch {CODE}')".ljust(117) + "\n"),
    "deep_header.npy": lambda path: npy(path, "(" * 60_000 + "\n"),
    "long_header.npy": lambda path: npy(path, " " * 50_000_000 + "\n", (2, 0)),
    "header_longer_than_the_file.npy": text(b"\x93NUMPY\2\0\xff\xff\xff\xff{"),
    "a_trillion_images.npy": lambda path: of_shape(path, "(1000000000000, 28, 28)"),
    "negative_shape.npy": lambda path: of_shape(path, "(-1, 28, 28)"),
    "shape_that_overflows.npy": lambda path: of_shape(path, f"({2**62}, 28, 28)"),
    "many_dimensions.npy": lambda path: of_shape(path, f"({'1, ' * 30})"),
    "zip_bomb.npz": zip_bomb,
    "zip_bomb_that_lies.npz": lambda path: zip_bomb(path, 1.0, said=1000),
    "many_members.npz": many_members,
    "path_outside.npz": outside,
    "nan.npy": array(np.full((3, 28, 28), np.nan, dtype=np.float32)),
    "infinite.npy": array(np.full((3, 28, 28), np.inf)),
    "flat.npy": array(np.zeros(784, dtype=np.uint8)),
    "scalar.npy": array(np.uint8(3)),
    "empty.npy": array(np.zeros((0, 28, 28), dtype=np.uint8)),
    "no_pixels.npy": array(np.zeros((5, 0, 28), dtype=np.uint8)),
    "complex.npy": array(np.zeros((3, 28, 28), dtype=complex)),
    "dates.npy": array(np.zeros((3, 28, 28), dtype="datetime64[s]")),
    "texts.npy": array(np.full((3, 28, 28), "a")),
    "records.npy": array(np.zeros((3, 28, 28), dtype=[("x", "u1")])),
    "large_integers.npy": array(np.full((3, 28, 28), 10**15)),
    "negative.npy": array(np.full((3, 28, 28), -1)),
    "no_bytes.png": text(b""),
    "no_bytes.npz": text(b""),
    "random.jpg": text(np.random.default_rng(0).bytes(5000)),
    "truncated.png": cut,
    "no_pixels.png": lambda path: png(path, 28, 28),
    "no_width.png": lambda path: png(path, 0, 28),
    "billions_of_pixels.png": lambda path: png(path, 100_000, 100_000, (b"IDAT", zlib.compress(bytes(1000)))),
    "many_pixels.png": lambda path: png(path, 12_000, 12_000, (b"IDAT", zlib.compress(bytes(12_001 * 12_000)))),
    "text_bomb.png": text_bomb,
    "animated.gif": animated,
    "animated.png": animated,
    "endless.tif": endless_tiff,
    "drawing.svg": text(SVG),
    "drawing.png": text(SVG),
    "postscript.png": text(POSTSCRIPT),
    "pipe.npy": os.mkfifo,
    "pipe.png": os.mkfifo,
    "zeros_without_end.npy": link("/dev/zero"),
    "zeros_without_end.png": link("/dev/zero"),
    "chance_without_end.npz": link("/dev/urandom"),
    "terminal.npz": link("/dev/tty"),
    "itself.png": link("itself.png"),
    "nowhere.npy": link("nowhere/x.npy"),
    "folder.npy": lambda path: path.mkdir(),
    "terabyte.npy": sparse,
    "terabyte.npz": sparse,
    "terabyte.png": sparse,
    f"{'n' * 251}.png": text(b"a"),
    "colour\x1b[31m\x07.png": text(b"a"),
}

FINE = {"animated.gif", "animated.png", "endless.tif"}
"""Images all the same."""


def safetensors(path: Path, header: Any, length: int | None = None, content: bytes = b"") -> None:
    line = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(line) if length is None else length) + line + content)


def tensor(begin: int, end: int, shape: list[int], dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def header(*parts: Any, **options: Any) -> Callable[[Path], None]:
    return lambda path: safetensors(path, *parts, **options)


def model(architecture: str, config: Any) -> Callable[[Path], None]:
    about = json.dumps({"architecture": architecture, "config": config, "training": {}})
    return header({"__metadata__": {"fashion_dgm": about}, "a": tensor(0, 4, [1])}, content=bytes(4))


MODELS: dict[str, Callable[[Path], object]] = {
    "pickle.safetensors": text(pickled()),
    "torch.safetensors": lambda path: torch.save({"weights": Payload()}, path),
    "objects.safetensors": text(pickle.dumps({"architecture": Payload()})),
    "no_bytes.safetensors": text(b""),
    "zeros.safetensors": text(bytes(1000)),
    "header_without_end.safetensors": header({}, length=2**63),
    "large_header.safetensors": lambda path: safetensors(path, b'{"a":"' + b"a" * 200_000_000 + b'"}'),
    "deep_header.safetensors": header(b"[" * 1_000_000),
    "a_trillion_numbers.safetensors": header({"a": tensor(0, 4 * 10**12, [10**12])}),
    "overlapping.safetensors": header({"a": tensor(0, 8, [2]), "b": tensor(4, 12, [2])}, content=bytes(12)),
    "backwards.safetensors": header({"a": tensor(8, 0, [2])}, content=bytes(8)),
    "shape_that_overflows.safetensors": header({"a": tensor(0, 8, [2**40, 2**40])}),
    "no_metadata.safetensors": header({"a": tensor(0, 4, [1])}, content=bytes(4)),
    "code_as_architecture.safetensors": model("os.system", {"command": f"touch {CODE}"}),
    "attribute_as_architecture.safetensors": model("__init__", {}),
    "a_billion_latents.safetensors": model("Generator", {"latent_dim": 10**9, "width": 10**9}),
    "unknown_arguments.safetensors": model("Generator", {"__class__": 1, "latent_dim": 5}),
    "negative.safetensors": model("Generator", {"latent_dim": -5, "width": -1}),
    "numbers_as_text.safetensors": model("RealNVP", {"scales": "9" * 10_000}),
    "pipe.safetensors": os.mkfifo,
    "zeros_without_end.safetensors": link("/dev/zero"),
    "itself.safetensors": link("itself.safetensors"),
    "nowhere.safetensors": link("nowhere/x.safetensors"),
    "folder.safetensors": lambda path: path.mkdir(),
    "terabyte.safetensors": sparse,
}
"""What is named as a model."""

INCEPTION: dict[str, Callable[[Path], object]] = {
    "pickle.pth": text(pickled()),
    "torch.pth": lambda path: torch.save({"Conv2d_1a_3x3.conv.weight": Payload()}, path),
    "zip_bomb.pth": zip_bomb,
    "terabyte.pth": sparse,
}
"""What is named as Inception's weights."""
