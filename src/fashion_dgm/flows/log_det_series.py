"""The log-determinant of a residual layer, estimated from its power series by Hutchinson's probes.

For `Lip(g) < 1`, `log det(I + J_g) = sum_k (-1)^(k+1) tr(J_g^k) / k`, and `tr M = E[v^T M v]` for probes `v` with
`E[v v^T] = I`. See docs/theory/log-det-estimation.md, which derives both and the variances.
"""

# Derived in docs/theory/log-det-estimation.md.

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from fashion_dgm.errors import FashionDGMError

__all__ = ["ProbeKind", "draw_probes", "log_det_series", "neumann_log_det", "probe_powers"]


ProbeKind = Literal["rademacher", "gaussian"]


def draw_probes(
    like: Tensor, count: int, kind: ProbeKind = "rademacher", generator: torch.Generator | None = None
) -> Tensor:
    """Draws probes with independent entries of mean 0 and variance 1.

    Hutchinson, 1990, has entries of plus or minus 1 (Rademacher): of all such distributions the one of least variance.

    Arguments:
        like: images `(N, ...)`, of which shape, device and dtype are taken.
        count: probes for each image, P.
        kind: `rademacher` or `gaussian`.
        generator: source of randomness; drawn on its device, torch's default one if None.

    Returns:
        `(P, N, ...)`, float32 or better.

    Raises:
        FashionDGMError: if there is no probe, or the kind is unknown.
    """
    if count < 1:
        raise FashionDGMError(f"a trace is estimated with at least 1 probe, not {count}")
    shape, dtype = (count, *like.shape), _at_least_float32(like.dtype)
    device = generator.device if generator is not None else like.device
    if kind == "rademacher":
        probes = torch.randint(0, 2, shape, device=device, generator=generator).to(dtype).mul_(2).sub_(1)
    elif kind == "gaussian":
        probes = torch.randn(shape, dtype=dtype, device=device, generator=generator)
    else:
        raise FashionDGMError(f"probes are `rademacher` or `gaussian`, not `{kind}`")
    return probes.to(like.device)


def probe_powers(
    g: Callable[[Tensor], Tensor], x: Tensor, probes: Tensor, terms: int, create_graph: bool = False
) -> tuple[Tensor, Tensor]:
    """Computes `v^T J^k v` for `k = 1, ..., terms`, where `J` is the Jacobian of `g` at `x`, by repeated vjp.

    Each power costs one vector-Jacobian product; `J` is never formed. Images must not influence one another in `g`.

    Arguments:
        g: a map that keeps the shape of a batch.
        x: images `(N, ...)`, floats.
        probes: `v`, `(P, N, ...)`.
        terms: highest power, at least 0.
        create_graph: whether the powers can be differentiated. `g(x)` can, unless gradients are off altogether.

    Returns:
        `g(x)` as `(N, ...)`, and the powers `(terms, P, N)`. Both are float32 or better, even under bfloat16 autocast;
        what `g` rounds inside is its own affair: the Jacobian is that of the map which rounds.

    Raises:
        FashionDGMError: if there is no probe, the number of terms is negative, or a shape does not fit.
    """
    if terms < 0:
        raise FashionDGMError(f"the number of terms is at least 0, not {terms}")
    if probes.shape[1:] != x.shape or len(probes) < 1:
        raise FashionDGMError(
            f"probes have shape (P, {', '.join(map(str, x.shape))}) with P of at least 1, not {tuple(probes.shape)}"
        )
    count, images, dtype = len(probes), len(x), _at_least_float32(x.dtype)
    gradients = torch.is_grad_enabled()
    with torch.enable_grad():
        start = x if x.requires_grad else x.detach().requires_grad_()
        # One batch of P copies, so that every probe goes through the network at once.
        inputs = start if count == 1 else start.repeat(count, *(1 for _ in x.shape[1:]))
        outputs = g(inputs)
        if outputs.shape != inputs.shape:
            raise FashionDGMError(
                f"a residual branch keeps the shape of its input, {tuple(inputs.shape)}, but this one gives "
                f"{tuple(outputs.shape)}"
            )
        outputs = outputs.to(dtype)
        product = flat = probes.to(dtype).flatten(0, 1)
        powers = []
        for _ in range(terms):
            (product,) = torch.autograd.grad(outputs, inputs, product, retain_graph=True, create_graph=create_graph)
            product = product.to(dtype)
            powers.append((product * flat).flatten(1).sum(1).view(count, images))
    y = outputs[:images]
    return y if gradients else y.detach(), torch.stack(powers) if powers else x.new_zeros(
        (0, count, images), dtype=dtype
    )


def log_det_series(
    g: Callable[[Tensor], Tensor], x: Tensor, probes: Tensor, weights: Sequence[float], create_graph: bool = False
) -> tuple[Tensor, Tensor]:
    """Estimates `log det(I + J_g(x))` by `sum_k (-1)^(k+1) / k c_k v^T J^k v`, averaged over the probes of an image.

    Chen et al., 2019, equation 6; with weights of 1, Behrmann et al., 2019, algorithm 2. `Lip(g) < 1` is the caller's
    promise: without it the series may diverge.

    Arguments:
        g: the residual branch, which keeps the shape of a batch and treats each image on its own.
        x: images `(N, ...)`, floats.
        probes: `(P, N, ...)`, from `draw_probes`.
        weights: `c_1, ..., c_n`, from the `draw` of `Truncation` or `Roulette`.
        create_graph: whether the estimate can be differentiated; this needs memory in proportion to the terms.

    Returns:
        `g(x)` as `(N, ...)`, and the estimates `(N,)`, both float32 or better; zeros if there are no weights.

    Raises:
        FashionDGMError: if a shape does not fit.
    """
    y, powers = probe_powers(g, x, probes, len(weights), create_graph)
    signed = [(-1) ** (k + 1) / k * weight for k, weight in enumerate(weights, start=1)]
    coefficients = torch.tensor(signed, dtype=powers.dtype, device=powers.device)
    # Autocast would turn an einsum or a matrix product into bfloat16; it leaves this alone.
    return y, (coefficients[:, None, None] * powers).sum(0).mean(0)


def _at_least_float32(dtype: torch.dtype) -> torch.dtype:
    return torch.promote_types(dtype, torch.float32)


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
