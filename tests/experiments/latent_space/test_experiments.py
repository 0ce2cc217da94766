import copy

import numpy as np
import pytest
import torch
from tests.conftest import made_up_images
from tests.small import make_flow

from fashion_dgm.config import LatentSpaceConfig
from fashion_dgm.experiments.latent_space import experiments
from fashion_dgm.experiments.latent_space.experiments import LatentDecoder
from fashion_dgm.experiments.latent_space.summary import compare_paths, summarise_decoded, table_of

CONFIG = LatentSpaceConfig(
    images=9,
    temperatures=(0.5, 1.0),
    radii=(0.5, 1.0),
    truncations=(1.0,),
    constants=(0.0, -1.0),
    active=(64, 1, 1000),
    steps=3,
    noise=(0.0, 1.0),
    ood_set="mnist",
    batch_size=4,
    bootstrap=100,
    confidence=0.9,
    seed=0,
    device="cpu",
)
IN_DISTRIBUTION, OOD = made_up_images(18, seed=1).images, 255 - made_up_images(9, seed=2).images


@pytest.fixture
def decoder() -> LatentDecoder:
    return LatentDecoder(make_flow(shape=(1, 28, 28), size=0.05), batch_size=4, seed=0)


def test_temperature_is_the_scale_of_the_same_latents(decoder) -> None:
    before = copy.deepcopy(decoder.flow.state_dict())
    cool, plain = experiments.temperatures(decoder, CONFIG)
    torch.testing.assert_close(decoder.flow.state_dict(), before, rtol=0, atol=0)
    np.testing.assert_allclose(cool.norm, 0.5 * plain.norm, rtol=1e-6)
    # False alarm below 1 in a million: the norm scatters by 1 / sqrt(2 D).
    assert np.abs(plain.norm - 1).max() < 5.5 / np.sqrt(2 * 784)
    assert cool.level == 0.5 and cool.images.shape == (9, 1, 28, 28)


def test_latents_off_the_typical_set_are_what_they_are_called(decoder) -> None:
    """docs/theory/likelihood-ood.md#typical-is-not-most-likely"""
    samples = {sample.variant: sample for sample in experiments.off_typical(decoder, CONFIG)}
    assert samples["all 0"].norm.tolist() == [0.0]
    assert samples["all -1"].norm.tolist() == [1.0]
    np.testing.assert_allclose(samples["1 active"].norm, 1, rtol=1e-6)
    assert samples["784 active"].level == 784  # as many as there are, where more were asked for
    np.testing.assert_allclose(samples["scale 1 at zero"].norm, np.sqrt(0.5), atol=0.12)
    assert samples["cut at ±1"].norm.max() < 1


def test_radii_are_exact_and_scales_are_swapped(decoder) -> None:
    half, whole, *swaps = experiments.real_directions(decoder, IN_DISTRIBUTION, CONFIG)
    np.testing.assert_allclose(half.norm, 0.5, rtol=1e-6)
    np.testing.assert_allclose(whole.norm, 1.0, rtol=1e-6)
    own = decoder.encode(IN_DISTRIBUTION[:9])
    for index, sample in enumerate(swaps):
        latents, part = own.clone(), slice(392 * index, 392 * (index + 1))
        latents[:, part] = own[[8, 0, 1, 2, 3, 4, 5, 6, 7]][:, part]
        assert np.array_equal(sample.images, decoder.decode(latents))
        assert np.array_equal([sample.donor[1], sample.host[1]], IN_DISTRIBUTION[:2])


def test_paths_share_their_ends(decoder) -> None:
    samples = [*experiments.interpolations(decoder, IN_DISTRIBUTION, CONFIG)]
    ends = [sample for sample in samples if sample.level == 0.0]
    assert [sample.experiment for sample in ends] == ["path_pixels", "path_linear", "path_spherical"]
    assert all(np.array_equal(sample.images, IN_DISTRIBUTION[:9]) for sample in ends)
    assert all(np.array_equal(sample.images, IN_DISTRIBUTION[9:]) for sample in samples if sample.level == 1.0)
    paths = compare_paths(table_of(samples), CONFIG)
    assert paths["path_linear"]["norm"] < paths["path_spherical"]["norm"]
    linear, spherical = (paths[f"path_{name}"]["middle"] for name in ("linear", "spherical"))
    assert paths["linear_minus_spherical"]["difference"] == pytest.approx(linear - spherical)


def test_ood_images_are_kept_mixed_and_lost_in_noise(decoder) -> None:
    samples = {(s.experiment, s.variant): s for s in experiments.ood_latents(decoder, IN_DISTRIBUTION, OOD, CONFIG)}
    assert np.array_equal(samples["ood", "encoded and decoded"].images, OOD)
    assert np.array_equal(samples["noise", "s = 0"].images, OOD)
    rows = {
        (row["experiment"], row["variant"]): row
        for row in summarise_decoded(table_of([*samples.values()]), np.array([5.0, 6.0]), CONFIG)
    }
    assert rows["ood", "encoded and decoded"]["changed"] == 0
    assert rows["ood", "encoded and decoded"]["like_host"] == pytest.approx(1)
    assert rows["noise", "s = 1"]["like_host"] is None
    mixed = [rows["mixture", f"scale {scale} of the OOD image"] for scale in (1, 2)]
    assert all(-1 <= row["like_donor"] <= 1 for row in mixed)


def test_rank_is_the_fraction_of_real_images_that_need_more_bits(decoder) -> None:
    sample, _ = experiments.temperatures(decoder, CONFIG)
    bits = sample.bits_per_dim
    for reference, expected in ((bits.max() + np.ones(4), 1.0), (bits.min() - np.ones(4), 0.0)):
        row = summarise_decoded(table_of([sample]), reference, CONFIG)[0]
        assert row["likelier_than"] == expected
        assert row["bits_per_dim"] == pytest.approx(bits.mean())
