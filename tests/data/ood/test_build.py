"""All sets together: one bad set loses no other, and the summary reports each."""

import json
import logging
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from fashion_dgm.config.data import OODSetsConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.data.ood import build_sets
from fashion_dgm.data.ood.build import check_names, partners_of
from fashion_dgm.data.ood.published import FileMissing
from fashion_dgm.data.ood.transforms import TRANSFORMS, transform
from fashion_dgm.errors import FashionDGMError
from tests.conftest import made_up_images

TRAIN, BENCHMARK, MNIST = (
    made_up_images(200, seed=0),
    made_up_images(80, seed=1),
    made_up_images(70, seed=2, name="mnist"),
)
SYNTHETIC = ("uniform_noise", "gaussian_noise", "black", "white", "grey_levels")


def config(**changes: Any) -> OODSetsConfig:
    every = {
        "published": ("mnist", "digits", "kmnist", "emnist_letters", "omniglot"),
        "transforms": tuple(TRANSFORMS),
        "synthetic": SYNTHETIC,
        "folders": {},
        "max_images": 50,
        "seed": 0,
    }
    return OODSetsConfig(**(every | changes))


def unreachable() -> NoReturn:
    raise FileMissing("no network. Put file into folder", "it could not be fetched. Put file into folder")


def altered() -> NoReturn:
    raise FashionDGMError("not the published file")


def build(**changes: Any) -> tuple[dict[str, ImageSet], dict[str, Any]]:
    published = {"kmnist": unreachable, "emnist_letters": altered, "omniglot": lambda: MNIST.images[::-1].copy()}
    return build_sets(TRAIN, BENCHMARK, MNIST, published, config(**changes))


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, str]:
    """A good set of the user's among bad ones."""
    for name in ("good", "empty", "corrupt", "nan", "objects"):
        (tmp_path / name).mkdir()
    for number in range(60):
        Image.new("RGB", (40 + number, 50), (number, 2 * number, 255)).save(tmp_path / "good" / f"{number:02}.png")
    (tmp_path / "corrupt" / "a.png").write_text("no picture")
    np.save(tmp_path / "nan" / "a.npy", np.full((5, 28, 28), np.nan))
    np.save(tmp_path / "objects" / "a.npy", np.array([{}]), allow_pickle=True)
    names = ("good", "empty", "corrupt", "nan", "objects", "absent")
    return {f"my_{name}": str(tmp_path / name) for name in names} | {
        "my_unknown": "~nosuchuser/a",
        "my_long": "x" * 500,
    }


def test_one_bad_set_loses_no_other(folders: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        sets, summary = build(folders=folders)
    statuses = {name: entry["status"] for name, entry in summary["sets"].items()}
    bad = {"my_empty", "my_corrupt", "my_nan", "my_objects", "my_absent", "my_unknown", "my_long"}
    assert {name for name, status in statuses.items() if status == "skipped"} == bad | {"emnist_letters"}
    assert {name for name, status in statuses.items() if status == "missing"} == {"kmnist"}
    # What the network says is in the log alone, so that the summary is the same on every machine.
    assert summary["sets"]["kmnist"]["reason"] == "it could not be fetched. Put file into folder"
    assert "no network" in caplog.text and "no network" not in str(summary)
    transformed = {f"fashion_mnist_{name}" for name in ("vertical_flip", "horizontal_flip", "inverted", "shuffled")}
    expected = {"mnist", "digits", "omniglot", "my_good", *SYNTHETIC, *transformed}
    assert set(sets) == set(statuses) - bad - {"emnist_letters", "kmnist"} == expected
    for name in bad:
        assert folders[name][:200] in summary["sets"][name]["reason"]
        assert any(name in record.message and folders[name][:200] in record.message for record in caplog.records)
    assert all(len(images) <= 50 and images.images.shape[1:] == (1, 28, 28) for images in sets.values())
    json.dumps(summary, allow_nan=False)


def test_summary_tells_what_each_set_is(folders: dict[str, str]) -> None:
    sets, summary = build(folders=folders)
    for name, images in sets.items():
        entry = summary["sets"][name]
        assert entry["images"] == len(images) and entry["sha256"] == images.sha256
        assert entry["distinct"] == len({image.tobytes() for image in images.images})
        assert entry["origin"] and entry["conversion"]
    good = summary["sets"]["my_good"]
    assert good["origin"] == folders["my_good"] and good["kind"] == "own"
    assert "colour to grey" in good["conversion"] and "resized from" in good["conversion"]
    assert summary["sets"]["black"]["distinct"] == 1


def test_transforms_are_of_the_same_benchmark_images() -> None:
    sets, _ = build()
    mirrored, up = sets["fashion_mnist_horizontal_flip"].images, sets["fashion_mnist_vertical_flip"].images
    assert np.array_equal(mirrored[:, :, :, ::-1], up[:, :, ::-1])
    originals = {image.tobytes() for image in BENCHMARK.images}
    assert all(image.tobytes() in originals for image in mirrored[:, :, :, ::-1])
    assert np.array_equal(255 - sets["fashion_mnist_inverted"].images, up[:, :, ::-1])


@pytest.mark.parametrize(("split", "other"), [("train", "benchmark"), ("benchmark", "train")])
def test_copies_of_known_images_are_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, split: str, other: str
) -> None:
    known = {"train": TRAIN, "benchmark": BENCHMARK}[split]
    nearly = known.images[:10].copy()
    nearly[:, 0, 5, 5] ^= 1
    np.save(tmp_path / "a.npy", np.concatenate([known.images[:30], nearly]))
    with caplog.at_level(logging.WARNING):
        _, summary = build(folders={"copy": str(tmp_path)})
    entry = summary["sets"]["copy"]
    assert entry[f"in_{split}"] == 0.75 and entry[f"in_{other}"] == 0 and entry["status"] == "used"
    assert f"75.0% of the images are exact copies of images of {split}" in entry["note"]
    assert "AUROC near 0.5 is expected" in entry["note"]
    assert any("exact copies" in record.message for record in caplog.records)
    assert summary["sets"]["mnist"]["note"] == ""


