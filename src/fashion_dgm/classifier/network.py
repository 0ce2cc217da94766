"""A small FashionMNIST classifier, whose features are an alternative to Inception's."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from fashion_dgm.checkpoint import Checkpoint, rebuild
from fashion_dgm.data.images import to_unit_interval

__all__ = ["Classifier", "accuracy", "build_classifier"]


class Classifier(nn.Module):
    """Five convolutions with BatchNorm, a feature layer and ten logits.

    Arguments:
        width: channels of the first block; the second and third have twice and four times as many.
        feature_dim: size of the penultimate layer.
    """

    def __init__(self, width: int, feature_dim: int) -> None:
        super().__init__()
        self.feature_dim = feature_dim
        self.body = nn.Sequential(
            *_block(1, width),  # N x W x 14 x 14
            *_block(width, 2 * width, 2 * width),  # N x 2W x 7 x 7
            *_block(2 * width, 4 * width, 4 * width),  # N x 4W x 3 x 3
            nn.Flatten(),
            nn.Linear(4 * width * 9, feature_dim),
            nn.ReLU(inplace=True),
        )
        self.head = nn.Linear(feature_dim, 10)

    def features(self, x: Tensor) -> Tensor:
        """Returns float32 features `(N, feature_dim)` of images in `[0, 1]`, `(N, 1, 28, 28)`."""
        return self.body(x).float()

    def forward(self, x: Tensor) -> Tensor:
        """Returns float32 logits `(N, 10)` of images in `[0, 1]`, `(N, 1, 28, 28)`."""
        return self.head(self.features(x)).float()


def build_classifier(checkpoint: Checkpoint) -> Classifier:
    """Rebuilds a classifier in evaluation mode on the CPU; errors as of `checkpoint.rebuild`."""
    network = rebuild(checkpoint, "Classifier", lambda config: Classifier(**config))
    # Twice as fast as torch's default layout.
    return network.to(memory_format=torch.channels_last)


@torch.no_grad()
def accuracy(classifier: Classifier, images: Tensor, labels: Tensor, batch_size: int = 1000) -> float:
    """Returns the fraction of uint8 images `(N, 1, 28, 28)` that are classified as their labels `(N,)` say."""
    was_training = classifier.training
    classifier.eval()
    correct = sum(
        int((classifier(to_unit_interval(part)).argmax(dim=1) == truth).sum())
        for part, truth in zip(images.split(batch_size), labels.split(batch_size), strict=True)
    )
    classifier.train(was_training)
    return correct / len(images)


def _block(*channels: int) -> tuple[nn.Module, ...]:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(channels):
        convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        layers += [convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
    return *layers, nn.MaxPool2d(2)
