"""Features of images that were compared before, kept on disk."""

import hashlib
import json
import logging
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.evaluation.features import FeatureSpace
from fashion_dgm.files import DAMAGED, atomic_path, opened
from fashion_dgm.training.code_version import code_version

__all__ = ["FeatureCache"]

logger = logging.getLogger(__name__)

CODE = ("fashion_dgm.evaluation.features",)


class FeatureCache:
    """A folder of features, each under a hash of all that decides them.

    These are the pixels themselves (and with them the split, N and the seed of the draw), the feature space with its
    weights, the code, torch's version and the kind of device. So nothing is ever stale; all of it may be deleted. The files
    are `.npz`, whose checksums numpy compares. A folder that cannot be read or written is a warning.

    Arguments:
        folder: where the files are; None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def features(
        self, space: FeatureSpace, images: NDArray[np.uint8], device: torch.device, batch_size: int
    ) -> NDArray[np.float32]:
        """Returns the features `(N, D)` of uint8 images `(N, 1, 28, 28)`, from disk where they are there."""
        if self._folder is None:
            return space(torch.from_numpy(images), device, batch_size)
        path = self._folder / f"{space.name}-{_key(space, images, device)}.npz"
        found = _read(path, (len(images), space.dimension))
        if found is None:
            found = space(torch.from_numpy(images), device, batch_size)
            try:
                with atomic_path(path) as temporary, temporary.open("wb") as file:
                    np.savez(file, features=found)
            except FashionDGMError as error:
                logger.warning("features are not kept for the next run: %s", error)
        return found


def _key(space: FeatureSpace, images: NDArray[np.uint8], device: torch.device) -> str:
    pixels = hashlib.sha256(images.tobytes()).hexdigest()
    parts = (images.shape, pixels, space.name, space.layer, space.dimension, space.weights_sha256)
    text = json.dumps([*parts, code_version(*CODE), torch.__version__, device.type])
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _read(path: Path, shape: tuple[int, int]) -> NDArray[np.float32] | None:
    try:
        with opened(path) as file:
            found: NDArray[np.float32] = np.load(file, allow_pickle=False)["features"]
        if found.shape != shape or found.dtype != np.float32:
            raise ValueError(f"it holds {found.shape} numbers of type {found.dtype}")
    except FileNotFoundError:
        return None
    except FashionDGMError as error:
        logger.warning("features are extracted anew: %s", error)
        return None
    except DAMAGED as error:
        logger.warning("%s is damaged (%s); its features are extracted anew", path.name, error)
        return None
    return found
