"""From dequantised images to 8-bit pixels: a part of the chapter on the normalising flow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fashion_dgm.reporting.report import Block, TableBlock, TextBlock
from fashion_dgm.reporting.wording import NOT_APPLICABLE, count, is_number, listing, number

__all__ = ["discrete_likelihood_blocks"]

_FLOWS = {"flow": "RealNVP", "mixture_flow": "Mixture flow", "residual_flow": "Residual Flow"}
# With so few effective draws, one outweighs the others and the bound still falls.
_FEW = 5.0


def discrete_likelihood_blocks(found: Mapping[str, Mapping[str, Any]]) -> tuple[Block, ...]:
    """Returns how far bits/dim fall with more draws of noise; nothing where it was not measured.

    Arguments:
        found: by flow, as `fashion_dgm.flows.likelihood.DiscreteLikelihood.summary` returns it.
    """
    found = {name: found[name] for name in _FLOWS if name in found}
    if not found:
        return ()
    draws = sorted({int(k) for one in found.values() for k in one["bits_per_dim"]})
    rows = [
        (
            _FLOWS[name],
            count(one["images"]),
            *(_with_error(one, "bits_per_dim", k) for k in draws),
            _with_error(one, "gain", _most(one)),
            f"{number(one['effective_draws'], 1)} of {count(_most(one))}",
        )
        for name, one in found.items()
    ]
    return (
        TextBlock(
            (
                "Bits/dim are exact for the density of the dequantised image, and an upper bound on the bits of its 8-bit "
                "pixels. The bound with K draws of noise for each image (Burda et al., 2016) falls as K rises, and "
                "reaches the bits of the pixels as K tends to infinity: "
                + listing([_sentence(name, one) for name, one in found.items()])
                + ".",
                *_convergence(found),
            ),
            heading="From dequantised images to pixels",
        ),
        TableBlock(
            ("Flow", "Images", *(f"K = {count(k)}" for k in draws), "Fall", "Effective draws"),
            tuple(rows),
            "Upper bounds on the bits/dim of 8-bit pixels, on the first official test images, by draws of noise K. Fall: "
            "from the fewest draws to the most, image by image. After ±: one standard error over the images. Effective "
            "draws: of the largest K, on average; near 1, one draw outweighs all others.",
            numeric=tuple(range(1, len(draws) + 4)),
        ),
    )


def _sentence(name: str, one: Mapping[str, Any]) -> str:
    most = _most(one)
    return (
        f"for {_FLOWS[name]} by {_with_error(one, 'gain', most)} bits/dim from K = {_fewest(one)} to K = {count(most)}, "
        f"on {count(one['images'])} official test images"
    )


def _convergence(found: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    few = [_FLOWS[name] for name, one in found.items() if not one["effective_draws"] >= _FEW]
    if not few:
        return ()
    return (
        f"So few draws are effective for {listing(few)} that the bound has not converged: the bits of the pixels are lower "
        "still, by an amount that this estimate leaves open.",
    )


def _with_error(one: Mapping[str, Any], name: str, draws: int) -> str:
    value, error = one[name].get(str(draws)), one.get(f"{name}_error", {}).get(str(draws))
    if str(draws) not in one[name]:
        return NOT_APPLICABLE
    return f"{number(value, 3)} ± {number(error, 3)}" if is_number(error) else number(value, 3)


def _fewest(one: Mapping[str, Any]) -> int:
    return min(int(k) for k in one["bits_per_dim"])


def _most(one: Mapping[str, Any]) -> int:
    return max(int(k) for k in one["bits_per_dim"])
