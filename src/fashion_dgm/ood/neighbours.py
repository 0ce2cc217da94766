"""How far an image is from the nearest training images."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fashion_dgm.errors import FashionDGMError

__all__ = ["Neighbours"]


class Neighbours:
    """The distance to the k-th nearest of some reference images, in a space of descriptors.

    Sun et al., 2022, "Out-of-distribution detection with deep nearest neighbors". With k = 2, an image that is itself among
    the references is not its own neighbour: copies of training images then look neither OOD nor too close.

    Arguments:
        describe: takes images, uint8 `(N, 1, H, W)`, to descriptors `(N, D)`.
        reference: training images, uint8 `(M, 1, H, W)`.
        k: which neighbour, counted from 1.
        device: where distances are computed.
        batch_size: images at once.

    Raises:
        FashionDGMError: if there are fewer than k references.
    """

    def __init__(
        self, describe: Callable[[Tensor], Tensor], reference: Tensor, k: int, device: torch.device, batch_size: int
    ) -> None:
        if len(reference) < k:
            raise FashionDGMError(f"neighbour {k} needs at least as many reference images, not {len(reference)}")
        self._describe, self._k, self._device, self._batch_size = describe, k, device, batch_size
        self._reference = torch.cat([self._descriptors(part) for part in reference.split(batch_size)])
        self._squares = self._reference.square().sum(1)

    @torch.no_grad()
    def distance(self, images: Tensor) -> NDArray[np.float64]:
        """Returns the distances `(N,)` of uint8 images `(N, 1, H, W)`."""
        parts = []
        for part in images.split(self._batch_size):
            descriptors = self._descriptors(part)
            # |x - r|^2 = |x|^2 + |r|^2 - 2 x.r: one matrix product in the place of N M differences.
            relative = torch.addmm(self._squares, descriptors, self._reference.T, alpha=-2)
            nearest = relative.topk(self._k, dim=1, largest=False).values[:, -1]
            parts.append((nearest + descriptors.square().sum(1)).clamp_min(0).sqrt().double().cpu())
        return torch.cat(parts).numpy()

    @torch.no_grad()
    def _descriptors(self, images: Tensor) -> Tensor:
        return self._describe(images.to(self._device)).float()
