"""Random blocks keep their Lipschitz constant."""

from __future__ import annotations

import pytest
import torch

from fashion_dgm.experiments.log_det.blocks import linearised, operator_norm, random_block
from fashion_dgm.flows import batch_jacobian

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
    assert (eigenvalues.real < -0.2).all()
    assert eigenvalues.real.min() < -0.85


@KINDS
def test_the_constant_only_scales_the_block(kind):
    wide, narrow = (random_block(kind, 9, constant, seed=3) for constant in (0.9, 0.3))
    assert torch.equal(wide.x, narrow.x)
    torch.testing.assert_close(wide.g(wide.x), 3 * narrow.g(wide.x))
    assert not torch.equal(random_block(kind, 9, 0.9, seed=4).x, wide.x)


@KINDS
def test_the_linear_part_has_the_same_jacobian(kind):
    block = random_block(kind, 9, 0.9, seed=0)
    _, jacobian = batch_jacobian(block.g, block.x)
    linear = linearised(block, jacobian[0])
    torch.testing.assert_close(batch_jacobian(linear.g, linear.x)[1], jacobian)
    assert linear.dimension == block.dimension == 9


def test_operator_norm_of_maps_that_are_known():
    matrix = torch.diag(torch.tensor([1.0, -3.0, 2.0], dtype=torch.float64))
    assert operator_norm(lambda x: x @ matrix, (3,)) == pytest.approx(3)
    # A kernel of equal weights on a large image: the sum of its weights, but for the border.
    kernel = torch.full((1, 1, 3, 3), 1 / 9, dtype=torch.float64)
    norm = operator_norm(lambda x: torch.nn.functional.conv2d(x, kernel, padding=1), (1, 20, 20))
    assert 0.97 < norm < 1
