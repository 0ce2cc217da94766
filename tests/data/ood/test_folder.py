"""Folders of users: mixed contents, and every mistake we could think of."""

import contextlib
import errno
import io
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fashion_dgm.data.ood.folder import PICTURES, read_folder, read_folder_with_origins
from fashion_dgm.errors import FashionDGMError

RNG = np.random.default_rng(0)
GREYS = RNG.integers(0, 256, (6, 28, 28), dtype=np.uint8)


def write_pictures(folder: Path, images: np.ndarray = GREYS) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number}.png")


def test_pictures_come_in_the_order_of_their_names_from_all_folders(tmp_path: Path) -> None:
    write_pictures(tmp_path / "b", GREYS[2:])
    write_pictures(tmp_path / "a", GREYS[:2])
    (tmp_path / "a" / "notes.txt").write_text("no picture")
    (tmp_path / "a" / ".hidden.png").write_text("no picture")
    images, conversion = read_folder(tmp_path, 100, seed=0)
    assert images.shape == (6, 1, 28, 28)
    assert np.array_equal(images[:, 0], GREYS)
    assert conversion.describe() == "1 files of other kinds left out"


@pytest.mark.parametrize("ending", [ending for ending in PICTURES if ending not in (".jpg", ".jpeg", ".webp", ".pbm")])
def test_every_lossless_kind_of_picture_is_read_whatever_the_case(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"one{ending.upper()}"
    Image.fromarray(GREYS[0]).convert("RGB" if ending == ".ppm" else "L").save(file)
    assert np.array_equal(read_folder(file, 10, seed=0)[0][0, 0], GREYS[0])
    smooth = np.tile(np.linspace(0, 255, 28).astype(np.uint8), (28, 1))
    Image.fromarray(smooth).save(tmp_path / "one.jpg", quality=95)
    assert np.abs(read_folder(tmp_path / "one.jpg", 10, seed=0)[0][0, 0].astype(int) - smooth).max() < 8
    (tmp_path / "a.csv").write_text("1,2")
    with pytest.raises(FashionDGMError, match=r"none of \.png"):
        read_folder(tmp_path / "a.csv", 10, seed=0)


def test_pictures_and_arrays_may_be_mixed(tmp_path: Path) -> None:
    np.save(tmp_path / "0.npy", GREYS[:2])
    np.savez(tmp_path / "1.npz", images=GREYS[2:4], labels=np.zeros(2))
    Image.fromarray(GREYS[4]).save(tmp_path / "2.png")
    np.savez_compressed(tmp_path / "3.npz", whatever=GREYS[5:] / 255)
    images, _ = read_folder(tmp_path, 100, seed=0)
    assert np.abs(images[:, 0].astype(int) - GREYS).max() <= 1


def test_fewer_images_are_chosen_by_chance_the_same_each_time(tmp_path: Path) -> None:
    write_pictures(tmp_path, GREYS[:3])
    np.save(tmp_path / "z.npy", GREYS[3:])
    everything = {image.tobytes(): number for number, image in enumerate(GREYS)}
    places = [*((tmp_path / f"{number}.png", 0) for number in range(3)), *((tmp_path / "z.npy", n) for n in range(3))]
    chosen = set()
    for seed in range(30):
        images, _, origins = read_folder_with_origins(tmp_path, 2, seed)
        order = [everything[image.tobytes()] for image in images]
        assert len(order) == 2 and order == sorted(set(order))
        assert np.array_equal(images, read_folder(tmp_path, 2, seed)[0])
        assert origins == [places[number] for number in order]
        chosen.update(order)
    # The chance that 30 draws of 2 in 6 leave one out is below 6 * (2/3)**30 = 3e-5.
    assert chosen == set(range(6))


class Malicious:
    def __reduce__(self) -> tuple[Callable, tuple]:
        return Path.touch, (Path("unpickled"),)


def text_in_archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "text")


def truncated(path: Path, save: Callable[[Path], None]) -> None:
    save(path)
    path.write_bytes(path.read_bytes()[:300])


def one_of_many(path: Path) -> None:
    write_pictures(path.parent)
    path.write_text("a")


