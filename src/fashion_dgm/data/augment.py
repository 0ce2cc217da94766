"""Random changes of training images that leave their labels true."""

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["random_flip", "random_shift"]


def random_flip(images: Tensor) -> Tensor:
    """Mirrors each of the images `(N, C, H, W)` left to right with probability one half."""
    flipped = torch.rand(len(images), 1, 1, 1, device=images.device) < 0.5
    return torch.where(flipped, images.flip(3), images)


def random_shift(images: Tensor, pixels: int) -> Tensor:
    """Moves each of the images `(N, C, H, W)` by up to `pixels` both ways, zeros coming in at the edges."""
    if pixels == 0:
        return images
    count, channels, height, width = images.shape
    padded = F.pad(images, (pixels,) * 4)
    down, right = torch.randint(2 * pixels + 1, (2, count, 1, 1), device=images.device)
    rows = torch.arange(height, device=images.device).view(-1, 1) + down  # N x H x 1
    columns = torch.arange(width, device=images.device) + right  # N x 1 x W
    index = (rows * padded.shape[3] + columns).view(count, 1, -1).expand(-1, channels, -1)
    return padded.flatten(start_dim=2).gather(2, index).view_as(images)
