"""Models that come with the package are scored in place of those that are trained, where parameters say so."""

from typing import Any

import pytest

from fashion_dgm.catalog.local import ReferenceModelsDataset
from fashion_dgm.checkpoint import Checkpoint
from fashion_dgm.config import FIDConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.evaluation.feature_cache import FeatureCache
from fashion_dgm.pipelines.fid_eval.nodes import score_samples
from fashion_dgm.pipelines.ood_eval.nodes import score_images
from tests.conftest import made_up_images
from tests.evaluation.test_scoring import CONFIG, flow, generator
from tests.ood.helpers import config
from tests.pipelines.test_ood_eval import images

REFERENCE: dict[str, Any] = {"gan": {100: generator()}, "realnvp": flow()}
SPLITS = [made_up_images(90, seed) for seed in (1, 2, 3)]


def fid_models(**changed: Any) -> dict[str, list[Any]]:
    """The models that `fid_eval` scores, with their states."""
    chosen = FIDConfig(**CONFIG.model_dump() | changed)
    trained = {"gan": {1: generator(), 2: generator()}, "flow": flow(), "wgan": None}
    _, quality, metrics = score_samples(*SPLITS, None, FeatureCache(None), chosen, REFERENCE, **trained)
    assert metrics["models"] == chosen.models
    return {model: list(rows["epoch"].dropna()) for model, rows in quality.groupby("model")}


def test_fid_eval_scores_either_and_leaves_out_flows_that_were_not_named() -> None:
    real: dict[str, list[Any]] = {"test": [], "train": []}
    assert fid_models() == {"gan": [1, 2], "RealNVP": []} | real
    assert fid_models(models="reference") == {"gan": [100, 100], "RealNVP": []} | real
    assert fid_models(models="reference", flows="MixtureFlow+ResidualFlow") == {"gan": [100, 100]} | real


def test_ood_eval_scores_the_reference_flow_and_needs_no_other() -> None:
    given = images(70, 0), images(20, 1), {"noise": images(20, 2)}
    chosen = config(models="reference", scores=["likelihood"])
    trained = Checkpoint("ResidualFlow", {}, {}, {})
    scores, fitted = score_images(None, None, *given, chosen, residual_flow=trained, reference=REFERENCE)
    assert set(scores["model"]) == {"RealNVP"} and fitted["ensemble"] == 1
    with pytest.raises(FashionDGMError, match="no flow comes with this package"):
        score_images(None, None, *given, chosen, reference={"gan": {1: generator()}})


def test_every_model_of_the_package_is_in_the_catalog() -> None:
    found = ReferenceModelsDataset().load()
    assert found["gan"][100]().architecture == "Generator"
    assert all(isinstance(model, Checkpoint) or list(model) for model in found.values())
