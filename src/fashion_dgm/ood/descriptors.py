"""What of an image is compared with training images to find its nearest ones."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from fashion_dgm.data.images import to_unit_interval

__all__ = ["edges", "pixels"]

_SOBEL = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])


def pixels(images: Tensor) -> Tensor:
    """Returns the pixels themselves in `[0, 1]`, `(N, H W)`, of uint8 images `(N, 1, H, W)`."""
    return to_unit_interval(images).flatten(1)


def edges(images: Tensor) -> Tensor:
    """Returns where an image has edges of which direction, `(N, 4 * H/2 * W/2)`, of uint8 images `(N, 1, H, W)`.

    The gradient of the smoothed image, split by sign into four maps (brighter to the right, left, down, up), each blurred
    and halved in size: convolved orientation maps as in Tola et al., 2010, "DAISY", and the plain form of histograms of
    oriented gradients (Dalal and Triggs, 2005). Nothing in it is learned.
    """
    smooth = _blur(to_unit_interval(images), 1.0)
    kernels = torch.stack([_SOBEL, _SOBEL.T]).unsqueeze(1).to(smooth.device)
    gradient = F.conv2d(F.pad(smooth, (1, 1, 1, 1), mode="replicate"), kernels)  # N x 2 x H x W
    maps = torch.cat([gradient.clamp_min(0), (-gradient).clamp_min(0)], dim=1)  # N x 4 x H x W
    return _blur(maps, 1.5)[:, :, ::2, ::2].flatten(1)


def _blur(maps: Tensor, sigma: float) -> Tensor:
    """Convolves each map of `(N, C, H, W)` with a Gaussian of that standard deviation in pixels."""
    radius = int(4 * sigma + 0.5)
    offsets = torch.arange(-radius, radius + 1, device=maps.device, dtype=maps.dtype)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = kernel / kernel.sum()
    flat = maps.flatten(0, 1).unsqueeze(1)
    flat = F.conv2d(F.pad(flat, (radius, radius, 0, 0), mode="replicate"), kernel.view(1, 1, 1, -1))
    flat = F.conv2d(F.pad(flat, (0, 0, radius, radius), mode="replicate"), kernel.view(1, 1, -1, 1))
    return flat.view_as(maps)
