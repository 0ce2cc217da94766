"""Whether generated images are copies of training images.

A generated image is compared with its nearest training image, and that distance with those of held-out images, which
nobody copied. Nearer ones are a sign of copying, and the more so the smaller their distance; but smooth or common images
have near neighbours too, so the sign needs a look at the pairs.

References:
    Meehan, Chaudhuri and Dasgupta, A non-parametric test to detect data-copying in generative models (2020), section 3.1:
    the statistic, here over all of the data at once.
"""

import math

import torch
from torch import Tensor

from fashion_dgm.data.images import to_unit_interval
from fashion_dgm.errors import FashionDGMError

__all__ = ["copying_probability", "nearest"]


@torch.no_grad()
def nearest(queries: Tensor, images: Tensor, chunk: int = 8192) -> tuple[Tensor, Tensor]:
    """Returns Euclidean distance in pixels' values and index of the nearest of `images` for each query, `(N,)` each.

    Every image is looked at, `chunk` of them at a time by one matrix product; the distance to the nearest is then taken
    from the difference itself, which no cancellation blurs.

    Arguments:
        queries: floats in `[0, 1]`, `(N, 1, 28, 28)`.
        images: uint8 in 0..255, `(M, 1, 28, 28)`, on the same device.
    """
    flat = queries.flatten(1).float()
    best = torch.full((len(flat),), math.inf, device=flat.device)
    index = torch.zeros(len(flat), dtype=torch.long, device=flat.device)
    for start in range(0, len(images), chunk):
        part = to_unit_interval(images[start : start + chunk]).flatten(1)
        # |q - x|^2 without |q|^2, which is the same for all x.
        relative = torch.addmm(part.square().sum(dim=1), flat, part.T, alpha=-2)
        values, places = relative.min(dim=1)
        nearer = values < best
        best = torch.where(nearer, values, best)
        index = torch.where(nearer, places + start, index)
    found = to_unit_interval(images[index]).flatten(1)
    return (flat - found).norm(dim=1), index


def copying_probability(generated: Tensor, held_out: Tensor) -> float:
    """Returns the probability that a generated image is nearer to the training images than a held-out one is.

    0.5 if both are alike, 1 if every generated image is nearer than every held-out one; ties count half.

    Arguments:
        generated: distances to the nearest training image, `(N,)`.
        held_out: the same of held-out images, `(M,)`.

    Raises:
        FashionDGMError: if there are none.
    """
    if len(generated) == 0 or len(held_out) == 0:
        raise FashionDGMError("distances of generated and of held-out images are needed, at least one of each")
    ordered = held_out.double().sort().values
    farther = len(ordered) - torch.searchsorted(ordered, generated.double(), right=True)
    equal = torch.searchsorted(ordered, generated.double(), right=True) - torch.searchsorted(
        ordered, generated.double()
    )
    return float((farther + 0.5 * equal).double().mean() / len(ordered))
