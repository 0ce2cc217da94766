import dataclasses
from pathlib import Path

import pytest
import torch
from tests.evaluation.test_scoring import CONFIG

from fashion_dgm.checkpoint import Checkpoint, checkpoint_of
from fashion_dgm.classifier.network import Classifier
from fashion_dgm.classifier.reference import REFERENCE_SHA256
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.evaluation import spaces
from fashion_dgm.evaluation.spaces import available_spaces, training_data_warnings

CPU = torch.device("cpu")


def trained() -> Checkpoint:
    torch.manual_seed(0)
    origin = {"data_sha256": "ab", "benchmark_accuracy": 0.5}
    return checkpoint_of(Classifier(4, 8), "Classifier", {"width": 4, "feature_dim": 8}, origin)


def test_the_shipped_classifier_is_used_whatever_was_trained() -> None:
    (space,), missing = available_spaces(CONFIG, trained(), CPU)
    assert (space.origin, space.dimension, space.weights_sha256) == ("shipped", 128, REFERENCE_SHA256)
    assert space.accuracy is not None and space.accuracy >= 0.935
    assert len(missing) == 1 and "was not asked for" in missing[0]


def test_the_trained_one_is_used_if_asked_for() -> None:
    config = CONFIG.model_copy(update={"classifier": "trained"})
    (space,), _ = available_spaces(config, trained(), CPU)
    assert (space.origin, space.dimension, space.accuracy) == ("trained", 8, 0.5)
    with pytest.raises(FashionDGMError, match="run the pipeline train_classifier, or set it to `shipped`"):
        available_spaces(config, None, CPU)


def test_a_missing_space_costs_no_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wanted = {"efficientnet": True, "inception": True, "inception_weights": str(tmp_path / "absent.pth")}
    config = CONFIG.model_copy(update=wanted)

    def absent(*arguments: object) -> None:
        raise FashionDGMError("it was changed or damaged")

    monkeypatch.setattr(spaces, "efficientnet_space", absent)
    (space,), missing = available_spaces(config, None, CPU)
    assert space.name == "classifier" and missing[0] == "it was changed or damaged"
    assert "which is not a file there" in missing[1]
    monkeypatch.setattr(spaces, "reference_checkpoint", absent)
    with pytest.raises(FashionDGMError, match=r"no feature space to compare images in: it was.*not a file there"):
        available_spaces(config, None, CPU)


def test_images_of_another_split_are_reported() -> None:
    (space,), _ = available_spaces(CONFIG, None, CPU)
    assert training_data_warnings([space], space.trained_on or "") == []
    assert "learnt from other images" in training_data_warnings([space], "00")[0]
    assert training_data_warnings([dataclasses.replace(space, trained_on=None)], "00") == []
