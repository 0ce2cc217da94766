"""The log-determinant of a residual layer: exact, from its whole Jacobian, or estimated from a power series with probes.

For `Lip(g) < 1`, `log det(I + J_g) = sum_k (-1)^(k+1) tr(J_g^k) / k`, and `tr M = E[v^T M v]` for probes `v` with
`E[v v^T] = I` (Hutchinson). See docs/theory/log-det-estimation.md, which derives both and the variances.
"""

# Derived in docs/theory/log-det-estimation.md.

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from fashion_dgm.config import SeriesConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.series_weights import Geometric, Poisson, Roulette, SeriesWeights, Truncation

__all__ = [
    "ExactLogDet",
    "LogDetEstimate",
    "ProbeKind",
    "SeriesLogDet",
    "batch_jacobian",
    "draw_probes",
    "exact_log_det",
    "log_det_series",
    "neumann_log_det",
    "probe_powers",
]

Branch = Callable[[Tensor], Tensor]
ProbeKind = Literal["rademacher", "gaussian"]

# Copies of an image that go through a network at the same time, each for a row of its Jacobian.
ROWS_AT_ONCE = 64


def batch_jacobian(g: Branch, x: Tensor, create_graph: bool = False) -> tuple[Tensor, Tensor]:
    """Computes the Jacobian of `g` at each image by vector-Jacobian products.

    Arguments:
        g: a map that keeps the shape of a batch and treats each image on its own.
        x: images `(N, ...)` of D numbers each; `N D^2` numbers must fit into memory.
        create_graph: whether the Jacobian can be differentiated.

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
            for basis in torch.eye(size, dtype=x.dtype, device=x.device).split(ROWS_AT_ONCE):
                copies = image.expand(len(basis), *x.shape[1:])
                y = g(copies)
                (row,) = torch.autograd.grad(y, copies, basis.view(copies.shape).to(y.dtype), create_graph=create_graph)
                rows.append(row.flatten(1))
            outputs.append(y[:1])
            jacobians.append(torch.cat(rows))
    y = torch.cat(outputs)
    return y if create_graph else y.detach(), torch.stack(jacobians)


def exact_log_det(g: Branch, x: Tensor, create_graph: bool = False) -> tuple[Tensor, Tensor]:
    """Computes `log det(I + J_g(x))` by factorising the matrix, in float64: D vector-Jacobian products and `O(D^3)`.

    Arguments:
        g: as for `batch_jacobian`.
        x: as for `batch_jacobian`.
        create_graph: as for `batch_jacobian`.

    Returns:
        `g(x)` as `(N, ...)`, and the log-determinants `(N,)` in float64.

    Raises:
        FashionDGMError: if a determinant is not positive, which `Lip(g) < 1` rules out.
    """
    y, jacobian = batch_jacobian(g, x, create_graph)
    matrix = torch.eye(jacobian.shape[-1], dtype=torch.float64, device=x.device) + jacobian.double()
    sign, log_det = torch.linalg.slogdet(matrix)
    if bool((sign <= 0).any()):
        raise FashionDGMError(
            f"det(I + J) is not positive for {int((sign <= 0).sum())} of {len(x)} images, so g is no contraction there: "
            "bound the spectral norm of its layers below 1"
        )
    return y, log_det


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
    shape, dtype = (count, *like.shape), torch.promote_types(like.dtype, torch.float32)
    device = generator.device if generator is not None else like.device
    if kind == "rademacher":
        probes = torch.randint(0, 2, shape, device=device, generator=generator).to(dtype).mul_(2).sub_(1)
    elif kind == "gaussian":
        probes = torch.randn(shape, dtype=dtype, device=device, generator=generator)
    else:
        raise FashionDGMError(f"probes are `rademacher` or `gaussian`, not `{kind}`")
    return probes.to(like.device)


def probe_powers(g: Branch, x: Tensor, probes: Tensor, terms: int, create_graph: bool = False) -> tuple[Tensor, Tensor]:
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
    _check_probes(probes, x)
    count, images, dtype = len(probes), len(x), torch.promote_types(x.dtype, torch.float32)
    gradients = torch.is_grad_enabled()
    with torch.enable_grad():
        inputs, outputs = _on_copies(g, x if x.requires_grad else x.detach().requires_grad_(), count)
        outputs, flat = outputs.to(dtype), probes.to(dtype).flatten(0, 1)
        powers = [_inner(product, flat) for product in _products(outputs, inputs, flat, terms, create_graph)]
    y = outputs[:images] if gradients else outputs[:images].detach()
    stacked = torch.stack(powers) if powers else flat.new_zeros((0, count * images))
    return y, stacked.unflatten(1, (count, images))


def _check_probes(probes: Tensor, x: Tensor) -> None:
    if probes.shape[1:] != x.shape or len(probes) < 1:
        raise FashionDGMError(
            f"probes must have shape (P, {', '.join(map(str, x.shape))}) with P of at least 1, not {tuple(probes.shape)}"
        )


def _on_copies(g: Branch, x: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Returns a batch of `count` copies of x, so that every probe goes through g at once, and what g makes of them."""
    inputs = x if count == 1 else x.repeat(count, *(1 for _ in x.shape[1:]))
    outputs = g(inputs)
    if outputs.shape != inputs.shape:
        raise FashionDGMError(
            f"a residual branch keeps the shape of its input, {tuple(inputs.shape)}, but this one gives "
            f"{tuple(outputs.shape)}"
        )
    return inputs, outputs


