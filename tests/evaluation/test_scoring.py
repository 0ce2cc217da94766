import dataclasses
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest
import torch
from tests.conftest import made_up_images
from tests.small import realnvp_config

from fashion_dgm.catalog.folders import SnapshotsDataset
from fashion_dgm.checkpoint import Checkpoint, checkpoint_of, load_checkpoint
from fashion_dgm.classifier.network import Classifier
from fashion_dgm.config import FIDConfig, KIDConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.evaluation.feature_cache import FeatureCache
from fashion_dgm.evaluation.features import FeatureSpace, classifier_space
from fashion_dgm.evaluation.real_images import RealImages
from fashion_dgm.evaluation.samples import SampleSource, flow_sources, snapshot_sources
from fashion_dgm.evaluation.scoring import Scores, best_and_last, records, sample_size_warnings, score_samples
from fashion_dgm.flows import RealNVP
from fashion_dgm.gans.networks import Discriminator, Generator
from fashion_dgm.training.store import Progress, StateStore

CPU = torch.device("cpu")
CONFIG = FIDConfig(
    models="trained",
    samples=90,
    batch_size=50,
    classifier="shipped",
    samples_from={},
    flows="all",
    temperatures=[1.0],
    copying_images=40,
    kid=KIDConfig(subsets=5, subset_size=20),
    neighbours=5,
    extrapolation_groups=10,
    memory_megabytes=16,
    efficientnet=False,
    efficientnet_pixels=32,
    inception=False,
    inception_weights=None,
    inception_sha256="00000000",
    inception_download=False,
    seed=0,
    device="cpu",
)
SPLITS = {"test": made_up_images(90, 1), "benchmark": made_up_images(120, 2), "train": made_up_images(200, 3)}
Load = Callable[[], Checkpoint]


def space(name: str = "classifier"):
    torch.manual_seed(0)
    return dataclasses.replace(classifier_space(Classifier(width=4, feature_dim=8), CPU), name=name)


def real(samples: int = 90) -> RealImages:
    return RealImages(SPLITS, samples, 0, FeatureCache(None), CPU, 50)


def generator(seed: int = 1, bias: float = 0.0) -> Load:
    torch.manual_seed(seed)
    network = Generator(latent_dim=5, width=4)
    with torch.no_grad():
        network.layers[-2].bias += bias
    checkpoint = checkpoint_of(network, "Generator", {"latent_dim": 5, "width": 4})
    return lambda: checkpoint


def score(models: dict[str, dict[int, Load]], samples: int = 90) -> Scores:
    return score_samples(snapshot_sources(models, 0, CPU, 50), real(samples), [space()], CONFIG, CPU)


def score_images(*sources: SampleSource) -> Scores:
    return score_samples(sources, real(), [space()], CONFIG, CPU)


def flow() -> Checkpoint:
    config = realnvp_config(scales=1, checkerboard_couplings=1, channel_couplings=0, residual_blocks=0)
    torch.manual_seed(0)
    return checkpoint_of(RealNVP(config), "RealNVP", config.model_dump(mode="json"))


def images_of(name: str, images: torch.Tensor) -> SampleSource:
    return SampleSource(name, None, lambda n: (images[:n], "none"))


def test_one_row_a_model_epoch_space_and_split_at_one_n() -> None:
    same = generator()
    scores = score({"a": {1: same, 3: same}, "b": {2: same}}, 60)
    assert len(scores.by_epoch) == 6
    assert set(scores.by_epoch["samples"]) == set(scores.quality["samples"]) == {60}
    # The same generator at every epoch: the same latents, so the same distance.
    assert scores.by_epoch.groupby("split")["distance"].nunique().eq(1).all()
    # No more than there are in the smallest split; each space on its own.
    spaces = [space(), space("other")]
    found = score_samples(snapshot_sources({"a": {1: same}}, 0, CPU, 50), real(10_000), spaces, CONFIG, CPU)
    assert set(found.by_epoch["samples"]) == {90} and set(found.quality["feature_space"]) == {"classifier", "other"}
    assert found.by_epoch.groupby("split")["distance"].nunique().eq(1).all()
    # Real images alone are compared where nothing else is there.
    alone = score({})
    assert list(alone.quality["state"]) == ["floor", "training"] and alone.by_epoch.empty
    assert best_and_last(alone.by_epoch) == []
    assert any("only real images are compared" in warning for warning in alone.warnings)


