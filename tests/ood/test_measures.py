import imagecodecs
import numpy as np
import pytest
import torch

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.ood.measures import CODERS, Neighbours, coded_bits_per_dim, edges, pixels

CPU = torch.device("cpu")
DECODE = {"png": imagecodecs.png_decode, "jpeg_ls": imagecodecs.jpegls_decode, "jpeg_xl": imagecodecs.jpegxl_decode}


def images(n: int, seed: int = 0, smooth: bool = False) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if smooth:
        return np.broadcast_to(rng.integers(0, 256, (n, 1, 28, 1), dtype=np.uint8), (n, 1, 28, 28)).copy()
    return rng.integers(0, 256, (n, 1, 28, 28), dtype=np.uint8)


@pytest.mark.parametrize("name", sorted(CODERS))
def test_coders_lose_nothing(name: str) -> None:
    for image in np.concatenate([images(5), images(5, smooth=True), np.zeros((1, 1, 28, 28), np.uint8)])[:, 0]:
        np.testing.assert_array_equal(np.squeeze(DECODE[name](CODERS[name](image))), image)


def test_codes_of_simple_images_are_shorter_and_the_shortest_counts() -> None:
    simple, noise = images(8, smooth=True), images(8)
    for name in CODERS:
        assert coded_bits_per_dim(simple, [name]).max() < coded_bits_per_dim(noise, [name]).min()
    each = np.stack([coded_bits_per_dim(simple, [name]) for name in CODERS])
    assert each.min() > 0
    np.testing.assert_array_equal(coded_bits_per_dim(simple, list(CODERS)), each.min(axis=0))
    # Random bytes cannot be compressed: 8 bits a pixel and the headers.
    assert coded_bits_per_dim(noise, ["png"]).min() > 8
    with pytest.raises(FashionDGMError, match="coders must be some of"):
        coded_bits_per_dim(noise, ["gif"])


@pytest.mark.parametrize("describe", [pixels, edges])
@pytest.mark.parametrize("k", [1, 2, 5])
def test_neighbours_are_those_of_brute_force_whatever_the_batch(describe: object, k: int) -> None:
    reference, query = torch.from_numpy(images(40)), torch.from_numpy(images(30, 1))
    distances = torch.cdist(describe(query).double(), describe(reference).double())
    expected = distances.kthvalue(k, dim=1).values.numpy()
    for batch in (7, 30):
        found = Neighbours(describe, reference, k, CPU, batch).distance(query)
        np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_a_copy_is_not_its_own_second_neighbour() -> None:
    reference = torch.from_numpy(images(40))
    assert Neighbours(pixels, reference, 1, CPU, 20).distance(reference).max() < 0.02
    assert Neighbours(pixels, reference, 2, CPU, 20).distance(reference).min() > 1
    with pytest.raises(FashionDGMError, match="at least as many"):
        Neighbours(pixels, reference[:1], 2, CPU, 20)


def test_edges_see_direction_and_not_brightness() -> None:
    ramp = torch.arange(0, 112, 4, dtype=torch.uint8).expand(1, 1, 28, 28)
    right, left, down, up = (
        edges(image).view(4, 14, 14)
        for image in (ramp, ramp.flip(3), ramp.transpose(2, 3), ramp.transpose(2, 3).flip(2))
    )
    strongest = [maps[:, 3:-3, 3:-3].mean((1, 2)).argmax().item() for maps in (right, down, left, up)]
    assert strongest == [0, 1, 2, 3]
    torch.testing.assert_close(edges(ramp + 100), edges(ramp), atol=1e-4, rtol=0)
    assert edges(torch.full((1, 1, 28, 28), 200, dtype=torch.uint8)).abs().max() < 1e-5
    # Whatever the other images of the batch.
    pictures = torch.from_numpy(images(6))
    torch.testing.assert_close(edges(pictures)[3:4], edges(pictures[3:4]))
