"""The real images that samples are compared with."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from fashion_dgm.data.images import ImageSet
from fashion_dgm.evaluation.feature_cache import FeatureCache
from fashion_dgm.evaluation.features import FeatureSpace
from fashion_dgm.metrics.frechet import Gaussian
from fashion_dgm.training.seeds import derive_seed

__all__ = ["RealImages"]


class RealImages:
    """The same number of images of each split, drawn by seed, with their features and Gaussians in any space.

    Each class keeps its proportion, up to one image: chance in the proportions would add to every distance.

    Arguments:
        splits: real images by split.
        samples: N, the number of each; the size of the smallest split if that is less.
        cache: where features are kept between runs.
    """

    def __init__(
        self,
        splits: Mapping[str, ImageSet],
        samples: int,
        seed: int,
        cache: FeatureCache,
        device: torch.device,
        batch_size: int,
    ) -> None:
        self.n = min(samples, *(len(images) for images in splits.values()))
        self._images = {split: _draw(images, self.n, seed, split) for split, images in splits.items()}
        self._cache, self._device, self._batch_size = cache, device, batch_size
        self._features: dict[tuple[str, str], NDArray[np.float32]] = {}
        self._gaussians: dict[tuple[str, str], Gaussian] = {}

    def features(self, space: FeatureSpace, split: str) -> NDArray[np.float32]:
        """Returns features `(N, D)` of the images of a split."""
        key = space.name, split
        if key not in self._features:
            images = self._images[split].images
            self._features[key] = self._cache.features(space, images, self._device, self._batch_size)
        return self._features[key]

    def labels(self, split: str) -> NDArray[np.uint8]:
        """Returns labels `(N,)` of the images of a split."""
        return self._images[split].labels

    def gaussian(self, space: FeatureSpace, split: str) -> Gaussian:
        """Returns mean and covariance of those features."""
        key = space.name, split
        if key not in self._gaussians:
            self._gaussians[key] = Gaussian.fit(self.features(space, split))
        return self._gaussians[key]


def _draw(images: ImageSet, n: int, seed: int, split: str) -> ImageSet:
    rng = np.random.default_rng(derive_seed(seed, "draw", split))
    order = rng.permutation(len(images))
    by_class = order[np.argsort(images.labels[order], kind="stable")]
    # Evenly spaced, from a random start.
    chosen = np.sort(by_class[((np.arange(n) + rng.random()) * len(images) / n).astype(int)])
    return images.take(chosen)
