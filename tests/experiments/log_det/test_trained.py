"""The layers of a trained flow."""

from __future__ import annotations

import pytest
import torch

from fashion_dgm.config import ResidualFlowConfig
from fashion_dgm.experiments.log_det.moments import term_moments
from fashion_dgm.experiments.log_det.trained import trained_blocks, widest
from fashion_dgm.flows import ResidualFlow, batch_jacobian, dequantize
from fashion_dgm.flows.bijection import Chain
from fashion_dgm.flows.residual_flow import InvertibleResidual
from fashion_dgm.training.seeds import generator


@pytest.fixture(scope="module")
def flow() -> ResidualFlow:
    torch.manual_seed(0)
    config = ResidualFlowConfig(
        scales=2, blocks=1, hidden_channels=6, linear_blocks=1, linear_width=8, squeeze_first=False,
        factor_out=False, logit_alpha=1e-6,
    )  # fmt: skip
    flow = ResidualFlow(config, (1, 4, 4))
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.mul_(2).add_(0.1 * torch.randn(parameter.shape))
    flow.constrain()
    return flow


def test_the_layers_and_what_lies_between_make_the_flow(flow):
    """The log-determinants of the taken-out Jacobians and of the exact layers add up to that of the whole flow."""
    images = torch.randint(0, 256, (1, 1, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    blocks = trained_blocks(flow, images, 5, torch.device("cpu"))
    assert [block.name for block in blocks] == [f"layer {i}, image 1" for i in (1, 2, 3)]
    pixels = dequantize(images, generator(5, "dequantize", 1), torch.float64)
    whole = torch.autograd.functional.jacobian(lambda x: flow(x)[0], pixels).reshape(16, 16)
    exact = sum(term_moments(batch_jacobian(block.g, block.x)[1][0], 1).exact for block in blocks)

    rest = []
    kinds = (InvertibleResidual, Chain)
    hooks = [
        module.register_forward_hook(lambda module, given, found: rest.append(float(found[1])))
        for module in flow.modules()
        if hasattr(module, "inverse") and not isinstance(module, kinds) and not list(_inner(module))
    ]
    with torch.no_grad():
        flow(pixels)
    for hook in hooks:
        hook.remove()
    expected = float(torch.linalg.slogdet(whole).logabsdet)
    assert exact + sum(rest) == pytest.approx(expected, abs=1e-9)
    assert abs(exact) > 1e-3


def _inner(module):
    return (child for child in module.modules() if child is not module and hasattr(child, "inverse"))


def test_no_layer_exceeds_its_bound(flow):
    images = torch.full((2, 1, 4, 4), 100, dtype=torch.uint8)
    blocks = trained_blocks(flow, images, 0, torch.device("cpu"))
    assert len(blocks) == 6
    norms = [float(torch.linalg.matrix_norm(batch_jacobian(block.g, block.x)[1][0], 2)) for block in blocks]
    assert all(norm <= block.lipschitz for norm, block in zip(norms, blocks, strict=True))
    assert all(block.lipschitz < 0.98 for block in blocks)
    assert widest(blocks) is blocks[norms.index(max(norms))]
