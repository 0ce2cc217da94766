"""Random blocks keep their Lipschitz constant, and so do the layers of a flow."""

import pytest
import torch
from tests.small import perturb, residual_config

from fashion_dgm.experiments.likelihood import trace
from fashion_dgm.experiments.log_det.blocks import random_block, trained_blocks, widest
from fashion_dgm.experiments.log_det.moments import term_moments
from fashion_dgm.flows import ResidualFlow, batch_jacobian, dequantize
from fashion_dgm.training.seeds import generator

KINDS = pytest.mark.parametrize("kind", ["dense", "convolutional", "contracting"])


@KINDS
def test_no_two_points_move_apart_by_more_than_the_constant(kind):
    block = random_block(kind, 16, 0.9, seed=0)
    draw = torch.Generator().manual_seed(1)
    x, y = (3 * torch.randn(500, *block.x.shape[1:], dtype=torch.float64, generator=draw) for _ in range(2))
    moved = (block.g(x) - block.g(y)).flatten(1).norm(dim=1) / (x - y).flatten(1).norm(dim=1)
    assert moved.max() <= 0.9
    # Nor does any direction at the input itself.
    norm = torch.linalg.matrix_norm(batch_jacobian(block.g, block.x)[1][0], 2)
    assert 0.1 < norm <= 0.9


def test_the_contracting_block_is_as_bad_as_its_constant_allows():
    block = random_block("contracting", 16, 0.9, seed=0)
    eigenvalues = torch.linalg.eigvals(batch_jacobian(block.g, block.x)[1][0])
    assert eigenvalues.imag.abs().max() < 1e-12
    assert eigenvalues.real.max() < -0.2 and eigenvalues.real.min() < -0.85


@KINDS
def test_the_constant_only_scales_the_block(kind):
    wide, narrow = (random_block(kind, 9, constant, seed=3) for constant in (0.9, 0.3))
    assert torch.equal(wide.x, narrow.x)
    torch.testing.assert_close(wide.g(wide.x), 3 * narrow.g(wide.x))
    assert not torch.equal(random_block(kind, 9, 0.9, seed=4).x, wide.x)


@pytest.fixture(scope="module")
def flow() -> ResidualFlow:
    torch.manual_seed(0)
    flow = ResidualFlow(residual_config(hidden_channels=6, linear_width=8, squeeze_first=False), (1, 4, 4))
    perturb(flow, 0.5)
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

    rest = [float(layer.log_det) for layer in trace(flow, pixels).layers if layer.kind != "invertibleresidual"]
    assert exact + sum(rest) == pytest.approx(float(torch.linalg.slogdet(whole).logabsdet), abs=1e-9)
    assert abs(exact) > 1e-3


def test_no_layer_exceeds_its_bound(flow):
    blocks = trained_blocks(flow, torch.full((2, 1, 4, 4), 100, dtype=torch.uint8), 0, torch.device("cpu"))
    norms = [float(torch.linalg.matrix_norm(batch_jacobian(block.g, block.x)[1][0], 2)) for block in blocks]
    assert len(blocks) == 6
    assert all(norm <= block.lipschitz < 0.98 for norm, block in zip(norms, blocks, strict=True))
    assert widest(blocks) is blocks[norms.index(max(norms))]