def test_a_set_does_not_depend_on_which_others_there_are() -> None:
    every, _ = build()
    for name in SYNTHETIC:
        alone, _ = build(published=(), transforms=(), synthetic=(name,))
        assert list(alone) == [name] and alone[name].sha256 == every[name].sha256
    again, _ = build()
    assert {name: images.sha256 for name, images in again.items()} == {n: i.sha256 for n, i in every.items()}
    other, _ = build(seed=1)
    for name in ("mnist", "uniform_noise", "gaussian_noise", "fashion_mnist_shuffled"):
        assert other[name].sha256 != every[name].sha256


def test_either_set_is_in_distribution_and_never_among_its_own_ood_sets() -> None:
    names = {"published": ("fashion_mnist",), "transforms": ("inverted",), "synthetic": ()}
    sets, summary = build_sets(MNIST, MNIST, BENCHMARK, {}, config(**names))
    assert {name: images.name for name, images in sets.items()} == {n: n for n in ("fashion_mnist", "mnist_inverted")}
    assert summary["sets"]["fashion_mnist"]["origin"] == "FashionMNIST, official test images"
    assert summary["sets"]["mnist_inverted"]["origin"] == "MNIST, official test images"
    with pytest.raises(FashionDGMError, match="mnist is in distribution"):
        build_sets(MNIST, MNIST, BENCHMARK, {}, config())


def test_first_images_of_a_sorted_set_are_of_all_of_it(tmp_path: Path) -> None:
    for level in range(256):
        Image.new("L", (28, 28), level).save(tmp_path / f"{level:03}.png")
    sets, _ = build(
        published=(), transforms=(), synthetic=("grey_levels",), folders={"mine": str(tmp_path)}, max_images=1000
    )
    for images in sets.values():
        levels = images.images[:, 0, 0, 0]
        assert sorted(levels.tolist()) == list(range(256))
        # The mean of 64 levels by chance has a standard deviation of 8.
        assert abs(levels[:64].mean() - 127.5) < 4 * 8


def test_no_set_at_all_is_an_error_with_every_reason(tmp_path: Path) -> None:
    with pytest.raises(FashionDGMError, match="kmnist: it could not be fetched") as caught:
        build(published=("kmnist",), transforms=(), synthetic=(), folders={"mine": str(tmp_path)})
    assert f"mine: {tmp_path} is empty" in str(caught.value)
    with pytest.raises(FashionDGMError, match="none is named"):
        build(published=(), transforms=(), synthetic=())


def test_a_new_transform_is_one_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fashion_dgm.data.ood.build.TRANSFORMS", entries := dict(TRANSFORMS))
    monkeypatch.setattr("fashion_dgm.data.ood.transforms.TRANSFORMS", entries)

    @transform("halved", "every grey level halved")
    def halved(images: np.ndarray, seed: int) -> np.ndarray:
        return images // 2

    sets, summary = build(published=(), transforms=("halved",), synthetic=())
    assert 100 < sets["fashion_mnist_halved"].images.max() < 128
    assert summary["sets"]["fashion_mnist_halved"]["conversion"] == "every grey level halved"


NO_FILE_NAMES = ("", "../evil", "a/b", "A", "a b", "1a", "a" * 41, "ä", "a.b", "a\n")
BAD_NAMES = [
    ({"transforms": ("tilted",)}, r"no transform 'tilted'; ood_sets\.transforms may name vertical_flip"),
    ({"folders": {"mnist_inverted": "a"}}, "mnist_inverted is already the name of one of"),
    *(
        ({"folders": {name: "a"}}, "choose another")
        for name in ("mnist", "fashion_mnist", "train", "benchmark", "black")
    ),
    *(({"folders": {name: "a"}}, "cannot be the name of a set") for name in NO_FILE_NAMES),
    ({"published": ("mnist", "mnist")}, "mnist is named twice"),
    ({"published": ("cifar",)}, "kmnist"),
]


@pytest.mark.parametrize(("changes", "message"), BAD_NAMES)
def test_names_that_are_taken_unknown_or_no_file_names_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises((FashionDGMError, ValidationError), match=message):
        check_names(config(**changes))


def test_partners_are_the_benchmark_images_that_a_set_was_made_from() -> None:
    sets, summary = build()
    for name, each in TRANSFORMS.items():
        partners = partners_of(summary, f"fashion_mnist_{name}")
        made = each.apply(BENCHMARK.images[partners], config().seed)
        assert np.array_equal(sets[f"fashion_mnist_{name}"].images, made), name
    assert partners_of(summary, "mnist") is None
