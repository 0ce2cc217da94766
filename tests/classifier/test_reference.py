import hashlib
from pathlib import Path

import pytest
import torch

from fashion_dgm.checkpoint import CheckpointError
from fashion_dgm.classifier import reference
from fashion_dgm.classifier.network import accuracy
from fashion_dgm.classifier.reference import reference_checkpoint, reference_classifier
from fashion_dgm.data.images import ImageSet


def test_is_the_file_that_was_shipped_and_small() -> None:
    path = reference._PATH
    assert hashlib.sha256(path.read_bytes()).hexdigest() == reference.REFERENCE_SHA256
    assert path.stat().st_size < 2 * 2**20
    assert reference_checkpoint().config == {"width": 32, "feature_dim": 128}


def test_records_its_accuracy_and_its_training_images() -> None:
    training = reference_checkpoint().training
    assert training["benchmark_accuracy"] >= 0.935
    assert len(training["data_sha256"]) == 64


def test_changed_weights_are_refused(tmp_path: Path) -> None:
    content = bytearray(reference._PATH.read_bytes())
    content[-1] ^= 1
    changed = tmp_path / "classifier.safetensors"
    changed.write_bytes(content)
    with pytest.raises(CheckpointError, match="it was changed or damaged"):
        reference_checkpoint(changed)
    with pytest.raises(CheckpointError, match="install it again"):
        reference_checkpoint(tmp_path / "absent.safetensors")


def test_comes_ready_for_use() -> None:
    network = reference_classifier()
    assert not network.training
    with torch.no_grad():
        assert network.features(torch.zeros(2, 1, 28, 28)).shape == (2, 128)


def test_recorded_accuracy_on_official_test_images_is_reached(official_images: ImageSet) -> None:
    benchmark = official_images.take(slice(0, 2000))
    images, labels = torch.from_numpy(benchmark.images), torch.from_numpy(benchmark.labels)
    # Binomial: 2,000 of 10,000 images lie within 4 standard errors of the accuracy on all.
    assert accuracy(reference_classifier(), images, labels) > 0.935 - 4 * (0.06 * 0.94 / 2000) ** 0.5