def zip_bomb(path: Path) -> None:
    """An archive whose directory promises 4 GB of zeros; the first 64 MB are there."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (5_102_041, 28, 28)})
    piece = bytes(2**24)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("images.npy", "w", force_zip64=True) as file:
            file.write(header.getvalue())
            for _ in range(4):
                file.write(piece)
        archive.getinfo("images.npy").file_size = 4_000_000_272


EPS = "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 28 28\n"  # which Pillow has drawn by a program
MISTAKES: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "nothing there": ("", Path.rmdir, "there is no file or folder"),
    "empty": ("", Path.touch, "is empty"),
    "only other files": ("a.txt", Path.touch, "among its 1 files"),
    "text as picture": ("a.png", lambda file: file.write_text("a"), "a.png is damaged or no picture"),
    "PostScript": ("a.png", lambda file: file.write_text(EPS), "a.png is damaged or no picture: cannot identify"),
    "empty picture": ("a.png", Path.touch, "a.png is damaged or no picture"),
    "truncated picture": ("a.png", lambda file: truncated(file, Image.fromarray(GREYS[0]).save), "a.png is damaged"),
    "empty array": ("a.npy", Path.touch, "a.npy is damaged or no array"),
    "text as array": ("a.npy", lambda file: file.write_text("some text"), "a.npy is no array"),
    "truncated array": ("a.npy", lambda file: truncated(file, lambda path: np.save(path, GREYS)), "a.npy is damaged"),
    "text as archive": ("a.npz", lambda file: file.write_bytes(b"PK\3\4 no zip"), "a.npz is damaged or no array"),
    "NaN": ("a.npy", lambda file: np.save(file, np.full((2, 28, 28), np.nan)), "NaN or infinity (100.00%"),
    "objects": ("a.npy", lambda file: np.save(file, np.array([Malicious()])), "never loaded"),
    "objects in archive": ("a.npz", lambda file: np.savez(file, images=np.array([Malicious()])), "never loaded"),
    "pickle": ("a.npy", lambda file: file.write_bytes(pickle.dumps(Malicious())), "never loaded"),
    "several arrays": ("a.npz", lambda file: np.savez(file, a=GREYS, b=GREYS), "2 arrays (a, b); name that"),
    "archive of none": ("a.npz", np.savez, "0 arrays"),
    "one bad of many": ("3.png", one_of_many, "1 of 6 files cannot be used"),
    "bomb": ("a.npz", zip_bomb, "a.npz expands to 4.0 GB, more than 2; save its images as .npy"),
    "too many pixels": ("a.png", lambda file: Image.new("1", (10_000, 10_000)).save(file), "100000000 pixels"),
    "archive of a text": ("a.npz", text_in_archive, "a.npz is damaged or no array: a.txt in it"),
    "pipe": ("a.npy", os.mkfifo, "a.npy is a pipe"),
    "pipe as picture": ("a.png", os.mkfifo, "a.png is a pipe"),
    "link to nothing": ("a.png", lambda file: file.symlink_to("absent.png"), "no file or folder"),
    "float picture": ("a.tiff", Image.fromarray(np.full((28, 28), 3.0, np.float32)).save, "must lie in [0, 1]"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_is_a_clear_error_and_nothing_is_unpickled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mistake: str
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "mine"
    folder.mkdir()
    name, make, expected = MISTAKES[mistake]
    make(folder / name)
    with pytest.raises(FashionDGMError) as caught:
        read_folder(folder, 100, seed=0)
    assert expected in str(caught.value)
    assert str(folder) in str(caught.value)
    assert not (tmp_path / "unpickled").exists()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("~nosuchuser/images", "~nosuchuser/images begins with the home folder of an unknown user"),
        ("x" * 5000, "cannot read xxx.*…: File name too long"),
        ("loop/images", "cannot read loop/images: Too many levels of symbolic links"),
        ("a\0b", "cannot read a\0b: embedded null byte"),
        ("pipe", "pipe is a pipe, a socket or a device"),
        ("pipe/images", "there is no file or folder pipe/images"),
        ("closed/images", "cannot read closed/images: Permission denied"),
    ],
)
def test_a_path_that_cannot_be_followed_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loop").symlink_to("loop")
    os.mkfifo("pipe")
    look = Path.stat

    def closed(path: Path, **options: bool) -> os.stat_result:
        # Permissions don't stop root.
        if path.parts[0] == "closed":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return look(path, **options)

    monkeypatch.setattr(Path, "stat", closed)
    with pytest.raises(FashionDGMError, match=f"^{expected}") as caught:
        read_folder(path, 10, seed=0)
    assert len(str(caught.value)) < 400


def test_a_mistake_in_an_array_is_found_even_where_chance_takes_none_of_it(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.repeat(GREYS, 100, axis=0))
    np.save(tmp_path / "b.npy", np.full((1, 28, 28), np.nan))
    for seed in range(5):
        with pytest.raises(FashionDGMError, match=r"b\.npy holds NaN"):
            read_folder(tmp_path, 1, seed)


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_damage_of_any_byte_is_an_error_of_ours_or_none(tmp_path: Path) -> None:
    """What decoders raise at damaged files is their business; a user sees one kind of error."""
    rng = np.random.default_rng(4)
    for ending in (".png", ".gif", ".bmp", ".tiff", ".npy", ".npz"):
        file = tmp_path / f"a{ending}"
        if ending == ".npy":
            np.save(file, GREYS)
        elif ending == ".npz":
            np.savez(file, images=GREYS)
        else:
            Image.fromarray(GREYS[0]).save(file)
        whole = file.read_bytes()
        for _ in range(60):
            data = bytearray(whole)
            for place in rng.integers(0, min(len(data), 400), 3):
                data[place] = rng.integers(256)
            file.write_bytes(data)
            with contextlib.suppress(FashionDGMError):
                images, _ = read_folder(file, 10, seed=0)
                assert images.shape[1:] == (1, 28, 28)


@pytest.mark.parametrize("shape", [(1, 28, 28), (1, 32, 32), (1, 28, 28, 3)])
def test_an_array_of_which_chance_takes_no_image_is_left_out(tmp_path: Path, shape: tuple[int, ...]) -> None:
    for number in range(10):
        np.save(tmp_path / f"{number}.npy", np.full(shape, number, dtype=np.uint8))
    images, _ = read_folder(tmp_path, 5, seed=0)
    assert len(np.unique(images[:, 0, 14, 14])) == len(images) == 5
