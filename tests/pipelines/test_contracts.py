"""What catalog, parameters and pipelines promise one another."""

import inspect
import re
from typing import Any

import pytest
from kedro.config import OmegaConfigLoader
from kedro.io import CatalogConfigResolver, DataCatalog, MemoryDataset
from kedro.validation import TypeExtractor
from pydantic import ValidationError

from fashion_dgm import config as models
from fashion_dgm.flows import AffineCoupling, MixtureCoupling
from fashion_dgm.flows.families import make_flow
from fashion_dgm.pipeline_registry import DEFAULT, register_pipelines
from fashion_dgm.pipelines.blocks import adversarial_models
from fashion_dgm.settings import CONFIG_LOADER_ARGS
from tests.conftest import ROOT

PIPELINES = register_pipelines()
OPT_IN = (
    *("train_classifier", "train_residual_flow", "train_background_flow", "train_wgan_gp"),
    *("ood_reverse", "stability"),
)
NAMES = {*DEFAULT, *OPT_IN}
ENVS = pytest.mark.parametrize("env", ["base", "quick", "hour", "test"])
NODES = [node for name in sorted(NAMES) for node in PIPELINES[name].nodes]
DATASETS = {
    name
    for node in NODES
    for name in (*node.inputs, *node.outputs)
    if name.split(":")[0] not in ("params", "parameters")
}


def loader(env: str) -> OmegaConfigLoader:
    return OmegaConfigLoader(str(ROOT / "conf"), env=env, **CONFIG_LOADER_ARGS)


# The model with which a node's signature annotates each `params:` input.
MODELS: dict[str, type[models.Config]] = TypeExtractor(PIPELINES).extract_types_from_pipelines()


def test_the_names_that_were_promised() -> None:
    assert set(PIPELINES) == NAMES | {"__default__"}
    everything = {node.name for node in PIPELINES["__default__"].nodes}
    assert everything == {node.name for name in DEFAULT for node in PIPELINES[name].nodes}
    # In one order, whatever the hashes of this process: results are written in it.
    assert list(adversarial_models()) == ["gan", "wgan", "wgan_gp"]


def test_the_diagram_has_every_pipeline_below_those_whose_files_it_reads() -> None:
    diagram = (ROOT / "docs" / "pipelines.md").read_text(encoding="utf-8").split("```")[1]
    stages = [re.findall(r"(\w+)( \*)?", stage) for stage in diagram.split("│")]
    found = {name: number for number, stage in enumerate(stages) for name, _ in stage}
    assert set(found) == NAMES and {name for stage in stages for name, star in stage if star} == set(OPT_IN)
    for reader in NAMES:
        for writer in NAMES - {reader}:
            if PIPELINES[writer].all_outputs() & PIPELINES[reader].inputs():
                assert found[writer] < found[reader], (writer, reader)


def test_a_pipeline_is_the_namespace_of_its_nodes_and_of_nothing_else() -> None:
    for name in NAMES:
        assert {node.namespace for node in PIPELINES[name].nodes} == {name}
    assert not any("." in dataset for dataset in DATASETS)
    # So that `--nodes` needs no namespace.
    assert len({node.short_name for node in NODES}) == len(NODES)


def test_training_nodes_are_tagged_and_are_no_generators() -> None:
    tagged = {node.short_name for node in NODES if "training" in node.tags}
    resumable = {node.short_name for node in NODES if any(name.endswith("_state") for name in node.inputs)}
    assert tagged == resumable | {"train_discriminators"}
    # The body of a generator runs after Kedro's after_node_run: its failures and durations would go missing.
    assert not any(inspect.isgeneratorfunction(node.func) for node in NODES)


def described(env: str) -> dict[str, Any]:
    """The catalog's entries, without the parts that they share."""
    return {name: entry for name, entry in loader(env)["catalog"].items() if not name.startswith("_")}


@ENVS
def test_every_dataset_is_in_the_catalog_on_disk_and_in_a_layer(env: str) -> None:
    catalog = DataCatalog.from_config(loader(env)["catalog"])
    for name in DATASETS:
        assert not isinstance(catalog.get(name), MemoryDataset | None), name
    for name, entry in described(env).items():
        assert entry["metadata"]["kedro-viz"]["layer"], name


def test_every_catalog_entry_is_used_and_described_in_a_line() -> None:
    catalog = CatalogConfigResolver(entries := described("base"), default_runtime_patterns={})
    for name in entries:
        used = [found for found in DATASETS if name in (found, catalog.match_dataset_pattern(found))]
        assert used, name
    for name in DATASETS:
        assert 5 < len(catalog.resolve_pattern(name)["metadata"]["description"]) < 100, name


@ENVS
def test_every_parameter_is_valid_and_read_by_a_node(env: str) -> None:
    parameters = loader(env)["parameters"]
    # Read by ProvenanceHooks around every node.
    assert set(parameters) == set(MODELS) | {"data_mismatch"}
    for name, model in MODELS.items():
        model(**parameters[name])


def test_base_is_the_assignment() -> None:
    parameters = loader("base")["parameters"]
    for name in ("train_gan", "train_wgan"):
        block = parameters[name]
        assert (block["epochs"], block["batch_size"], block["latent_dim"]) == (100, 64, 100)
        assert block["optimizer"]["learning_rate"] == 2e-4
        assert "images_per_epoch" not in block
    assert parameters["train_flow"]["epochs"] == 100
    assert parameters["data_split"] == {"pool": "train", "test_fraction": 0.2, "seed": 0}


@ENVS
def test_train_flow_is_realnvp_with_affine_couplings(env: str) -> None:
    parameters = loader(env)["parameters"]
    for block, kind in {"train_flow": AffineCoupling, "train_mixture_flow": MixtureCoupling}.items():
        flow = make_flow(MODELS[block](**parameters[block]).model)
        assert {type(layer) for layer in flow.modules() if type(layer).__name__.endswith("Coupling")} == {kind}
    for block in ("train_flow", "train_background_flow"):
        with pytest.raises(ValidationError, match="components"):
            MODELS[block](**{**parameters[block], "model": {**parameters[block]["model"], "components": 4}})


def test_every_pipeline_is_explained() -> None:
    """Each dataset by its name or, in the report's, which reads all there are, by its pattern in the catalog."""
    catalog = CatalogConfigResolver(described("base"), default_runtime_patterns={})
    for name in NAMES:
        readme = ROOT / "src" / "fashion_dgm" / "pipelines" / name / "README.md"
        text = readme.read_text(encoding="utf-8")
        for dataset in PIPELINES[name].inputs() | PIPELINES[name].all_outputs():
            pattern = catalog.match_dataset_pattern(dataset) if name == "report" else None
            assert dataset in text or f"`{pattern}`" in text, f"{readme} does not mention {dataset}"
