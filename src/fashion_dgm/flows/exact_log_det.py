"""The log-determinant of a residual layer from its whole Jacobian, to judge estimates by."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from fashion_dgm.errors import FashionDGMError

__all__ = ["batch_jacobian", "exact_log_det"]


def batch_jacobian(
    g: Callable[[Tensor], Tensor], x: Tensor, create_graph: bool = False, rows_at_once: int = 64
) -> tuple[Tensor, Tensor]:
    """Computes the Jacobian of `g` at each image, as many rows at once as said, by vector-Jacobian products.

    Arguments:
        g: a map that keeps the shape of a batch and treats each image on its own.
        x: images `(N, ...)` of D numbers each; `N D^2` numbers must fit into memory.
        create_graph: whether the Jacobian can be differentiated.
        rows_at_once: copies of an image that go through `g` at the same time.

    Returns:
        `g(x)` as `(N, ...)`, and `(N, D, D)` with entry `i, j` the derivative of output i by input j; detached unless
        `create_graph`.
    """
    size = x[0].numel()
    jacobians, outputs = [], []
    with torch.enable_grad():
        start = x if x.requires_grad else x.detach().requires_grad_()
        for image in start.split(1):
            rows = []
            for basis in torch.eye(size, dtype=x.dtype, device=x.device).split(rows_at_once):
                copies = image.expand(len(basis), *x.shape[1:])
                y = g(copies)
                (row,) = torch.autograd.grad(y, copies, basis.view(copies.shape).to(y.dtype), create_graph=create_graph)
                rows.append(row.flatten(1))
            outputs.append(y[:1])
            jacobians.append(torch.cat(rows))
    y = torch.cat(outputs)
    return y if create_graph else y.detach(), torch.stack(jacobians)


def exact_log_det(
    g: Callable[[Tensor], Tensor], x: Tensor, create_graph: bool = False, rows_at_once: int = 64
) -> tuple[Tensor, Tensor]:
    """Computes `log det(I + J_g(x))` by factorising the matrix, in float64: D vector-Jacobian products and `O(D^3)`.

    Arguments:
        g: as for `batch_jacobian`.
        x: as for `batch_jacobian`.
        create_graph: as for `batch_jacobian`.
        rows_at_once: as for `batch_jacobian`.

    Returns:
        `g(x)` as `(N, ...)`, and the log-determinants `(N,)` in float64.

    Raises:
        FashionDGMError: if a determinant is not positive, which `Lip(g) < 1` rules out.
    """
    y, jacobian = batch_jacobian(g, x, create_graph, rows_at_once)
    matrix = torch.eye(jacobian.shape[-1], dtype=torch.float64, device=x.device) + jacobian.double()
    sign, log_det = torch.linalg.slogdet(matrix)
    if bool((sign <= 0).any()):
        raise FashionDGMError(
            f"det(I + J) is not positive for {int((sign <= 0).sum())} of {len(x)} images, so g is no contraction there: "
            "bound the spectral norm of its layers below 1"
        )
    return y, log_det
