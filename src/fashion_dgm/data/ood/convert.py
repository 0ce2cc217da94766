"""Any picture to the project's form: 28x28 pixels, grey, unsigned bytes; and what had to be done to it."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from fashion_dgm.errors import FashionDGMError

__all__ = ["SIDE", "Conversion", "grey_of_arrays", "grey_of_picture"]

SIDE = 28
_CHANNELS = (1, 3, 4)
_WIDE_GREY = ("I;16", "I;16L", "I;16B", "I;16N", "I")  # `I` is 32 bits wide; some formats put 16-bit greys there


@dataclass
class Conversion:
    """What was done to the images of a set, so that the summary can say so."""

    sizes: set[tuple[int, int]] = field(default_factory=set)
    steps: set[str] = field(default_factory=set)

    def describe(self) -> str:
        """One line: `none` where every image was 28x28 grey bytes."""
        steps = sorted(self.steps)
        resized = sorted(self.sizes - {(SIDE, SIDE)})
        if resized:
            smallest, largest = min(resized, key=np.prod), max(resized, key=np.prod)
            sizes = "{}x{}".format(*smallest) + (" to {}x{}".format(*largest) if len(resized) > 1 else "")
            if any(width != height for width, height in resized):
                steps.append("cut to the central square")
            steps.append(f"resized from {sizes} to {SIDE}x{SIDE} pixels by Pillow, bilinear, antialiased")
        return "; ".join(steps) or "none"


def grey_of_picture(picture: Image.Image, conversion: Conversion) -> NDArray[np.uint8]:
    """Turns a picture of any mode and size into uint8 `(28, 28)`.

    Colour becomes grey by ITU-R 601 luma; transparency is laid on black, the ground of FashionMNIST; 16 bits become 8;
    what is not square is cut to its central square; a bilinear filter as wide as the reduction needs (antialiased, and
    without the overshoot of sharper ones) makes the size.

    Raises:
        FashionDGMError: if pixels are neither bytes nor 16-bit integers nor floats in `[0, 1]`.
    """
    if getattr(picture, "n_frames", 1) > 1:
        conversion.steps.add("first frame of several")
        picture.seek(0)
    upright = ImageOps.exif_transpose(picture)
    grey = _bytes_of(upright, conversion)
    conversion.sizes.add(grey.size)
    if grey.size != (SIDE, SIDE):
        grey = ImageOps.fit(grey, (SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.asarray(grey, dtype=np.uint8)


def grey_of_arrays(
    arrays: NDArray, index: NDArray[np.int64] | slice, conversion: Conversion, name: str
) -> NDArray[np.uint8]:
    """Turns the images at `index` of an array into uint8 `(N, 28, 28)`; all of the array is checked.

    Arguments:
        arrays: `(N, H, W)`, `(N, C, H, W)` or `(N, H, W, C)` with 1, 3 or 4 channels; unsigned bytes, other integers in
            0..255, uint16, floats in `[0, 1]`, or booleans and integers of 0 and 1 alone, which are black and white.
        index: which images.
        conversion: records what was done.
        name: what the error calls the array.

    Raises:
        FashionDGMError: if shape, dtype or values are others.
    """
    layout = _layout(arrays, name)
    scale = _scale(arrays, conversion, name)
    chosen = np.asarray(arrays[index])
    if len(chosen) == 0:
        return np.empty((0, SIDE, SIDE), np.uint8)
    if layout == "NCHW":
        chosen = chosen.transpose(0, 2, 3, 1)
    pixels = np.rint(chosen * scale).astype(np.uint8) if scale != 1 else chosen.astype(np.uint8)
    if layout != "NHW" and pixels.shape[3] == 1:
        pixels = pixels[..., 0]
    if pixels.shape[1:] == (SIDE, SIDE):
        conversion.sizes.add((SIDE, SIDE))
        return pixels
    return np.stack([grey_of_picture(Image.fromarray(image), conversion) for image in pixels])


def _bytes_of(picture: Image.Image, conversion: Conversion) -> Image.Image:
    """The picture in Pillow's mode `L`."""
    if picture.mode in _WIDE_GREY or picture.mode == "F":
        values = np.asarray(picture)
        scale = _scale(values, conversion, "it") if picture.mode == "F" else _scale_16(values, conversion, "it")
        return Image.fromarray(np.rint(values * scale).astype(np.uint8))
    if picture.has_transparency_data:
        conversion.steps.add("transparency laid on black")
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "black"), picture).convert("RGB")
    if picture.mode in ("L", "1"):
        return picture.convert("L")
    conversion.steps.add("colour to grey (ITU-R 601 luma)")
    return picture.convert("RGB").convert("L")


def _layout(arrays: NDArray, name: str) -> str:
    shape = arrays.shape
    if 0 in shape:
        raise FashionDGMError(f"{name} is empty: its shape is {shape}")
    if arrays.ndim == 3 and shape[2] > 4:
        return "NHW"
    if arrays.ndim == 4 and (shape[1] in _CHANNELS) != (shape[3] in _CHANNELS):
        return "NCHW" if shape[1] in _CHANNELS else "NHWC"
    raise FashionDGMError(
        f"{name} has the shape {shape}, but images must be (N, H, W), (N, C, H, W) or (N, H, W, C) with 1, 3 or 4 "
        "channels; reshape it, a single image to (1, H, W), flat ones to (N, 28, 28)"
    )


def _scale(values: NDArray, conversion: Conversion, name: str) -> float:
    """What to multiply values with to have them in 0..255."""
    if values.dtype == np.bool_:
        conversion.steps.add("true and false to white and black")
        return 255.0
    if np.issubdtype(values.dtype, np.floating):
        if not np.isfinite(values).all():
            fraction = 1 - np.isfinite(values).mean()
            raise FashionDGMError(f"{name} holds NaN or infinity ({fraction:.2%} of its values); leave such images out")
        low, high = float(values.min()), float(values.max())
        if low < 0 or high > 1:
            raise FashionDGMError(
                f"{name} holds floats from {low:g} to {high:g}, but they must lie in [0, 1]; scale them, or save unsigned "
                "bytes"
            )
        conversion.steps.add("floats in [0, 1] to bytes")
        return 255.0
    if not np.issubdtype(values.dtype, np.integer):
        raise FashionDGMError(
            f"{name} holds values of type {values.dtype}; images are unsigned bytes or floats in [0, 1]"
        )
    low, high = int(values.min()), int(values.max())
    if low == 0 and high == 1:
        conversion.steps.add("0 and 1 to black and white")
        return 255.0
    if low >= 0 and high <= 255:
        return 1.0
    if values.dtype == np.uint16:
        return _scale_16(values, conversion, name)
    raise FashionDGMError(f"{name} holds integers from {low} to {high}, but they must lie in 0..255; scale them")


def _scale_16(values: NDArray, conversion: Conversion, name: str) -> float:
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 65535:
        raise FashionDGMError(f"{name} holds integers from {low} to {high}, but 16 bits end at 65535; scale them")
    conversion.steps.add("16 bits to 8")
    return 1 / 257