@pytest.mark.parametrize("samples", [7, 61, 200])
def test_draws_keep_the_class_proportions(samples: int) -> None:
    labels = np.repeat(np.arange(4, dtype=np.uint8), [10, 20, 70, 100])
    images = ImageSet(np.zeros((200, 1, 28, 28), np.uint8), np.random.default_rng(0).permutation(labels))
    drawn = RealImages({"test": images}, samples, 0, FeatureCache(None), CPU, 50).labels("test")
    assert len(drawn) == samples
    assert np.all(abs(np.bincount(drawn, minlength=4) - samples * np.bincount(labels) / 200) < 1)


def test_floor_is_of_images_that_the_feature_network_has_not_seen() -> None:
    """docs/reading-the-numbers.md#floors

    Features that send every image they were learnt from to one point put those far from all others. Three draws of
    one distribution: held-out images are at a distance of chance alone, training images at 16 and more.
    """
    pixels = torch.rand(300, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    splits = {
        name: ImageSet((255 * part).byte().numpy(), np.zeros(100, np.uint8))
        for name, part in zip(("test", "benchmark", "train"), pixels.split(100), strict=True)
    }
    seen = {image.tobytes() for image in splits["train"].images}

    def extract(images: torch.Tensor) -> torch.Tensor:
        features = images[:, 0, :2, 0].clone()
        levels = (255 * images).round().byte().numpy()
        features[[level.tobytes() in seen for level in levels]] = 4.0
        return features

    memorising = FeatureSpace("classifier", "", "", 2, "", extract)
    scores = score_samples([], RealImages(splits, 100, 0, FeatureCache(None), CPU, 50), [memorising], CONFIG, CPU)
    rows = scores.quality.set_index("state")
    assert rows.loc["floor", "model"] == "test" and rows.loc["training", "model"] == "train"
    assert scores.floors() == {"classifier": rows.loc["floor", "distance_benchmark"]}
    # The same against either set, for the distance is symmetric.
    assert rows.loc["floor", "distance_test"] == rows.loc["floor", "distance_benchmark"] < 0.1
    assert min(rows.loc["training", ["distance_test", "distance_benchmark"]]) > 16
    assert rows.loc["floor", "coverage"] > 0.8 > rows.loc["training", "coverage"] == 0


def test_quality_is_that_of_the_best_and_the_last_epoch() -> None:
    # Brighter and brighter until nothing but white is left: the first epoch is the best.
    scores = score({"a": {1: generator(bias=0.0), 2: generator(bias=3.0), 3: generator(bias=9.0)}})
    rows = scores.quality.set_index("state")
    assert (rows.loc["best", "epoch"], rows.loc["last", "epoch"]) == (1, 3)
    table = scores.by_epoch.set_index(["epoch", "split"])["distance"]
    for state, epoch in (("best", 1), ("last", 3)):
        assert rows.loc[state, "distance_test"] == table[epoch, "test"]
        assert rows.loc[state, "distance_benchmark"] == table[epoch, "benchmark"]
    assert rows.loc["best", "kid"] < rows.loc["last", "kid"]
    assert best_and_last(scores.by_epoch)[0]["best_epoch"] == 1


def test_best_is_chosen_on_one_split_and_read_off_the_other() -> None:
    """docs/reading-the-numbers.md#best-and-last-epoch"""
    rows = [(1, 9.0, 5.0), (2, 4.0, 6.0), (3, 8.0, 1.0)]
    table = pd.DataFrame(rows, columns=["epoch", "test", "benchmark"]).melt("epoch", None, "split", "distance")
    (row,) = best_and_last(table.assign(model="gan", feature_space="s"))
    assert row["best_epoch"] == 2 and row["best_on_benchmark"] == 6.0
    assert row["last_epoch"] == 3 and row["last_on_test"] == 8.0


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (generator(bias=float("nan")), "hold NaN or infinity; train it again"),
        (lambda: checkpoint_of(Discriminator(4), "Discriminator", {"width": 4}), "a Discriminator, not a Generator"),
        (lambda: load_checkpoint(Path("absent.safetensors")), "does not exist: train the model first"),
    ],
)
def test_a_bad_snapshot_costs_its_own_row_alone(bad: Load, message: str) -> None:
    scores = score({"a": {1: generator(), 2: bad}, "b": {1: generator()}})
    assert [(f["model"], f["epoch"]) for f in scores.failures] == [("a", 2)]
    assert message in scores.failures[0]["reason"]
    assert set(scores.by_epoch["model"]) == {"a", "b"} and set(scores.by_epoch["epoch"]) == {1}


