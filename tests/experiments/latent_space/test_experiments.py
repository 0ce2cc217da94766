from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.conftest import made_up_images

from fashion_dgm.config import LatentSpaceConfig
from fashion_dgm.experiments.latent_space import experiments
from fashion_dgm.experiments.latent_space.probe import Probe
from fashion_dgm.experiments.latent_space.summary import compare_paths, summarise_shots, table_of

CONFIG = LatentSpaceConfig(
    images=9,
    temperatures=(0.5, 1.0),
    radii=(0.5, 1.0),
    truncations=(1.0,),
    constants=(0.0, -1.0),
    active=(64, 1, 1000),
    steps=3,
    noise=(0.0, 1.0),
    stranger="mnist",
    batch_size=4,
    bootstrap=100,
    confidence=0.9,
    seed=0,
    device="cpu",
)


@pytest.fixture
def probe(make_flow) -> Probe:
    return Probe(make_flow(shape=(1, 28, 28), size=0.05), batch_size=4, seed=0)


@pytest.fixture
def familiar() -> np.ndarray:
    return made_up_images(18, seed=1).images


@pytest.fixture
def foreign() -> np.ndarray:
    return 255 - made_up_images(9, seed=2).images


def test_temperature_is_the_scale_of_the_same_latents(probe) -> None:
    cool, plain = experiments.temperatures(probe, CONFIG)
    np.testing.assert_allclose(cool.norm, 0.5 * plain.norm, rtol=1e-6)
    # False alarm below 1 in a million: the norm scatters by 1 / sqrt(2 D).
    assert np.abs(plain.norm - 1).max() < 5.5 / np.sqrt(2 * 784)
    assert cool.level == 0.5 and cool.images.shape == (9, 1, 28, 28)


def test_what_is_encoded_comes_back_pixel_for_pixel(probe, familiar) -> None:
    assert np.array_equal(probe.decode(probe.encode(familiar)), familiar)


def test_latents_off_the_typical_set_are_what_they_are_called(probe) -> None:
    shots = {shot.variant: shot for shot in experiments.off_typical(probe, CONFIG)}
    assert shots["all 0"].norm.tolist() == [0.0]
    assert shots["all -1"].norm.tolist() == [1.0]
    np.testing.assert_allclose(shots["1 active"].norm, 1, rtol=1e-6)
    assert shots["784 active"].level == 784  # as many as there are, where more were asked for
    np.testing.assert_allclose(shots["scale 1 at zero"].norm, np.sqrt(0.5), atol=0.12)
    assert shots["cut at ±1"].norm.max() < 1


def test_radii_are_exact_and_scales_change_hands(probe, familiar) -> None:
    half, whole, *swaps = experiments.real_directions(probe, familiar, CONFIG)
    np.testing.assert_allclose(half.norm, 0.5, rtol=1e-6)
    np.testing.assert_allclose(whole.norm, 1.0, rtol=1e-6)
    own = probe.encode(familiar[:9])
    for index, shot in enumerate(swaps):
        latents = own.clone()
        part = slice(392 * index, 392 * (index + 1))
        latents[:, part] = own[[8, 0, 1, 2, 3, 4, 5, 6, 7]][:, part]
        assert np.array_equal(shot.images, probe.decode(latents))
        assert np.array_equal(shot.donor[1], familiar[0]) and np.array_equal(shot.host[1], familiar[1])


def test_ways_share_their_ends(probe, familiar) -> None:
    shots = experiments.interpolations(probe, familiar, CONFIG)
    ends = [shot for shot in shots if shot.level == 0.0]
    assert [shot.experiment for shot in ends] == ["path_pixels", "path_linear", "path_spherical"]
    assert all(np.array_equal(shot.images, familiar[:9]) for shot in ends)
    assert all(np.array_equal(shot.images, familiar[9:]) for shot in shots if shot.level == 1.0)
    paths = compare_paths(table_of(shots), 100, 0.9, 0)
    assert paths["path_linear"]["norm"] < paths["path_spherical"]["norm"]
    linear, spherical = (paths[f"path_{name}"]["middle"] for name in ("linear", "spherical"))
    assert paths["linear_minus_spherical"]["difference"] == pytest.approx(linear - spherical)


def test_strangers_are_kept_mixed_and_lost_in_noise(probe, familiar, foreign) -> None:
    shots = {(s.experiment, s.variant): s for s in experiments.strangers(probe, familiar, foreign, CONFIG)}
    assert np.array_equal(shots["stranger", "encoded and decoded"].images, foreign)
    assert np.array_equal(shots["noise", "s = 0"].images, foreign)
    rows = {
        (row["experiment"], row["variant"]): row
        for row in summarise_shots(table_of([*shots.values()]), np.array([5.0, 6.0]), 100, 0.9, 0)
    }
    assert rows["stranger", "encoded and decoded"]["changed"] == 0
    assert rows["stranger", "encoded and decoded"]["like_host"] == pytest.approx(1)
    assert rows["noise", "s = 1"]["like_host"] is None
    mixed = [rows["mixture", f"scale {scale} of the OOD image"] for scale in (1, 2)]
    assert all(-1 <= row["like_donor"] <= 1 for row in mixed)


def test_rank_is_the_share_of_real_images_that_need_more_bits(probe) -> None:
    shot = experiments.temperatures(probe, CONFIG)[:1]
    bits = shot[0].bits_per_dim
    for reference, expected in ((bits.max() + np.ones(4), 1.0), (bits.min() - np.ones(4), 0.0)):
        row = summarise_shots(table_of(shot), reference, 100, 0.9, 0)[0]
        assert row["likelier_than"] == expected
        assert row["bits_per_dim"] == pytest.approx(bits.mean())


def test_the_flow_is_one_that_torch_leaves_alone(probe) -> None:
    before = {name: value.clone() for name, value in probe.flow.state_dict().items()}
    experiments.temperatures(probe, CONFIG)
    assert all(torch.equal(value, before[name]) for name, value in probe.flow.state_dict().items())
