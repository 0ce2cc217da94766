from __future__ import annotations

import pytest
import torch

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows import ChannelHalves, Checkerboard, Squeeze

CASES = [
    (Checkerboard, (1, 28, 28)),
    (Checkerboard, (3, 2, 6)),
    (ChannelHalves, (2, 1, 1)),
    (ChannelHalves, (6, 7, 7)),
]


def numbered(shape: tuple[int, ...]) -> torch.Tensor:
    return torch.arange(2 * torch.Size(shape).numel()).float().reshape(2, *shape)


@pytest.mark.parametrize("parity", [0, 1])
@pytest.mark.parametrize(("partition", "shape"), CASES)
def test_merge_undoes_split(partition, shape, parity):
    x = numbered(shape)
    a, b = partition(parity).split(x)
    assert torch.equal(partition(parity).merge(a, b), x)


@pytest.mark.parametrize("parity", [0, 1])
@pytest.mark.parametrize(("partition", "shape"), CASES)
def test_halves_hold_every_value_once(partition, shape, parity):
    x = numbered(shape)
    a, b = partition(parity).split(x)
    assert a.shape == b.shape
    assert a.shape[1] == partition(parity).half_channels(shape[0])
    values = torch.cat((a.flatten(1), b.flatten(1)), dim=1)
    assert torch.equal(values.sort(dim=1).values, x.flatten(1))


@pytest.mark.parametrize(("partition", "shape"), CASES)
def test_the_parities_swap_the_halves(partition, shape):
    x = numbered(shape)
    a, b = partition(0).split(x)
    other_a, other_b = partition(1).split(x)
    assert torch.equal(a, other_b)
    assert torch.equal(b, other_a)


def test_checkerboard_halves_are_the_two_colours():
    row, column = torch.meshgrid(torch.arange(6), torch.arange(4), indexing="ij")
    colour = ((row + column) % 2).float().expand(1, 2, 6, 4)
    a, b = Checkerboard(0).split(colour)
    assert torch.equal(a, torch.zeros(1, 4, 3, 2))
    assert torch.equal(b, torch.ones(1, 4, 3, 2))


def test_checkerboard_halves_keep_the_picture():
    block_row = (torch.arange(6) // 2).float()[:, None].expand(1, 1, 6, 4)
    for half in Checkerboard(0).split(block_row):
        assert torch.equal(half, torch.arange(3.0)[:, None].expand(1, 2, 3, 2))


@pytest.mark.parametrize("size", [(3, 4), (4, 3), (7, 7)])
@pytest.mark.parametrize("layer", [lambda x: Checkerboard(0).split(x), Squeeze()])
def test_odd_sizes_are_refused_by_name(size, layer):
    with pytest.raises(FashionDGMError, match=f"even height and width, not {size[0]}x{size[1]}"):
        layer(torch.zeros(1, 1, *size))


def test_odd_channels_are_refused():
    with pytest.raises(FashionDGMError, match="even number of channels, not 3"):
        ChannelHalves(0).split(torch.zeros(1, 3, 2, 2))


@pytest.mark.parametrize("partition", [Checkerboard, ChannelHalves])
def test_parity_is_zero_or_one(partition):
    with pytest.raises(FashionDGMError, match="parity"):
        partition(2)


def test_squeeze_puts_the_pixels_of_a_block_in_reading_order():
    y, _ = Squeeze()(torch.arange(4.0).reshape(1, 1, 2, 2))
    assert y.flatten().tolist() == [0, 1, 2, 3]
