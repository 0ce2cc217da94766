"""The real images that samples are compared with."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fashion_dgm.data.images import ImageSet, to_unit_interval
from fashion_dgm.evaluation.feature_cache import FeatureCache
from fashion_dgm.evaluation.features import FeatureSpace
from fashion_dgm.metrics.frechet import Gaussian
from fashion_dgm.metrics.memorisation import copying_probability, nearest
from fashion_dgm.metrics.neighbours import radii
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
        self._radii: dict[tuple[str, str], NDArray[np.float64]] = {}
        self._whole = splits
        self._held_out_distances: dict[tuple[str, str, int], Tensor] = {}

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

    def radii(self, space: FeatureSpace, split: str, k: int, memory_megabytes: int) -> NDArray[np.float64] | None:
        """Returns `metrics.neighbours.radii` of those features; None where there are no `k` neighbours."""
        key = space.name, split
        if key not in self._radii and self.n > k:
            self._radii[key] = radii(self.features(space, split), k, memory_megabytes)
        return self._radii.get(key)

    def copying_probability(self, images: Tensor, split: str, held_out: str) -> float:
        """Returns the probability that one of `images` is nearer to an image of `split` than one of `held_out` is.

        Nearness is that of pixels, and all images of `split` count.

        Arguments:
            images: uint8, or floats in `[0, 1]`, `(N, 1, 28, 28)`; as many held-out ones are taken.
        """

        def distances(queries: Tensor) -> Tensor:
            unit = to_unit_interval(queries) if queries.dtype == torch.uint8 else queries
            whole = torch.from_numpy(self._whole[split].images)
            return nearest(unit.to(self._device), whole.to(self._device))[0].cpu()

        key = split, held_out, len(images)
        if key not in self._held_out_distances:
            real = self._images[held_out].images[: len(images)]
            self._held_out_distances[key] = distances(torch.from_numpy(real))
        return copying_probability(distances(images), self._held_out_distances[key])


def _draw(images: ImageSet, n: int, seed: int, split: str) -> ImageSet:
    rng = np.random.default_rng(derive_seed(seed, "draw", split))
    order = rng.permutation(len(images))
    by_class = order[np.argsort(images.labels[order], kind="stable")]
    # Evenly spaced, from a random start.
    chosen = np.sort(by_class[((np.arange(n) + rng.random()) * len(images) / n).astype(int)])
    return images.take(chosen)
