import torch

from fashion_dgm.classifier import reference
from fashion_dgm.classifier.network import accuracy
from fashion_dgm.classifier.reference import reference_checkpoint, reference_classifier
from fashion_dgm.data.images import ImageSet


def test_is_small_and_ready_for_use_and_records_its_accuracy_and_its_training_images() -> None:
    assert reference._PATH.stat().st_size < 2 * 2**20
    training, network = reference_checkpoint().training, reference_classifier()
    assert training["benchmark_accuracy"] >= 0.935
    assert len(training["data_sha256"]) == 64
    assert not network.training
    with torch.no_grad():
        assert network.features(torch.zeros(2, 1, 28, 28)).shape == (2, 128)


def test_recorded_accuracy_on_official_test_images_is_reached(official_images: ImageSet) -> None:
    benchmark = official_images.take(slice(0, 2000))
    images, labels = torch.from_numpy(benchmark.images), torch.from_numpy(benchmark.labels)
    # Binomial: 2,000 of 10,000 images lie within 4 standard errors of the accuracy on all.
    assert accuracy(reference_classifier(), images, labels) > 0.935 - 4 * (0.06 * 0.94 / 2000) ** 0.5
