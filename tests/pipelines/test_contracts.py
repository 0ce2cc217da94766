"""What catalog, parameters and pipelines promise one another."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from kedro.config import OmegaConfigLoader
from kedro.io import CatalogConfigResolver, DataCatalog, MemoryDataset
from pydantic import ValidationError

from fashion_dgm import config as models
from fashion_dgm.flows import AffineCoupling, MixtureCoupling, RealNVP
from fashion_dgm.flows.families import make_flow
from fashion_dgm.pipeline_registry import register_pipelines
from fashion_dgm.settings import CONFIG_LOADER_ARGS

ROOT = Path(__file__).parents[2]
PIPELINES = register_pipelines()
DEFAULT = {
    "data_split",
    "train_flow",
    "train_mixture_flow",
    "ood_eval",
    "likelihood_decomposition",
    "latent_space",
    "train_gan",
    "train_wgan",
    "fid_eval",
    "vanishing_gradients",
    "log_det_study",
    "report",
}
NAMES = DEFAULT | {
    "train_classifier",
    "train_residual_flow",
    "train_background_flow",
    "ood_reverse",
    "train_wgan_gp",
    "stability",
}
ENVS = pytest.mark.parametrize("env", ["base", "quick", "hour", "test"])
NODES = [node for name in sorted(NAMES) for node in PIPELINES[name].nodes]
DATASETS = set[str]().union(*(PIPELINES[name].datasets() for name in NAMES))


def loader(env: str) -> OmegaConfigLoader:
    return OmegaConfigLoader(str(ROOT / "conf"), env=env, **CONFIG_LOADER_ARGS)


def models_of_parameters() -> dict[str, type[models.Config]]:
    """The model with which each node's signature annotates each `params:` input, found as Kedro finds it."""
    found = {}
    for node in NODES:
        hints = get_type_hints(node.func)
        inputs = node._inputs
        names = list(inspect.signature(node.func).parameters)
        pairs = inputs.items() if isinstance(inputs, dict) else zip(names, node.inputs, strict=False)
        for argument, dataset in pairs:
            if dataset.startswith("params:"):
                found[dataset.removeprefix("params:")] = hints[argument]
    return found


def test_the_names_that_were_promised() -> None:
    assert set(PIPELINES) == NAMES | {"__default__"}
    everything = {node.name for node in PIPELINES["__default__"].nodes}
    assert everything == {node.name for name in DEFAULT for node in PIPELINES[name].nodes}


def test_a_pipeline_is_the_namespace_of_its_nodes_and_of_nothing_else() -> None:
    for name in NAMES:
        assert {node.namespace for node in PIPELINES[name].nodes} == {name}
    assert not any("." in dataset.removeprefix("params:") for dataset in DATASETS)
    # So that `--nodes` needs no namespace.
    assert len({node.short_name for node in NODES}) == len(NODES)


def test_training_nodes_are_tagged_and_are_no_generators() -> None:
    tagged = {node.short_name for node in NODES if "training" in node.tags}
    assert tagged == {
        "train_flow",
        "train_mixture_flow",
        "train_gan",
        "train_wgan",
        "train_wgan_gp",
        "train_classifier",
        "train_residual_flow",
        "train_background_flow",
        "train_mnist_flow",
        "train_mnist_mixture_flow",
        "train_discriminators",
        "train_stability_runs",
    }
    # The body of a generator runs after Kedro's after_node_run: its failures and durations would go missing.
    assert not any(inspect.isgeneratorfunction(node.func) for node in NODES)


@ENVS
def test_every_dataset_is_in_the_catalog_and_on_disk(env: str) -> None:
    catalog = DataCatalog.from_config(loader(env)["catalog"])
    for name in DATASETS:
        if not name.startswith("params:") and name != "parameters":
            assert not isinstance(catalog.get(name), MemoryDataset | None), name


def test_every_catalog_entry_is_used() -> None:
    catalog = CatalogConfigResolver(entries := described("base"), default_runtime_patterns={})
    for name in entries:
        used = [found for found in DATASETS if name in (found, catalog.match_dataset_pattern(found))]
        assert used, name


@ENVS
def test_every_dataset_has_a_layer(env: str) -> None:
    for name, entry in described(env).items():
        assert entry["metadata"]["kedro-viz"]["layer"], name


def test_every_dataset_is_described_in_a_line() -> None:
    catalog = CatalogConfigResolver(described("base"), default_runtime_patterns={})
    for name in DATASETS:
        if not name.startswith("params:") and name != "parameters":
            assert 5 < len(catalog.resolve_pattern(name)["metadata"]["description"]) < 100, name


def described(env: str) -> dict[str, Any]:
    """The catalog's entries, without the parts that they share."""
    return {name: entry for name, entry in loader(env)["catalog"].items() if not name.startswith("_")}


@ENVS
def test_every_parameter_is_valid_and_read_by_a_node(env: str) -> None:
    parameters = loader(env)["parameters"]
    found = models_of_parameters()
    # Read by ProvenanceHooks around every node.
    assert set(parameters) == set(found) | {"data_mismatch"}
    for name, model in found.items():
        model(**parameters[name])


@pytest.mark.parametrize("name", sorted(models_of_parameters()))
def test_a_misspelt_parameter_is_refused(name: str) -> None:
    values = loader("base")["parameters"][name]
    with pytest.raises(ValidationError, match="misspelt"):
        models_of_parameters()[name](**values, misspelt=1)


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
    found = models_of_parameters()
    for name, kinds in {"train_flow": {AffineCoupling}, "train_mixture_flow": {MixtureCoupling}}.items():
        flow = make_flow(found[name](**parameters[name]).model)
        assert {type(layer) for layer in flow.modules() if type(layer).__name__.endswith("Coupling")} == kinds
    for block in ("train_flow", "train_background_flow"):
        assert type(make_flow(found[block](**parameters[block]).model)) is RealNVP
        with pytest.raises(ValidationError, match="components"):
            found[block](**{**parameters[block], "model": {**parameters[block]["model"], "components": 4}})


def test_every_pipeline_is_explained() -> None:
    """Each dataset by its name or, in the report's, which reads all there are, by its pattern in the catalog."""
    catalog = CatalogConfigResolver(described("base"), default_runtime_patterns={})
    for name in NAMES:
        readme = ROOT / "src" / "fashion_dgm" / "pipelines" / name / "README.md"
        text = readme.read_text(encoding="utf-8")
        for dataset in PIPELINES[name].inputs() | PIPELINES[name].all_outputs():
            pattern = catalog.match_dataset_pattern(dataset) if name == "report" else None
            assert dataset in text or f"`{pattern}`" in text, f"{readme} does not mention {dataset}"
