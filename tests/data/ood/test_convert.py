"""Whatever comes in, 28x28 grey bytes come out, the right way up, bright where it was bright; or a clear refusal."""

import io

import numpy as np
import pytest
from PIL import Image

from fashion_dgm.data.ood.convert import Conversion, grey_of_arrays, grey_of_picture
from fashion_dgm.errors import FashionDGMError

GREY = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)


def converted(picture: Image.Image) -> tuple[np.ndarray, str]:
    conversion = Conversion()
    return grey_of_picture(picture, conversion), conversion.describe()


def of_arrays(arrays: np.ndarray) -> tuple[np.ndarray, str]:
    conversion = Conversion()
    return grey_of_arrays(arrays, slice(None), conversion, "x.npy"), conversion.describe()


def test_the_projects_own_form_is_left_alone() -> None:
    for pixels, said in (converted(Image.fromarray(GREY)), of_arrays(GREY[None])):
        assert np.array_equal(pixels.reshape(28, 28), GREY)
        assert said == "none"


def test_colour_becomes_luma() -> None:
    colours = np.random.default_rng(1).integers(0, 256, (28, 28, 3), dtype=np.uint8)
    luma = colours @ np.array([0.299, 0.587, 0.114])
    for pixels, said in (converted(Image.fromarray(colours)), of_arrays(colours[None])):
        assert np.abs(pixels.reshape(28, 28) - luma).max() <= 1
        assert said == "colour to grey (ITU-R 601 luma)"


@pytest.mark.parametrize("mode", ["RGB", "P", "CMYK", "YCbCr", "HSV"])
def test_a_grey_picture_in_a_colour_mode_stays_what_it_is(mode: str) -> None:
    steps = (GREY // 16 * 16).astype(np.uint8)
    grey = Image.fromarray(steps)
    # A palette of its own, not the 216 colours of the web.
    picture = Image.fromarray(steps).convert("RGB").quantize(256) if mode == "P" else grey.convert("RGB")
    if mode not in ("RGB", "P"):
        picture = picture.convert(mode)
    pixels, said = converted(picture)
    assert np.abs(pixels.astype(int) - steps).max() <= 2
    assert "colour to grey" in said


def test_two_levels_become_black_and_white() -> None:
    for (pixels, said), expected in zip(
        (converted(Image.fromarray(GREY > 127)), of_arrays(GREY[None] > 127)), ("none", "true and false"), strict=True
    ):
        assert np.array_equal(pixels.reshape(28, 28), np.where(GREY > 127, 255, 0))
        assert expected in said


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_black(mode: str) -> None:
    alpha = np.zeros((28, 28), dtype=np.uint8)
    alpha[:, 14:] = 255
    white = Image.new("L", (28, 28), 255)
    white.putalpha(Image.fromarray(alpha))
    if mode == "P":
        picture = Image.fromarray((alpha > 0).astype(np.uint8)).convert("P")
        picture.putpalette([255, 0, 0, 255, 255, 255])
        picture.info["transparency"] = 0
    else:
        picture = white.convert(mode)
    pixels, said = converted(picture)
    assert not pixels[:, :14].any() and (pixels[:, 14:] == 255).all()
    assert "transparency laid on black" in said


def test_sixteen_bits_become_eight_from_files_and_arrays() -> None:
    wide = GREY.astype(np.uint16) * 257
    buffer = io.BytesIO()
    Image.fromarray(wide).save(buffer, "PNG")
    for pixels, said in (converted(Image.open(buffer)), of_arrays(wide[None])):
        assert np.array_equal(pixels.reshape(28, 28), GREY)
        assert said == "16 bits to 8"
    # A dark picture stays dark.
    assert converted(Image.fromarray(np.full((28, 28), 200, dtype=np.uint16)))[0].max() == 1


def test_sizes_are_made_by_an_antialiased_filter_that_does_not_overshoot_from_the_central_square() -> None:
    # Each output pixel is a mean of what it covers: a fine checkerboard becomes even grey, not black or white.
    board = np.indices((280, 280)).sum(axis=0) % 2 * 255
    pixels, said = converted(Image.fromarray(board.astype(np.uint8)))
    assert np.abs(pixels.astype(int) - 127).max() <= 3
    assert "resized from 280x280 to 28x28" in said and "antialiased" in said
    small = np.full((8, 8), 100, dtype=np.uint8)
    small[2:6, 2:6] = 150
    pixels, _ = converted(Image.fromarray(small))
    assert pixels.min() == 100 and pixels.max() == 150
    wide = np.zeros((56, 112), dtype=np.uint8)
    wide[:, 28:84] = 200
    pixels, said = converted(Image.fromarray(wide))
    assert (pixels[:, 1:-1] == 200).all()
    assert "cut to the central square" in said and "112x56" in said
    conversion = Conversion()
    for size in ((30, 40), (8, 8), (28, 28), (300, 200)):
        assert grey_of_picture(Image.new("L", size, 7), conversion).shape == (28, 28)
    assert "resized from 8x8 to 300x200 to 28x28" in conversion.describe()


def test_photographs_are_turned_upright_and_of_an_animation_the_first_frame_counts() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    buffer = io.BytesIO()
    Image.fromarray(GREY).save(buffer, "PNG", exif=exif)
    assert np.array_equal(converted(Image.open(buffer))[0], GREY[::-1, ::-1])
    buffer = io.BytesIO()
    frames = [Image.new("L", (28, 28), value) for value in (40, 90)]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    pixels, said = converted(Image.open(buffer))
    assert (pixels == 40).all() and "first frame" in said


@pytest.mark.parametrize(
    "arrays",
    [
        GREY[None],
        GREY[None, None],
        GREY[None, ..., None],
        np.repeat(GREY[None, None], 3, axis=1),
        np.repeat(GREY[None, ..., None], 3, axis=3),
        GREY[None].astype(np.int64),
        GREY[None] / 255,
        (GREY[None] / 255).astype(np.float32),
    ],
    ids=lambda arrays: f"{arrays.dtype}{arrays.shape}",
)
def test_every_layout_and_type_of_the_same_image_is_the_same_image(arrays: np.ndarray) -> None:
    pixels, _ = of_arrays(arrays)
    assert pixels.shape == (1, 28, 28) and pixels.dtype == np.uint8
    assert np.abs(pixels[0].astype(int) - GREY).max() <= 1


def test_arrays_of_other_sizes_are_resized_like_pictures() -> None:
    tall = np.random.default_rng(2).integers(0, 256, (3, 60, 40, 3), dtype=np.uint8)
    pixels, _ = of_arrays(tall)
    for i in range(3):
        assert np.array_equal(pixels[i], converted(Image.fromarray(tall[i]))[0])


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.uint16])
def test_integers_of_0_and_1_are_black_and_white_and_it_is_reported(dtype: type) -> None:
    pixels, said = of_arrays((GREY[None] > 127).astype(dtype))
    assert np.array_equal(pixels[0], np.where(GREY > 127, 255, 0))
    assert "0 and 1 to black and white" in said