def _products(outputs: Tensor, inputs: Tensor, v: Tensor, terms: int, create_graph: bool = False) -> Iterator[Tensor]:
    """Yields `v^T J^k` for `k = 1, ..., terms`."""
    for _ in range(terms):
        (v,) = torch.autograd.grad(outputs, inputs, v, retain_graph=True, create_graph=create_graph)
        v = v.to(outputs.dtype)
        yield v


def _inner(a: Tensor, b: Tensor) -> Tensor:
    """The inner product of each image; autocast, which would round an einsum or a matrix product, leaves it alone."""
    return (a * b).flatten(1).sum(1)


def log_det_series(
    g: Branch, x: Tensor, probes: Tensor, weights: Sequence[float], create_graph: bool = False
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
    return y, (coefficients[:, None, None] * powers).sum(0).mean(0)


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
    _check_probes(probes, x)
    parameters = [parameter for parameter in g.parameters() if parameter.requires_grad]
    return _Neumann.apply(g, probes, tuple(weights), x, *parameters)


class _Neumann(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, g: nn.Module, probes: Tensor, weights: tuple[float, ...], x: Tensor, *parameters: Tensor
    ) -> tuple[Tensor, Tensor]:
        count, images = probes.shape[:2]
        series = flat = probes.flatten(0, 1)
        log_det = flat.new_zeros(len(flat))
        with torch.enable_grad():
            inputs, outputs = _on_copies(g, x.detach().requires_grad_(), count)
        products = _products(outputs, inputs, flat, len(weights))
        for k, (weight, product) in enumerate(zip(weights, products, strict=True), start=1):
            log_det += (-1) ** (k + 1) / k * weight * _inner(product, flat)
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
            inputs, outputs = _on_copies(ctx.g, start, ctx.count)
            (product,) = torch.autograd.grad(outputs, inputs, series, create_graph=True)
            differential = _inner(product, flat).view(ctx.count, -1).mean(0)
            total = differential @ grad_log_det + (outputs[: len(x)] * grad_y).sum()
            gradients = torch.autograd.grad(total, (start, *parameters), allow_unused=True)
        return None, None, None, *gradients


class LogDetEstimate(Protocol):
    """Evaluates a residual branch together with `log det(I + J_g)`."""

    def __call__(self, g: nn.Module, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Returns `g(x)` and an estimate of the log-determinant `(N,)`, both differentiable where gradients are on."""
        ...


@dataclass(frozen=True)
class SeriesLogDet:
    """The power series of the logarithm, with Hutchinson's probes for its traces.

    Arguments:
        weights: where the series stops, and what its terms then weigh; drawn once for a batch.
        probes: for each image.
        kind: their distribution.
        gradient: "neumann" keeps little for the backward pass, "series" differentiates the series itself, which needs
            memory in proportion to its terms, and can be differentiated again.
    """

    weights: SeriesWeights
    probes: int = 1
    kind: ProbeKind = "rademacher"
    gradient: Literal["neumann", "series"] = "neumann"

    @classmethod
    def of(cls, config: SeriesConfig) -> SeriesLogDet:
        """Returns the estimate that `config` asks for."""
        weights: SeriesWeights
        if config.roulette == "none":
            weights = Truncation(config.exact_terms)
        elif config.roulette == "geometric":
            weights = Roulette(config.exact_terms, Geometric(1 / config.mean_terms))
        else:
            weights = Roulette(config.exact_terms, Poisson(config.mean_terms))
        return cls(weights, config.probes, config.probe_kind, config.gradient)

    def __call__(self, g: nn.Module, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Draws weights and probes from `generator`, or torch's default one, and evaluates the series."""
        weights = self.weights.draw(generator)
        probes = draw_probes(x, self.probes, self.kind, generator)
        if torch.is_grad_enabled() and self.gradient == "neumann":
            return neumann_log_det(g, x, probes, weights)
        return log_det_series(g, x, probes, weights, create_graph=torch.is_grad_enabled())


@dataclass(frozen=True)
class ExactLogDet:
    """The whole Jacobian: for a few dozen values an image, to compare estimates with."""

    def __call__(self, g: nn.Module, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Draws nothing."""
        y, log_det = exact_log_det(g, x, create_graph=torch.is_grad_enabled())
        return y, log_det.to(torch.promote_types(x.dtype, torch.float32))
