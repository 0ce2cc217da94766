"""Files of published sets: checked, turned the right way, and replaced by a reason where they cannot be had."""

import dataclasses
import gzip
import hashlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image

from fashion_dgm.data.idx import write_idx
from fashion_dgm.data.ood.published import PUBLISHED_SETS, FileMissing, PublishedSet, fetch_published
from fashion_dgm.errors import FashionDGMError
from tests.data.conftest import Mirror

Start = Callable[[dict[str, bytes]], Mirror]
GREYS = np.random.default_rng(0).integers(0, 256, (7, 28, 28), dtype=np.uint8)
UNREACHABLE = "http://127.0.0.1:9/file"


def idx_bytes(images: np.ndarray, folder: Path) -> bytes:
    write_idx(folder / "idx", images)
    return gzip.compress((folder / "idx").read_bytes(), mtime=0)


def archive(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, data in members.items():
            target.writestr(name, data)
    return buffer.getvalue()


def png(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def made_up(name: str, data: bytes, url: str = UNREACHABLE) -> PublishedSet:
    """The set as it is, but for what lies in its file."""
    return dataclasses.replace(PUBLISHED_SETS[name], md5=hashlib.md5(data).hexdigest(), url=url)


def put(published: PublishedSet, folder: Path, data: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / published.file).write_bytes(data)


def test_sums_and_addresses_are_those_of_torchvision() -> None:
    from torchvision.datasets import EMNIST, KMNIST, Omniglot

    kmnist = PUBLISHED_SETS["kmnist"]
    assert (kmnist.file, kmnist.md5) in KMNIST.resources
    assert kmnist.url.removesuffix(kmnist.file) in KMNIST.mirrors
    assert (PUBLISHED_SETS["emnist_letters"].url, PUBLISHED_SETS["emnist_letters"].md5) == (EMNIST.url, EMNIST.md5)
    omniglot = PUBLISHED_SETS["omniglot"]
    assert omniglot.md5 == Omniglot.zips_md5["images_evaluation"]
    assert omniglot.url == f"{Omniglot.download_url_prefix}/images_evaluation.zip"


@pytest.mark.parametrize("name", ["kmnist", "emnist_letters"])
def test_images_are_the_right_way_round(tmp_path: Path, name: str) -> None:
    """EMNIST's published file has rows for columns, which torchvision's users turn by hand."""
    data = idx_bytes(GREYS, tmp_path)
    if name == "emnist_letters":
        turned = idx_bytes(np.ascontiguousarray(GREYS.transpose(0, 2, 1)), tmp_path)
        data = archive({"gzip/emnist-letters-test-images-idx3-ubyte.gz": turned})
    published = made_up(name, data)
    put(published, tmp_path / "raw", data)
    assert np.array_equal(fetch_published(published, tmp_path / "raw")[:, 0], GREYS)


def test_omniglot_has_bright_strokes_on_black_and_an_order(tmp_path: Path) -> None:
    pages = []
    for place in (20, 60):
        page = np.ones((105, 105), dtype=bool)
        page[:, place : place + 8] = False
        pages.append(png(page))
    data = archive({"images_evaluation/B/1.png": pages[1], "images_evaluation/A/1.png": pages[0], "x/readme.txt": b""})
    published = made_up("omniglot", data)
    put(published, tmp_path / "raw", data)
    images = fetch_published(published, tmp_path / "raw")[:, 0]
    assert images.shape == (2, 28, 28)
    assert (images[:, 0].argmax(axis=1) // 4).tolist() == [1, 4]
    assert images.max() > 200 and np.median(images) == 0


@pytest.mark.parametrize("name", PUBLISHED_SETS)
def test_what_cannot_be_fetched_tells_which_file_to_put_where(tmp_path: Path, name: str) -> None:
    published = dataclasses.replace(PUBLISHED_SETS[name], url=UNREACHABLE)
    for download, reason in ((True, "cannot be fetched"), (False, "this configuration does not fetch it")):
        with pytest.raises(FileMissing, match=reason) as caught:
            fetch_published(published, tmp_path / "raw", download)
        advice = f"Put {published.file} ({published.megabytes} MB, MD5 {published.md5}) into {tmp_path / 'raw'}"
        assert advice in str(caught.value)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_the_reason_does_not_depend_on_what_the_network_says(
    tmp_path: Path, mirror: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{mirror({'file': b'a page that wants a login'}).url}file"
    published, found = made_up("kmnist", idx_bytes(GREYS, tmp_path), url), []
    for wrong in (None, ConnectionError("name not known"), TimeoutError("<object at 0x7f73bb>: timed out")):
        with monkeypatch.context() as patch:
            if wrong is not None:
                patch.setattr("pooch.HTTPDownloader.__call__", Mock(side_effect=wrong))
            with pytest.raises(FileMissing) as caught:
                fetch_published(published, tmp_path / "raw")
        found.append(caught.value)
    assert len({str(error) for error in found}) == 3
    # The page is another file than the published one, and is not kept.
    assert "its MD5 is wrong" in str(found[0]) and not list((tmp_path / "raw").iterdir())
    (reason,) = {error.reason for error in found}
    assert url in reason and f"Put {published.file} " in reason


def test_a_file_is_fetched_once_and_kept(tmp_path: Path, mirror: Start) -> None:
    data = idx_bytes(GREYS, tmp_path)
    server = mirror({"file": data})
    published = made_up("kmnist", data, f"{server.url}file")
    for _ in range(2):
        assert np.array_equal(fetch_published(published, tmp_path / "raw")[:, 0], GREYS)
    assert server.asked == ["file"]


def test_an_altered_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    published = made_up("kmnist", idx_bytes(GREYS, tmp_path))
    put(published, tmp_path / "raw", b"altered")
    with pytest.raises(FashionDGMError, match="Delete it to fetch it again") as caught:
        fetch_published(published, tmp_path / "raw")
    assert not isinstance(caught.value, FileMissing)
    assert (tmp_path / "raw" / published.file).read_bytes() == b"altered"


@pytest.mark.parametrize("name", PUBLISHED_SETS)
@pytest.mark.parametrize("data", [b"", b"nonsense", archive({"a": b"b"})], ids=["empty", "nonsense", "archive"])
def test_a_file_that_holds_something_else_is_an_error(tmp_path: Path, name: str, data: bytes) -> None:
    published = made_up(name, data)
    put(published, tmp_path / "raw", data)
    with pytest.raises(FashionDGMError, match=published.file):
        fetch_published(published, tmp_path / "raw")