def test_a_black_array_stays_black() -> None:
    assert not of_arrays(np.zeros((1, 28, 28), np.uint8))[0].any()


REFUSED = {
    "NaN": (np.where(GREY[None] == 7, np.nan, 0.5), "NaN or infinity"),
    "infinity": (np.full((2, 28, 28), np.inf), "NaN or infinity"),
    "floats above 1": (GREY[None].astype(float), "must lie in [0, 1]"),
    "floats below 0": (GREY[None] / 127.5 - 1, "must lie in [0, 1]"),
    "negative integers": (GREY[None].astype(np.int16) - 100, "must lie in 0..255"),
    "large integers": (GREY[None].astype(np.int32) * 1000, "must lie in 0..255"),
    "complex": (GREY[None].astype(complex), "type complex128"),
    "text": (np.full((2, 28, 28), "x"), "type <U1"),
    "one image": (GREY, "has the shape (28, 28)"),
    "flat": (GREY.reshape(1, 784), "flat ones to (N, 28, 28)"),
    "five dimensions": (GREY[None, None, None], "has the shape"),
    "one colour image": (np.zeros((28, 28, 3), np.uint8), "a single image to (1, H, W)"),
    "two channels": (np.zeros((5, 2, 28, 28), np.uint8), "1, 3 or 4 channels"),
    "no images": (np.zeros((0, 28, 28), np.uint8), "is empty"),
    "a number": (np.uint8(3), "has the shape ()"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_array_of_images_is_refused_with_its_name(kind: str) -> None:
    array, expected = REFUSED[kind]
    with pytest.raises(FashionDGMError) as caught:
        of_arrays(np.asarray(array))
    assert str(caught.value).startswith("x.npy ") and expected in str(caught.value)