def test_a_damaged_file_of_the_catalog_costs_its_own_row_alone(tmp_path: Path) -> None:
    snapshots = SnapshotsDataset(filepath=str(tmp_path))
    snapshots.save({1: generator()(), 2: generator()()})
    (tmp_path / "epoch_0002.safetensors").write_bytes(b"")
    scores = score({"a": snapshots.load()})
    assert [(f["model"], f["epoch"]) for f in scores.failures] == [("a", 2)]
    assert set(scores.by_epoch["epoch"]) == {1}


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(30, 3, 28, 28), r"shape \(N, 1, 28, 28\)"),
        (torch.full((30, 1, 28, 28), float("nan")), "30 of 30 samples hold NaN"),
        (torch.full((30, 1, 28, 28), 2.0), r"must lie in \[0, 1\]"),
        (torch.zeros(1, 1, 28, 28), "1 samples are too few"),
    ],
)
def test_bad_samples_are_named_and_the_others_scored(images: torch.Tensor, message: str) -> None:
    good = images_of("good", torch.from_numpy(made_up_images(90, 5).images))
    scores = score_images(images_of("bad", images), good)
    assert list(scores.quality["model"]) == ["good", "test", "train"]
    assert [failure["model"] for failure in scores.failures] == ["bad"]
    with pytest.raises(FashionDGMError, match=f"no samples that could be scored.*{message}"):
        score_images(images_of("bad", images))


def test_a_collapsed_generator_is_scored_and_reported() -> None:
    same = torch.from_numpy(made_up_images(1, 0).images).repeat(90, 1, 1, 1)
    scores = score_images(images_of("mode", same))
    row = scores.quality.iloc[0]
    assert np.isfinite([row["distance_test"], row["distance_infinite"], row["kid"]]).all()
    assert row["recall"] == 0.0
    assert any("all samples are equal" in warning for warning in scores.warnings)


def test_fewer_samples_than_features_are_finite_and_reported_and_json_can_hold_them() -> None:
    few = torch.from_numpy(made_up_images(4, 0).images)
    scores = score_images(images_of("few", few))
    row, floor, _ = records(scores.quality)
    assert row["epoch"] is None and row["precision"] is None and row["samples"] == 4
    assert type(floor["kid_subset"]) is int and type(floor["kid"]) is float
    assert np.isfinite(row["distance_test"])
    joined = " ".join(scores.warnings)
    assert "few brings 4 samples where the others have 90" in joined
    assert "few: N = 4 is not above the 8 classifier features" in joined
    assert [len(sample_size_warnings([space()], n)) for n in (8, 9)] == [1, 0]


