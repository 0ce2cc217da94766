"""What is refused before the first node of a run."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from kedro.runner import AbstractRunner, ParallelRunner, SequentialRunner, ThreadRunner

from fashion_dgm.catalog.files import CheckpointDataset, JSONDataset
from fashion_dgm.catalog.local import ReferenceModelsDataset
from fashion_dgm.config import LatentSpaceConfig, OODConfig, OODSetsConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.hooks.guard import GuardHooks
from tests.cli.test_limits import SHIPPED
from tests.evaluation.test_scoring import CONFIG as FID_CONFIG
from tests.ood.helpers import config as ood_config
from tests.small import gan_config


def needs(metrics: dict[str, Any]) -> None: ...


def does_without(metrics: dict[str, Any] | None) -> bool:
    return metrics is None


def collects(**parts: dict[str, Any] | None) -> list[str]:
    return [name for name, part in parts.items() if part is None]


@pytest.fixture
def catalog(tmp_path: Path) -> DataCatalog:
    return DataCatalog({"gan_metrics": JSONDataset(filepath=str(tmp_path / "gan_metrics.json"))})


def guarded(pipeline: Pipeline, catalog: DataCatalog) -> dict[str, Any]:
    GuardHooks().before_pipeline_run({}, pipeline, catalog)
    return {name: output.load() for name, output in SequentialRunner().run(pipeline, catalog).items()}


def test_an_input_whose_argument_may_be_none_need_not_have_been_made(
    catalog: DataCatalog, caplog: pytest.LogCaptureFixture
) -> None:
    pipeline = Pipeline([Node(collects, {"gan": "gan_metrics"}, "listed", name="several")])
    assert guarded(ONE + pipeline, catalog) == {"absent": True, "listed": ["gan"]}
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


ONE = Pipeline([Node(does_without, "gan_metrics", "absent", name="one")])


def test_an_unknown_objective_is_refused() -> None:
    catalog = DataCatalog({"params:train_gan": MemoryDataset(gan_config(objective="hinges"))})
    with pytest.raises(FashionDGMError, match=r"no objective hinges; .*hinge"):
        guarded(Pipeline([Node(does_without, "params:train_gan", "absent", name="one")]), catalog)


def test_a_device_that_is_not_there_is_refused_before_the_first_node() -> None:
    catalog = DataCatalog({"params:train_gan": MemoryDataset(gan_config(device="cuda:99"))})
    with pytest.raises(FashionDGMError, match="device 'cuda:99' is not on this machine"):
        guarded(Pipeline([Node(does_without, "params:train_gan", "absent", name="one")]), catalog)


def test_tf32_without_a_gpu_is_refused_before_the_first_node() -> None:
    catalog = DataCatalog({"params:train_gan": MemoryDataset(gan_config(device="cpu", precision="tf32"))})
    with pytest.raises(FashionDGMError, match="precision tf32 needs an NVIDIA GPU"):
        guarded(Pipeline([Node(does_without, "params:train_gan", "absent", name="one")]), catalog)


def test_an_unknown_flow_is_refused_before_samples_are_scored() -> None:
    pipeline = Pipeline([Node(does_without, "params:fid_eval", "absent", name="one")])

    def run(*flows: str) -> dict[str, Any]:
        config = FID_CONFIG.model_copy(update={"flows": flows})
        return guarded(pipeline, DataCatalog({"params:fid_eval": MemoryDataset(config)}))

    assert run("all") == run("RealNVP", "ResidualFlow") == {"absent": False}
    with pytest.raises(FashionDGMError, match=r"no flow 'RealNPV'; fid_eval\.flows may name all, .*RealNVP"):
        run("ResidualFlow", "RealNPV")


@pytest.mark.parametrize("kind", [ThreadRunner, ParallelRunner])
def test_runners_that_would_not_be_recorded_are_refused(catalog: DataCatalog, kind: type[AbstractRunner]) -> None:
    # As Kedro names the runner of a session to its hooks.
    with pytest.raises(FashionDGMError, match=f"^{kind.__name__} would record nothing in MLflow; [^.]*$"):
        GuardHooks().before_pipeline_run({"runner": str(kind())}, Pipeline([]), catalog)


def test_what_was_made_is_loaded(catalog: DataCatalog) -> None:
    catalog.save("gan_metrics", {"epochs": 2})
    assert guarded(ONE, catalog) == {"absent": False}


def test_an_input_that_one_of_two_nodes_needs_is_refused(catalog: DataCatalog) -> None:
    with pytest.raises(FashionDGMError, match="gan_metrics: made by"):
        guarded(ONE + Pipeline([Node(needs, "gan_metrics", None, name="other")]), catalog)


def test_what_makes_an_input_is_named_with_the_environment(catalog: DataCatalog) -> None:
    pipeline = Pipeline([Node(needs, "gan_metrics", None, name="other")])
    with pytest.raises(FashionDGMError, match="gan_metrics: made by `kedro run --env quick --pipelines"):
        GuardHooks().before_pipeline_run({"env": "quick"}, pipeline, catalog)


def scores_models(flow: Any, train: Any, reference: Any, config: OODConfig) -> bool:
    return flow is None


@pytest.mark.parametrize("models", ["trained", "reference"])
def test_a_model_is_needed_only_if_it_is_scored(models: str, tmp_path: Path) -> None:
    config = MemoryDataset(ood_config(models=models))
    catalog = DataCatalog(
        {
            "flow": CheckpointDataset(filepath=str(tmp_path / "flow.safetensors")),
            "train": JSONDataset(filepath=str(tmp_path / "train.json")),
            "reference_models": ReferenceModelsDataset(),
            "params:ood_eval": config,
        }
    )
    pipeline = Pipeline(
        [Node(scores_models, ["flow", "train", "reference_models", "params:ood_eval"], "absent", name="n")]
    )
    needed = ["flow", "train"] if models == "trained" else ["train"]
    with pytest.raises(FashionDGMError) as refused:
        guarded(pipeline, catalog)
    assert [line.split(":")[0].strip() for line in str(refused.value).splitlines()[1:]] == needed
    catalog.save("train", {})
    if models == "reference":
        assert guarded(pipeline, catalog) == {"absent": True}


def test_parameters_under_their_old_name_are_refused_in_files_and_on_the_command_line(catalog: DataCatalog) -> None:
    old = {"flow_anatomy": {"images": 100}}
    with pytest.raises(FashionDGMError, match=r"parameters flow_anatomy; renamed to likelihood_decomposition"):
        GuardHooks().before_pipeline_run({"runtime_params": old}, ONE, catalog)
    catalog["params:flow_anatomy"] = MemoryDataset(old["flow_anatomy"])
    with pytest.raises(FashionDGMError, match=r"parameters flow_anatomy; renamed to likelihood_decomposition"):
        guarded(ONE, catalog)


def test_a_setting_that_all_models_share_is_named_as_one(catalog: DataCatalog) -> None:
    hooks = GuardHooks()
    hooks.after_context_created(SimpleNamespace(config_loader={"globals": {"seed": 0}}))  # type: ignore[arg-type]
    with pytest.raises(FashionDGMError, match=r"seed is a setting that all models share, in conf/base/globals\.yml"):
        hooks.before_pipeline_run({"runtime_params": {"seed": 1}}, ONE, catalog)


@pytest.mark.parametrize("name", ["gan", "wgan_gp", "realnvp", "RealNVP", "mixture_flow", "test"])
def test_a_reserved_name_of_samples_is_refused_before_the_first_node(name: str) -> None:
    config = FID_CONFIG.model_copy(update={"samples_from": {name: "folder"}})
    catalog = DataCatalog({"params:fid_eval": MemoryDataset(config)})
    with pytest.raises(FashionDGMError, match=f"{name} is a name of the project's own"):
        guarded(Pipeline([Node(does_without, "params:fid_eval", "absent", name="one")]), catalog)


@pytest.mark.parametrize("made", [False, True])
def test_an_ood_set_that_there_will_not_be_is_refused_before_the_first_node(made: bool, tmp_path: Path) -> None:
    inputs = ["params:latent_space", *(["ood_sets_summary"] if made else ["params:ood_sets"])]
    catalog = DataCatalog({"ood_sets_summary": JSONDataset(filepath=str(tmp_path / "ood_sets_summary.json"))})
    entries = {"mnist": {"status": "used"}, "omniglot": {"status": "missing"}}
    catalog.save("ood_sets_summary", {"sets": entries})
    if not made:
        catalog["params:ood_sets"] = MemoryDataset(OODSetsConfig(**{**SHIPPED["ood_sets"], "published": ["mnist"]}))
    pipeline = Pipeline([Node(lambda *_: None, inputs, None, name="one")])
    for name in ("mnist", "mnits", "omniglot"):
        catalog["params:latent_space"] = MemoryDataset(
            LatentSpaceConfig(**{**SHIPPED["latent_space"], "ood_set": name})
        )
        if name == "mnist":
            guarded(pipeline, catalog)
            continue
        with pytest.raises(FashionDGMError, match=rf"latent_space\.ood_set: there is no set {name}"):
            guarded(pipeline, catalog)
