"""Nodes of `data_split`."""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np

from fashion_dgm.config import DataSplitConfig, OODSetsConfig
from fashion_dgm.data.images import FASHION_CLASSES, ImageSet
from fashion_dgm.data.split import pool_images, stratified_split
from fashion_dgm.pipelines.late import Fetch, Figure, figures

__all__ = ["make_ood_sets", "plot_examples", "plot_ood_sets", "split_images", "summarise_split"]

logger = logging.getLogger(__name__)


def split_images(raw: dict[str, ImageSet], config: DataSplitConfig) -> tuple[ImageSet, ImageSet, ImageSet]:
    """Cuts the pool into train and test, stratified by label, and sets the official test images apart as benchmark.

    With `pool: all` the official test images are in the pool; benchmark is then those of them that fell into test, so
    that it never holds an image that was trained on.
    """
    pool = pool_images(raw["train"], raw["benchmark"], config.pool)
    train, test = stratified_split(pool.labels, config.test_fraction, config.seed)
    if config.pool == "train":
        return pool.take(train), pool.take(test), raw["benchmark"]
    logger.warning("pool: all trains on official test images; likelihoods and FIDs don't compare with published ones")
    return pool.take(train), pool.take(test), pool.take(test[test >= len(raw["train"])])


def summarise_split(train: ImageSet, test: ImageSet, benchmark: ImageSet, config: DataSplitConfig) -> dict[str, Any]:
    """Counts the images of each split by class, with their hashes."""
    splits = {"train": train, "test": test, "benchmark": benchmark}
    return {
        "pool": config.pool,
        "seed": config.seed,
        "splits": {
            name: {
                "images": len(images),
                "per_class": np.bincount(images.labels, minlength=len(FASHION_CLASSES)).tolist(),
                "sha256": images.sha256,
            }
            for name, images in splits.items()
        },
    }


def make_ood_sets(
    train: ImageSet, benchmark: ImageSet, other: dict[str, ImageSet], config: OODSetsConfig, **published: Fetch
) -> tuple[dict[str, ImageSet], dict[str, Any]]:
    """Makes every out-of-distribution set that can be made, and reports the outcome of each."""
    from fashion_dgm.data.ood import build_sets

    return build_sets(train, benchmark, other["benchmark"], published, config)


def plot_examples(train: ImageSet) -> Figure:
    """Draws ten training images of each class."""
    return figures.class_examples(train.images, train.labels, FASHION_CLASSES, per_class=10)


def plot_ood_sets(benchmark: ImageSet, ood_sets: Mapping[str, ImageSet], summary: dict[str, Any]) -> Figure:
    """Draws images of each out-of-distribution set below some of those that models are made for."""
    from fashion_dgm.data.ood import in_order

    names = [name for name in in_order(summary["sets"]) if name in ood_sets]
    return figures.ood_set_examples(
        {benchmark.name: benchmark.images, **{name: ood_sets[name].images for name in names}}
    )
