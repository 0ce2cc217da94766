"""Published sets: KMNIST, EMNIST letters and Omniglot, fetched where the network allows, and scikit-learn's digits.

Only the official test images of the first three are used. Their addresses and MD5 sums are those of torchvision; a test
holds them equal.
"""

import gzip
import hashlib
import io
import logging
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fashion_dgm.data.download import download
from fashion_dgm.data.idx import parse_idx, read_idx
from fashion_dgm.data.ood.convert import SIDE, Conversion, grey_of_arrays, grey_of_picture
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.files import atomic_path, opened

__all__ = ["DIGITS_CONVERSION", "PUBLISHED_SETS", "FileMissing", "PublishedSet", "fetch_published", "load_digits"]

DIGITS_CONVERSION = "levels 0..16 to 0..255; resized from 8x8 to 28x28 pixels by Pillow, bilinear, antialiased"

TIMEOUT_SECONDS = 10

logger = logging.getLogger(__name__)


class FileMissing(FashionDGMError):
    """A file could not be fetched: nobody's mistake.

    Arguments:
        reason: the message without what the network said this time, so that it is the same on every machine.
    """

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason or message


@dataclass(frozen=True)
class PublishedSet:
    """A set that lies in one file.

    Arguments:
        title: its name in messages.
        file: the file's name.
        md5: of the file as published.
        url: where it is served.
        megabytes: its size.
        conversion: what `read` does to the images beyond reading them.
        read: gives uint8 `(N, 28, 28)` of the path of the file.
    """

    title: str
    file: str
    md5: str
    url: str
    megabytes: int
    conversion: str
    read: Callable[[Path], NDArray[np.uint8]]


def fetch_published(published: PublishedSet, folder: Path, may_download: bool = True) -> NDArray[np.uint8]:
    """Reads a set's official test images, fetching its file first if it is not there.

    Returns:
        uint8 `(N, 1, 28, 28)`.

    Raises:
        FileMissing: if the file is not there and cannot be fetched, or may not be.
        FashionDGMError: if the file in the folder is another, damaged, or holds something else.
    """
    path = folder / published.file
    if not path.exists():
        _download(published, path, may_download)
    elif _md5(path) != published.md5:
        raise FashionDGMError(
            f"{path} is not the file of {published.title}, but truncated, altered or another: its MD5 is not "
            f"{published.md5}. Delete it to fetch it again, or put the right file in its place"
        )
    try:
        images = published.read(path)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise FashionDGMError(f"{path} cannot be read: {error}") from error
    if images.ndim != 3 or images.shape[1:] != (SIDE, SIDE):
        raise FashionDGMError(f"{path} holds images of shape {images.shape[1:]}, not ({SIDE}, {SIDE})")
    return images[:, None]


def _download(published: PublishedSet, path: Path, allowed: bool) -> None:
    advice = f"Put {published.file} ({published.megabytes} MB, MD5 {published.md5}) into {path.parent}"
    if not allowed:
        raise FileMissing(
            f"{path} is not there, and this configuration does not fetch it (`download: false` in the catalog). {advice}"
        )
    reason = f"its file is not there and could not be fetched from {published.url}. {advice}"
    logger.info("%s: fetching %s (%d MB)", published.title, published.url, published.megabytes)
    with atomic_path(path) as temporary:
        try:
            download(published.url, temporary, TIMEOUT_SECONDS, (published.megabytes + 1) * 1_000_000)
        except OSError as error:
            raise FileMissing(f"{published.url} cannot be fetched: {error}. {advice}", reason) from error
        if _md5(temporary) != published.md5:
            raise FileMissing(
                f"{published.url} gave another file than the published one: its MD5 is wrong. {advice}", reason
            )


def _md5(path: Path) -> str:
    with opened(path) as handle:
        return hashlib.file_digest(handle, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def load_digits() -> NDArray[np.uint8]:
    """Returns scikit-learn's handwritten digits as uint8 `(1797, 1, 28, 28)`.

    Enlarged from 8x8 they are far smoother than MNIST: a likelihood may detect them by that alone.

    References:
        Alpaydin and Kaynak, Optical Recognition of Handwritten Digits (UCI, 1998).
    """
    from sklearn import datasets

    pixels = np.rint(datasets.load_digits().images * (255 / 16)).astype(np.uint8)
    return grey_of_arrays(pixels, slice(None), Conversion(), "digits")[:, None]


def _read_emnist(path: Path) -> NDArray[np.uint8]:
    with zipfile.ZipFile(path) as archive:
        data = gzip.decompress(archive.read("gzip/emnist-letters-test-images-idx3-ubyte.gz"))
    # Its authors kept Matlab's order of axes: as they lie, letters are mirrored and turned.
    return np.ascontiguousarray(parse_idx(data, name=str(path)).transpose(0, 2, 1))


def _read_omniglot(path: Path) -> NDArray[np.uint8]:
    images = []
    with zipfile.ZipFile(path) as archive:
        for name in sorted(name for name in archive.namelist() if name.endswith(".png")):
            with Image.open(io.BytesIO(archive.read(name))) as picture:
                images.append(255 - grey_of_picture(picture, Conversion()))
    if not images:
        raise ValueError("it holds no .png")
    return np.stack(images)


PUBLISHED_SETS: Mapping[str, PublishedSet] = {
    "kmnist": PublishedSet(
        title="KMNIST",
        file="t10k-images-idx3-ubyte.gz",
        md5="5c965bf0a639b31b8f53240b1b52f4d7",
        url="http://codh.rois.ac.jp/kmnist/dataset/kmnist/t10k-images-idx3-ubyte.gz",
        megabytes=3,
        conversion="none",
        read=read_idx,
    ),
    "emnist_letters": PublishedSet(
        title="EMNIST",
        file="gzip.zip",
        md5="58c8d27c78d21e728a6bc7b3cc06412e",
        url="https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",
        megabytes=562,
        conversion="axes exchanged: the published file has them the wrong way round",
        read=_read_emnist,
    ),
    "omniglot": PublishedSet(
        title="Omniglot",
        file="images_evaluation.zip",
        md5="6b91aef0f799c5bb55b94e3f2daec811",
        url="https://raw.githubusercontent.com/brendenlake/omniglot/master/python/images_evaluation.zip",
        megabytes=6,
        conversion=(
            "resized from 105x105 to 28x28 pixels by Pillow, bilinear, antialiased; inverted: published black on white, "
            "here strokes are bright as in MNIST"
        ),
        read=_read_omniglot,
    ),
}
