import functools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from fashion_dgm.catalog.folders import ImageSetsDataset
from fashion_dgm.checkpoint import Checkpoint, checkpoint_of
from fashion_dgm.classifier.network import Classifier
from fashion_dgm.data.images import ImageSet
from fashion_dgm.flows import RealNVP
from fashion_dgm.ood import scorer
from fashion_dgm.ood.evaluation import chosen_models
from fashion_dgm.ood.measures import measure_flow
from fashion_dgm.ood.scorer import Measured
from fashion_dgm.pipelines.ood_eval.nodes import measure_detection, score_images
from fashion_dgm.training.store import StateStore
from tests.ood.helpers import config
from tests.small import realnvp_config

TINY = realnvp_config(scales=1, checkerboard_couplings=1, channel_couplings=0, hidden_channels=2, residual_blocks=0)


def images(n: int, seed: int, name: str = "fashion_mnist") -> ImageSet:
    pixels = np.random.default_rng(seed).integers(0, 256, (n, 1, 28, 28), dtype=np.uint8)
    return ImageSet(pixels, np.zeros(n, np.uint8), name)


def flow(seed: int) -> Checkpoint:
    torch.manual_seed(seed)
    return checkpoint_of(RealNVP(TINY), "RealNVP", TINY.model_dump(mode="json"))


@pytest.mark.parametrize("kept", [None, {}, {1: 1}, {2: 2, 3: 3}])
def test_waic_reports_how_many_weights_it_compared_and_is_left_out_with_a_reason_where_there_is_one(kept) -> None:
    """`kept_epochs: 0` and `epochs: 1` leave no weights of earlier epochs, and the catalog loads None."""
    snapshots = kept and {epoch: functools.partial(flow, seed) for epoch, seed in kept.items()}
    classifier = checkpoint_of(Classifier(2, 4), "Classifier", {"width": 2, "feature_dim": 4})
    chosen = config(scores=["likelihood", "waic"])
    scores, fitted = score_images(
        flow(0), snapshots, images(70, 0), images(20, 1), {"noise": images(20, 2)}, chosen, classifier=classifier
    )
    table, _, metrics = measure_detection(scores, fitted, {}, chosen)
    first = metrics["models"][metrics["model"]]
    assert metrics["ensemble"] == 1 + len(kept or {})
    assert ("waic" in first["results"]) == ("waic" in set(table["score"])) == bool(kept)
    if kept:
        assert metrics["definitions"]["waic"]["label"] == f"WAIC ({1 + len(kept)} weights)"
    else:
        assert "kept_epochs" in first["missing"]["waic"]


@pytest.mark.parametrize("name", ["fashion_mnist", "mnist"])
def test_the_in_distribution_set_has_the_name_of_its_images(name: str) -> None:
    chosen = config(scores=["likelihood"])
    sets = {"noise": images(20, 2, "noise")}
    scores, fitted = score_images(flow(0), None, images(70, 0, name), images(20, 1, name), sets, chosen)
    table, _, metrics = measure_detection(scores, fitted, {}, chosen)
    assert list(scores["dataset"].unique()) == [name, "noise"]
    assert set(table["dataset"]) == set(metrics["sets"]) == {"noise"}
    assert metrics["in_distribution"]["name"] == metrics["models"]["RealNVP"]["in_distribution"]["name"] == name


def test_a_damaged_set_costs_no_other(tmp_path: Path) -> None:
    dataset = ImageSetsDataset(filepath=str(tmp_path))
    dataset.save({name: images(20, 2, name) for name in ("digits", "noise")})
    (tmp_path / "digits.npz").write_bytes(b"")
    scores, fitted = score_images(
        flow(0), None, images(70, 0), images(20, 1), dataset.load(), config(scores=["likelihood"])
    )
    assert list(scores["dataset"].unique()) == ["fashion_mnist", "noise"]
    assert list(fitted["failed"]) == ["digits"] and "is damaged" in fitted["failed"]["digits"]


def test_without_a_classifier_of_these_images_scores_that_use_labels_are_missing() -> None:
    chosen = config(scores=["likelihood", "nearest_features", "combined_labels"])
    _, fitted = score_images(flow(0), None, images(70, 0), images(20, 1), {"noise": images(20, 2)}, chosen)
    missing = fitted["missing"]["RealNVP"]
    assert set(missing) == {"nearest_features", "combined_labels"}
    assert all("trained with labels of these images" in reason for reason in missing.values())


def test_an_interrupted_evaluation_goes_on_after_the_sets_that_were_scored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = config(scores=["likelihood", "gradient_norm"])
    sets = {name: images(20, seed, name) for seed, name in enumerate(("noise", "other", "last"), start=2)}
    measured: list[int] = []

    def evaluate(stop_after: int = 99, trained: int = 0) -> pd.DataFrame:
        def measure(*arguments: Any) -> Measured:
            if len(measured) == stop_after:
                raise KeyboardInterrupt
            measured.append(1)
            return measure_flow(*arguments)

        monkeypatch.setattr(scorer, "measure_flow", measure)
        store = StateStore(tmp_path / "progress")
        return score_images(flow(trained), None, images(70, 0), images(20, 1), sets, chosen, store=store)[0]

    whole = evaluate()
    assert len(measured) == 5  # images to fit, official ones, three sets
    for trained, expected in ((0, 2), (1, 5)):
        measured.clear()
        with pytest.raises(KeyboardInterrupt):
            evaluate(stop_after=3)
        measured.clear()
        resumed = evaluate(trained=trained)
        assert len(measured) == expected
        # Another flow, though one that transforms nothing yet.
        assert resumed.equals(whole)


def test_shipped_flows_are_scored_without_any_model_trained_here() -> None:
    trained = {name: flow(0) for name in ("flow", "background", "residual_flow", "classifier")}
    shipped = flow(1)
    chosen = chosen_models(trained, {"realnvp": shipped}, config(scores=["likelihood"], models="reference"))
    assert chosen == {
        "realnvp": shipped,
        "background": None,
        "residual_flow": None,
        "classifier": trained["classifier"],
    }