@pytest.mark.parametrize("spoil", ["noise", "blur", "dropped classes"])
def test_all_measures_follow_what_is_done_to_real_images(spoil: str) -> None:
    base = made_up_images(90, 7)
    pixels, labels = torch.from_numpy(base.images) / 255, base.labels
    noise = torch.rand(pixels.shape, generator=torch.Generator().manual_seed(0))
    steps = {
        "noise": [pixels * (1 - s) + noise * s for s in (0.0, 0.3, 0.6, 1.0)],
        "blur": [torch.nn.functional.avg_pool2d(pixels, k, 1, k // 2) for k in (1, 5, 9, 17)],
        "dropped classes": [pixels[torch.from_numpy(labels < kept)][:18].repeat(5, 1, 1, 1) for kept in (10, 6, 3, 1)],
    }
    sources = [images_of(f"s{i}", images) for i, images in enumerate(steps[spoil])]
    coarse = FeatureSpace("pixels", "", "4x4 means", 16, "", lambda x: torch.nn.functional.avg_pool2d(x, 7).flatten(1))
    rows = score_samples(sources, real(), [coarse], CONFIG, CPU).quality[:4]
    for name in ("distance_benchmark", "kid"):
        assert rows[name].is_monotonic_increasing, name
    assert rows["coverage"].iloc[0] > rows["coverage"].iloc[-1]


def test_copies_of_training_images_are_nearer_to_them_than_held_out_images() -> None:
    """docs/reading-the-numbers.md#copying"""
    train, fresh = torch.from_numpy(SPLITS["train"].images), torch.from_numpy(made_up_images(90, 5).images)
    copies = (train.float() / 255 * 0.999)[:90]
    scores = score_images(images_of("copies", copies), images_of("fresh", fresh))
    found = scores.quality.set_index("model")["copying_probability"]
    assert found["copies"] == 1.0 and 0.3 < found["fresh"] < 0.7
    assert found[["test", "train"]].isna().all()


def test_a_flow_has_a_row_for_each_temperature_and_none_by_epoch() -> None:
    sources = flow_sources({"flow": flow(), "other": flow()}, [1.0, 0.5], 0, CPU, 40)
    scores = score_samples(sources, real(60), [space()], CONFIG, CPU)
    rows = scores.quality[scores.quality["state"] == "flow"]
    assert list(zip(rows["model"], rows["temperature"], strict=True)) == [
        (name, temperature) for name in ("RealNVP", "other") for temperature in (1.0, 0.5)
    ]
    assert set(rows["samples"]) == {60} and rows["epoch"].isna().all() and scores.by_epoch.empty
    # Latents are the same whatever the model and the temperature.
    assert rows["distance_test"].iloc[0] == rows["distance_test"].iloc[2] != rows["distance_test"].iloc[1]
    assert set(scores.seconds) == {f"{name}/temperature {t:g}" for name in ("RealNVP", "other") for t in (1.0, 0.5)}
    assert scores.conversions == {}


def test_an_interrupted_evaluation_goes_on_with_the_models_that_were_not_scored(tmp_path: Path) -> None:
    loads = {name: Mock(side_effect=generator(seed)) for seed, name in enumerate("abc", start=1)}

    def evaluate() -> Scores:
        sources = snapshot_sources({name: {1: load} for name, load in loads.items()}, 0, CPU, 50)
        return score_samples(sources, real(), [space()], CONFIG, CPU, Progress(StateStore(tmp_path / "progress"), {}))

    trained = loads["b"].side_effect, loads["c"].side_effect
    loads["b"].side_effect, loads["c"].side_effect = FashionDGMError("no memory"), KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        evaluate()
    loads["b"].side_effect, loads["c"].side_effect = trained
    resumed = evaluate()
    assert [load.call_count for load in loads.values()] == [1, 2, 2]
    whole = score({name: {1: generator(seed)} for seed, name in enumerate("abc", start=1)})
    pd.testing.assert_frame_equal(resumed.by_epoch, whole.by_epoch, check_exact=True)
    pd.testing.assert_frame_equal(resumed.quality, whole.quality, check_exact=True)
    assert (resumed.warnings, resumed.failures) == (whole.warnings, [])
