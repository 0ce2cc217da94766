"""Samples epoch by epoch, as a moving picture."""

import io
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.reporting.figures.axes import check_not_empty
from fashion_dgm.reporting.figures.images import mosaic_of

__all__ = ["animation", "frame"]

_SCALE = 2
_BAND = 28
_LAST_LASTS = 5


def frame(images: NDArray, columns: int, label: str) -> Image.Image:
    """Returns images row by row on white, twice their size, with a label above: 8-bit grey.

    Arguments:
        images: uint8 in 0..255 or floats in `[0, 1]`, `(N, 1, H, W)`.
        columns: images in a row.

    Raises:
        FashionDGMError: if there is no image, or a pixel is not finite.
    """
    if not np.isfinite(images).all():
        raise FashionDGMError(f"{label}: samples hold NaN or infinite values; the model has diverged")
    grey = np.round(255 * mosaic_of(images, columns)[:, :, 0]).astype(np.uint8)
    mosaic = Image.fromarray(grey.repeat(_SCALE, axis=0).repeat(_SCALE, axis=1))
    canvas = Image.new("L", (mosaic.width, mosaic.height + _BAND), 255)
    canvas.paste(mosaic, (0, _BAND))
    ImageDraw.Draw(canvas).text((2, _BAND / 2), label, fill=26, anchor="lm", font=ImageFont.load_default(18))
    return canvas


def animation(samples: Mapping[int, NDArray], columns: int, milliseconds: int) -> bytes:
    """Returns a GIF of what a generator makes of the same latents, a frame an epoch, round and round.

    256 greys fit GIF's palette, so nothing is lost; the last frame stays five times as long. The same samples give the
    same bytes.

    Arguments:
        samples: epoch to floats in `[0, 1]`, `(N, 1, H, W)`.
        columns: images in a row.
        milliseconds: how long a frame stays.

    Raises:
        FashionDGMError: if there is no epoch, or an epoch cannot be drawn.
    """
    check_not_empty(samples, "epochs")
    frames = [frame(samples[epoch], columns, f"epoch {epoch}") for epoch in sorted(samples)]
    durations = [milliseconds] * (len(frames) - 1) + [_LAST_LASTS * milliseconds]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0, optimize=False)
    return buffer.getvalue()
