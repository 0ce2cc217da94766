"""The log-determinant of a residual layer with a gradient that needs little memory."""

# Derived in docs/theory/log-det-estimation.md.

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from fashion_dgm.errors import FashionDGMError

__all__ = ["neumann_log_det"]


def neumann_log_det(g: nn.Module, x: Tensor, probes: Tensor, weights: Sequence[float]) -> tuple[Tensor, Tensor]:
    r"""Estimates `log det(I + J_g(x))` as `log_det_series` does, and its gradient by a Neumann series of its own.

    For the value, `sum_k (-1)^(k+1) / k c_k v^T J^k v`. To differentiate it, autograd would have to keep all `n`
    products. But `d log det(I + J) = tr((I + J)^-1 dJ)`, and `(I + J)^-1 = sum_k (-1)^k J^k`, so

        d log det(I + J)  is estimated by  u^T dJ v,   with u^T = v^T + sum_k (-1)^k c_k v^T J^k held fixed,

    which takes one more product, whatever `n`. The powers `v^T J^k` are those of the value, so both come from the same
    `n` vector-Jacobian products. Only `x`, `u` and `v` are kept until the backward pass, which computes `g` once more.

    Value and gradient are unbiased where the weights are those of a roulette; cut after `n` terms, the gradient is that
    of the series cut after `n + 1`. The code of Chen et al. returns `u^T J v` in the place of the value, so that their
    training loss is not a likelihood; here it is an estimate of it.

    Chen et al., 2019, "Residual flows for invertible generative modeling", equation 8 and section 3.2.

    Arguments:
        g: the residual branch, which keeps the shape of a batch and treats each image on its own; only its parameters
            and `x` get gradients, once.
        x: images `(N, ...)`, floats.
        probes: `(P, N, ...)`, from `draw_probes`.
        weights: `c_1, ..., c_n`, from the `draw` of `Truncation` or `Roulette`.

    Returns:
        `g(x)` as `(N, ...)`, and the estimates `(N,)`.

    Raises:
        FashionDGMError: if a shape does not fit.
    """
    if probes.shape[1:] != x.shape or len(probes) < 1:
        raise FashionDGMError(f"probes must have shape (P, *{tuple(x.shape)}), not {tuple(probes.shape)}")
    parameters = [parameter for parameter in g.parameters() if parameter.requires_grad]
    return _Neumann.apply(g, probes, tuple(weights), x, *parameters)


class _Neumann(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, g: nn.Module, probes: Tensor, weights: tuple[float, ...], x: Tensor, *parameters: Tensor
    ) -> tuple[Tensor, Tensor]:
        count, images = probes.shape[:2]
        flat = probes.flatten(0, 1)
        with torch.enable_grad():
            inputs = _copies(x.detach(), count).requires_grad_()
            outputs = g(inputs)
        if outputs.shape != inputs.shape:
            raise FashionDGMError(
                f"a residual branch keeps the shape of its input, {tuple(inputs.shape)}, but this one gives "
                f"{tuple(outputs.shape)}"
            )
        product = series = flat
        log_det = torch.zeros_like(flat[:, 0].flatten(1).sum(1))
        for k, weight in enumerate(weights, start=1):
            (product,) = torch.autograd.grad(outputs, inputs, product, retain_graph=k < len(weights))
            log_det += (-1) ** (k + 1) / k * weight * (product * flat).flatten(1).sum(1)
            series = series + (-1) ** k * weight * product
        ctx.g, ctx.count = g, count
        ctx.save_for_backward(x, flat, series, *parameters)
        return outputs[:images].detach(), log_det.view(count, images).mean(0)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor, grad_log_det: Tensor) -> tuple[Tensor | None, ...]:
        x, flat, series, *parameters = ctx.saved_tensors
        # As in the forward pass, which sees to it itself, and whatever surrounds the call of backward.
        with torch.enable_grad(), torch.autocast(x.device.type, enabled=False):
            start = x.detach().requires_grad_()
            inputs = _copies(start, ctx.count)
            outputs = ctx.g(inputs)
            (product,) = torch.autograd.grad(outputs, inputs, series, create_graph=True)
            differential = (product * flat).flatten(1).sum(1).view(ctx.count, -1).mean(0)
            total = differential @ grad_log_det + (outputs[: len(x)] * grad_y).sum()
            gradients = torch.autograd.grad(total, (start, *parameters), allow_unused=True)
        return None, None, None, *gradients


def _copies(x: Tensor, count: int) -> Tensor:
    return x.repeat(count, *(1 for _ in x.shape[1:]))
