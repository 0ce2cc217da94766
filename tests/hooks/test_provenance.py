"""Results carry their origin, whatever kind of dataset the catalog has for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog
from kedro.pipeline import Node

from fashion_dgm.config import DataSplitConfig
from fashion_dgm.hooks import ProvenanceHooks
from tests.conftest import ROOT, made_up_images


@pytest.mark.parametrize("name", ["gan_metrics", "ood_fit", "split_summary", "stability_records"])
def test_a_result_has_the_parameters_and_the_images_that_made_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    catalog = DataCatalog.from_config(
        OmegaConfigLoader(str(ROOT / "conf"), base_env="base", default_run_env="base")["catalog"]
    )
    train, config = made_up_images(20, seed=0), DataSplitConfig(pool="train", test_fraction=0.2, seed=0)
    node = Node(lambda train, config: {}, ["train", "params:data_split"], name, name="one", namespace="data_split")
    result: dict[str, Any] = {"images": 20}
    ProvenanceHooks().after_node_run(node, catalog, {"train": train, "params:data_split": config}, {name: result})
    assert result["origin"]["train_sha256"] == train.sha256
    assert result["origin"]["parameters"] == {"data_split": config.model_dump(mode="json")}
