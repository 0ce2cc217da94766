"""Which classes a generator makes: whether it has collapsed to a few of them.

The classes are those that a classifier sees, so its own confusions are in the figures; held-out images, classified by the
same network, show how much.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

__all__ = ["class_entropy", "class_fractions", "missing_classes"]


@torch.no_grad()
def class_fractions(classifier: Callable[[Tensor], Tensor], images: Tensor, batch_size: int = 500) -> Tensor:
    """Returns which fraction of images the classifier, in evaluation mode, takes for each class: float64 `(10,)`.

    Arguments:
        classifier: takes images to logits `(N, 10)`.
        images: floats in `[0, 1]`, `(N, 1, 28, 28)`, on the classifier's device.
    """
    classes = torch.cat([classifier(part).argmax(dim=1) for part in images.split(batch_size)])
    counts = torch.bincount(classes, minlength=10)
    return counts.cpu().double() / len(images)


def class_entropy(fractions: Tensor | Sequence[float]) -> float:
    """Returns the entropy of fractions with the sum 1 over its maximum: 1 if all are equal, 0 of one class alone."""
    fractions = torch.as_tensor(fractions, dtype=torch.float64)
    return float(torch.special.entr(fractions).sum()) / math.log(len(fractions))


def missing_classes(fractions: Tensor | Sequence[float], least_fraction: float) -> int:
    """Returns how many classes have less than `least_fraction` of the images."""
    return int((torch.as_tensor(fractions, dtype=torch.float64) < least_fraction).sum())
