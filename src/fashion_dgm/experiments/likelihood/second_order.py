"""The second-order argument of Nalisnick et al. (2019), compared with a flow and data."""

# Derived in docs/theory/likelihood-ood.md.

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fashion_dgm.experiments.likelihood.trace import log_normal
from fashion_dgm.flows.bijection import Bijection, Chain
from fashion_dgm.flows.preprocessing import Logit, dequantize
from fashion_dgm.training.seeds import generator

__all__ = ["along_the_line", "pixel_moments", "second_order_gap"]

LogDensity = Callable[[Tensor], Tensor]


def pixel_moments(inside: NDArray[np.uint8], outside: NDArray[np.uint8]) -> dict[str, Any]:
    """Compares means and covariances of the pixels, in `[0, 1]`, of two sets `(N, 1, H, W)`.

    Returns:
        `{"variance_inside", "variance_outside", "largest_mean_difference", "eigenvalues"}`: total variances, the largest
        difference of mean pixels, and the smallest and largest eigenvalue of the covariance inside minus that outside; the
        argument wants the first to be at least 0.
    """
    ours, theirs = (images.reshape(len(images), -1) / 255.0 for images in (inside, outside))
    covariances = [np.cov(values, rowvar=False) for values in (ours, theirs)]
    eigenvalues = np.linalg.eigvalsh(covariances[0] - covariances[1])
    return {
        "variance_inside": float(np.trace(covariances[0])),
        "variance_outside": float(np.trace(covariances[1])),
        "largest_mean_difference": float(np.abs(ours.mean(0) - theirs.mean(0)).max()),
        "eigenvalues": [float(eigenvalues[0]), float(eigenvalues[-1])],
    }


def second_order_gap(
    flow: Bijection, inside: Tensor, outside: Tensor, levels: Sequence[float], batch_size: int, seed: int
) -> dict[str, Any]:
    """Compares the gap in mean log-density, outside minus inside, with that of the Taylor polynomial about the inside mean.

    In two coordinates: those of the pixels, and, where the flow begins with a logit, those after it. Each image's deviation
    `v` from the mean gives its polynomial `log p(m) + g'(0) + g''(0) / 2` with `g(t) = log p(m + t v)`, by automatic
    differentiation; nothing of the order of the Hessian is ever formed. The gap of the polynomial is the right
    side of docs/theory/likelihood-ood.md#the-second-order-argument without assumptions two to four. The same is done for
    inside images drawn towards their mean, `m + a v`, where assumption two holds exactly.

    Arguments:
        flow: a flow whose layers are its `bijection`.
        inside: uint8, `(N, C, H, W)`, whose mean is the centre.
        outside: uint8, `(M, C, H, W)`.
        levels: the factors `a`.
        seed: of the dequantisation noise, and of the probes where the log-determinant is estimated.

    Returns:
        Coordinates (`pixels`, `logits`) to `{"measured", "measured_se", "polynomial", "first_order", "second_order"}` in
        bits/dim, positive where the outside is likelier; `measured_se` is the standard error of `measured`. And
        `towards_mean`: for each level `{"level", "measured", "measured_se", "polynomial"}`, positive where `m + a v` is
        likelier than `m + v`.
    """
    model = copy.deepcopy(flow).eval().requires_grad_(False)
    reference = next(flow.parameters())
    noise = torch.Generator().manual_seed(seed)
    ours, theirs = (dequantize(images.to(reference.device), noise, reference.dtype) for images in (inside, outside))
    found = {"pixels": _gap(_log_density(model, seed), ours, theirs, levels, batch_size)}
    first, *rest = cast("Chain", getattr(model, "bijection", Chain())).bijections or [None]
    if isinstance(first, Logit):
        after = _log_density(Chain(*rest), seed)
        found["logits"] = _gap(after, first(ours)[0], first(theirs)[0], levels, batch_size)
    return found


def along_the_line(log_density: LogDensity, centre: Tensor, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Returns `g(1)`, `g'(0)` and `g''(0)` of `g(t) = log p(m + t (x - m))` for each image, `(N,)` each.

    Arguments:
        log_density: images `(N, C, H, W)` to nats `(N,)`, each on its own.
        centre: `m`, `(1, C, H, W)`.
        x: `(N, C, H, W)`.
    """
    t = torch.zeros(len(x), dtype=x.dtype, device=x.device, requires_grad=True)
    line = centre + t.view(-1, *[1] * (x.ndim - 1)) * (x - centre)
    (slope,) = torch.autograd.grad(log_density(line).sum(), t, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), t)
    with torch.no_grad():
        return log_density(x), slope.detach(), curvature


def _log_density(bijection: Bijection, seed: int) -> LogDensity:
    def log_density(x: Tensor) -> Tensor:
        # The same probes at every call: the value and its derivatives are those of one function.
        z, log_det = bijection(x, generator(seed, "probes", 0))
        return log_normal(z) + log_det

    return log_density


def _gap(
    log_density: LogDensity, ours: Tensor, theirs: Tensor, levels: Sequence[float], batch_size: int
) -> dict[str, Any]:
    centre = ours.mean(0, keepdim=True)
    per_bit = centre.numel() * math.log(2)
    values = []
    for x in (ours, theirs):
        parts = [along_the_line(log_density, centre, batch) for batch in x.split(batch_size)]
        values.append([torch.cat(column).double() / per_bit for column in zip(*parts, strict=True)])
    (level, slope, curvature), (other_level, other_slope, other_curvature) = values
    first = float(other_slope.mean() - slope.mean())
    second = float(0.5 * (other_curvature.mean() - curvature.mean()))
    error = (level.var() / len(level) + other_level.var() / len(other_level)).sqrt()
    return {
        "measured": float(other_level.mean() - level.mean()),
        "measured_se": float(error),
        "polynomial": first + second,
        "first_order": first,
        "second_order": second,
        "towards_mean": [_towards_mean(log_density, ours, level, slope, curvature, a, batch_size) for a in levels],
    }


def _towards_mean(
    log_density: LogDensity, x: Tensor, before: Tensor, slope: Tensor, curvature: Tensor, a: float, batch_size: int
) -> dict[str, float]:
    """Compares `g(a) - g(1)` with that of the polynomial, on average over images; `before`, `slope`, `curvature` in bits."""
    centre = x.mean(0, keepdim=True)
    with torch.no_grad():
        after = torch.cat([log_density(centre + a * (batch - centre)) for batch in x.split(batch_size)])
    change = after.double() / (centre.numel() * math.log(2)) - before
    return {
        "level": float(a),
        "measured": float(change.mean()),
        "measured_se": float(change.std() / math.sqrt(len(change))),
        "polynomial": float(((a - 1) * slope + 0.5 * (a**2 - 1) * curvature).mean()),
    }
