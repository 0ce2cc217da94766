"""Results carry their origin, and models of another split are refused."""

from pathlib import Path
from typing import Any

import pytest
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node

from fashion_dgm.checkpoint import Checkpoint
from fashion_dgm.config import DataSplitConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.hooks import ProvenanceHooks
from tests.conftest import ROOT, made_up_images
from tests.ood.helpers import config

NODE = Node(lambda **inputs: {}, {"a": "a"}, "gan_metrics", name="one", namespace="latent_space")


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataCatalog:
    """The project's own, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    loader = OmegaConfigLoader(str(ROOT / "conf"), base_env="base", default_run_env="base")
    catalog = DataCatalog.from_config(loader["catalog"])
    catalog["params:data_mismatch"] = MemoryDataset("refuse")
    return catalog


@pytest.mark.parametrize("name", ["gan_metrics", "ood_fit", "split_summary", "stability_records"])
def test_a_result_has_the_parameters_and_the_images_that_made_it(catalog: DataCatalog, name: str) -> None:
    train, config = made_up_images(20, seed=0), DataSplitConfig(pool="train", test_fraction=0.2, seed=0)
    result: dict[str, Any] = {"images": 20}
    ProvenanceHooks().after_node_run(NODE, catalog, {"train": train, "params:data_split": config}, {name: result})
    assert result["origin"]["train_sha256"] == train.sha256
    assert result["origin"]["parameters"] == {"data_split": config.model_dump(mode="json")}


@pytest.mark.parametrize(("model", "split"), [("flow", "train"), ("mnist_flow", "mnist_train")])
def test_a_model_of_another_split_is_refused_or_marked(catalog: DataCatalog, model: str, split: str) -> None:
    here, elsewhere = made_up_images(20, seed=0), made_up_images(20, seed=1)
    hooks = ProvenanceHooks()
    for images, mismatch in ((here, ""), (elsewhere, f"{model} was trained on other images")):
        catalog["params:data_mismatch"] = MemoryDataset("refuse")
        inputs = {split: here, model: Checkpoint("RealNVP", {}, {}, {"data_sha256": images.sha256})}
        if mismatch:
            with pytest.raises(FashionDGMError, match=mismatch):
                hooks.before_node_run(NODE, catalog, inputs)
            catalog["params:data_mismatch"] = MemoryDataset("mark")
        hooks.before_node_run(NODE, catalog, inputs)
        result: dict[str, Any] = {}
        hooks.after_node_run(NODE, catalog, inputs, {"gan_metrics": result})
        assert [text.startswith(mismatch) for text in result["origin"]["mismatches"]] == [True] * bool(mismatch)


def test_models_of_the_package_are_compared_with_the_split_if_they_are_scored(catalog: DataCatalog) -> None:
    here, elsewhere = made_up_images(20, seed=0), made_up_images(20, seed=1)
    ours, shipped = (Checkpoint("RealNVP", {}, {}, {"data_sha256": images.sha256}) for images in (here, elsewhere))
    inputs = {"train": here, "flow": ours, "reference_models": {"realnvp": shipped, "gan": {1: lambda: shipped}}}
    ProvenanceHooks().before_node_run(NODE, catalog, inputs | {"params:ood_eval": config(models="trained")})
    with pytest.raises(FashionDGMError, match=r"realnvp was trained on other images .*; gan was trained"):
        ProvenanceHooks().before_node_run(NODE, catalog, inputs | {"params:ood_eval": config(models="reference")})
