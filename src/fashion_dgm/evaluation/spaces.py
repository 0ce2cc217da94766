"""Which feature spaces are to be had, and why others are not."""

import dataclasses
import logging

import torch

from fashion_dgm.checkpoint import Checkpoint
from fashion_dgm.classifier.network import build_classifier
from fashion_dgm.classifier.reference import REFERENCE_SHA256, reference_checkpoint
from fashion_dgm.config import FIDConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.evaluation.features import (
    FeatureSpace,
    classifier_space,
    efficientnet_space,
    find_inception_weights,
    inception_space,
)

__all__ = ["available_spaces", "training_data_warnings"]

logger = logging.getLogger(__name__)


def available_spaces(
    config: FIDConfig, trained: Checkpoint | None, device: torch.device
) -> tuple[list[FeatureSpace], list[str]]:
    """Returns the spaces that can be used, and a sentence on each of the others.

    Arguments:
        trained: the classifier that was trained here, or None.

    Raises:
        FashionDGMError: if there is none at all.
    """
    wanted = {"distance in a classifier's features": lambda: _classifier(config, trained, device)}
    if config.efficientnet:
        wanted["distance in EfficientNet's features"] = lambda: efficientnet_space(config.efficientnet_pixels, device)
    if config.inception:
        wanted["FID in Inception features"] = lambda: _inception(config, device)
    spaces, missing = [], []
    for distance, make in wanted.items():
        try:
            spaces.append(make())
        except FashionDGMError as error:
            logger.warning("no %s: %s", distance, error)
            missing.append(str(error))
    if not config.inception:
        missing.append("FID in Inception features was not asked for (fid_eval.inception is off)")
    if not spaces:
        raise FashionDGMError(f"there is no feature space to compare images in: {'; '.join(missing)}")
    return spaces, missing


def training_data_warnings(spaces: list[FeatureSpace], train_sha256: str) -> list[str]:
    """Returns a sentence for each space whose features were learnt from other images than this run's training images."""
    return [
        f"The {space.name} features were learnt from other images than this run's training images (another seed or pool of "
        "data_split): some of the held-out images were among them. The floor may be too high, and the distance of training "
        "images does not show what the network memorised."
        for space in spaces
        if space.trained_on not in (None, train_sha256)
    ]


def _classifier(config: FIDConfig, trained: Checkpoint | None, device: torch.device) -> FeatureSpace:
    checkpoint = reference_checkpoint() if config.classifier == "shipped" else trained
    if checkpoint is None:
        raise FashionDGMError(
            "fid_eval.classifier is `trained`, but none was trained yet: run the pipeline train_classifier, or set it to "
            "`shipped`"
        )
    space = classifier_space(build_classifier(checkpoint), device)
    return dataclasses.replace(
        space,
        # Of the shipped weights, what `sha256sum` gives for their file.
        weights_sha256=REFERENCE_SHA256 if config.classifier == "shipped" else space.weights_sha256,
        accuracy=checkpoint.training.get("benchmark_accuracy"),
        origin=config.classifier,
        trained_on=checkpoint.training.get("data_sha256"),
    )


def _inception(config: FIDConfig, device: torch.device) -> FeatureSpace:
    weights = find_inception_weights(config.inception_weights, config.inception_sha256, config.inception_download)
    return inception_space(weights, device)
