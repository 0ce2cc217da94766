"""Checks before the first node of a run."""

import inspect
import logging
from collections.abc import Collection, Iterator
from types import NoneType
from typing import Any, get_args, get_type_hints

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import DataCatalog, DatasetNotFoundError, MemoryDataset
from kedro.pipeline import Node, Pipeline

from fashion_dgm.config import (
    AdversarialConfig,
    FIDConfig,
    LatentSpaceConfig,
    LikelihoodDecompositionConfig,
    NamedFlowTrainingConfig,
    OODConfig,
    OODSetsConfig,
)
from fashion_dgm.config.renamed import suggestion
from fashion_dgm.errors import FashionDGMError

__all__ = ["GuardHooks"]

logger = logging.getLogger(__name__)


class GuardHooks:
    """Refuses a run that cannot succeed, before its first node."""

    _globals: Collection[str] = ()

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Reads which settings all pipelines share."""
        self._globals = set(context.config_loader["globals"])

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Checks the runner, the names of parameters and objectives, and that every input is there or will be made."""
        if run_params.get("env") in (None, "base") and any("training" in node.tags for node in pipeline.nodes):
            logger.info("without --env, models are trained at full size, which needs a GPU; --env quick takes minutes")
        _check_runner(run_params.get("runner", ""))
        blocks = {name.removeprefix("params:").split(".")[0] for name in catalog if name.startswith("params:")}
        _check_parameter_names({*blocks, *(run_params.get("runtime_params") or {})}, pipeline, self._globals)
        _check_inputs(pipeline, catalog, run_params.get("env"))
        _check_names(pipeline, catalog)


def _check_runner(runner: str) -> None:
    """Refuses threads and processes: nodes in them do not see the run that is open in MLflow, nor hooks their state."""
    for name in ("ThreadRunner", "ParallelRunner"):
        if name in runner:
            raise FashionDGMError(
                f"{name} would record nothing in MLflow; omit --runner, and train several models at a time with "
                "`fashion-dgm sweep`"
            )


def _check_parameter_names(given: Collection[str], chosen: Pipeline, shared: Collection[str]) -> None:
    # Of the catalog and of hooks rather than of a pipeline.
    known = {"outputs", "data_mismatch"} | {
        name.removeprefix("params:").split(".")[0]
        for pipeline in (chosen, *pipelines.values())
        for name in pipeline.inputs()
        if name.startswith("params:")
    }
    for name in sorted(given):
        if name in shared:
            raise FashionDGMError(
                f"{name} is a setting that all models share, in conf/base/globals.yml: set it in a globals.yml of your "
                f"environment, or for one model, such as train_gan.{name}"
            )
        if name not in known:
            raise FashionDGMError(f"no pipeline reads the parameters {name}; {suggestion(name, known)}")


def _check_inputs(pipeline: Pipeline, catalog: DataCatalog, env: str | None) -> None:
    """Refuses inputs that were never made; what every node that reads it takes as None is None."""
    needed = {
        name
        for node in pipeline.nodes
        for name, hint in _arguments(node)
        if NoneType not in get_args(hint) and name not in _replaced_models(node, catalog)
    }
    missing = []
    for name in sorted(pipeline.inputs()):
        if name == "parameters" or name.startswith("params:"):
            continue
        try:
            dataset = catalog.get(name)
        except DatasetNotFoundError:
            dataset = None
        if dataset is None or isinstance(dataset, MemoryDataset) or dataset.exists():
            continue
        if name in needed:
            # Without the environment, models would be trained at full size.
            command = f"kedro run{f' --env {env}' if env else ''} --pipelines {_maker(name)}"
            missing.append(f"  {name}: made by `{command}`")
        else:
            # Assigned to the catalog itself, it would warn of a dataset replaced.
            catalog._datasets[name] = MemoryDataset(None)
    if missing:
        raise FashionDGMError("these inputs do not exist yet:\n" + "\n".join(missing))


def _replaced_models(node: Node, catalog: DataCatalog) -> set[str]:
    """Returns the models that a node does without, because its parameters ask for those that come with the package."""
    # Late, since it takes as long to import as all else that `kedro` does without a run.
    from fashion_dgm.catalog.files import CheckpointDataset

    blocks = (catalog.load(name) for name in node.inputs if name.startswith("params:"))
    if "reference_models" not in node.inputs or all(getattr(block, "models", None) != "reference" for block in blocks):
        return set()
    return {name for name in node.inputs if isinstance(catalog.get(name), CheckpointDataset)}


def _check_names(pipeline: Pipeline, catalog: DataCatalog) -> None:
    """Refuses names of objectives, flows, OOD scores, transforms and devices that do not exist, and TF32 where it does not.

    Parameters cannot know them: they depend on what is registered, and on the machine.
    """
    for name in sorted(pipeline.inputs()):
        block = catalog[name].load() if name.startswith("params:") else None
        device, precision = getattr(block, "device", "auto"), getattr(block, "precision", "auto")
        if device != "auto" or precision == "tf32":
            from fashion_dgm.training.device import resolve_device, resolve_precision

            resolve_precision(precision, resolve_device(device))
        if isinstance(block, AdversarialConfig):
            from fashion_dgm.gans.objectives import objective

            objective(block.objective)
        elif isinstance(block, NamedFlowTrainingConfig):
            from fashion_dgm.flows.families import typed_config

            typed_config(block.model)
        elif isinstance(block, OODConfig):
            from fashion_dgm.ood.scores import scores_of

            scores_of(block)
        elif isinstance(block, FIDConfig):
            from fashion_dgm.evaluation.samples import check_flows, external_sources, reserved_names
            from fashion_dgm.pipelines.fid_eval.pipeline import scored_models

            check_flows(block)
            # They draw nothing yet.
            external_sources(block.samples_from, block.seed, reserved_names(scored_models()))
        elif isinstance(block, OODSetsConfig):
            from fashion_dgm.data.ood.build import check_names

            check_names(block)
        elif isinstance(block, LatentSpaceConfig | LikelihoodDecompositionConfig):
            names = _ood_sets(pipeline, catalog)
            if names is not None and block.ood_set not in names:
                raise FashionDGMError(
                    f"{name.removeprefix('params:')}.ood_set: there is no set {block.ood_set}; "
                    f"{suggestion(block.ood_set, names)}"
                )


def _ood_sets(pipeline: Pipeline, catalog: DataCatalog) -> list[str] | None:
    """Returns the names of the OOD sets that there will be, if all can be made; None if that cannot be known."""
    from fashion_dgm.data.images import IN_DISTRIBUTION

    if "params:ood_sets" in pipeline.inputs():
        config = catalog.load("params:ood_sets")
        transforms = (f"{IN_DISTRIBUTION}_{name}" for name in config.transforms)
        return [*config.published, *config.folders, *transforms, *config.synthetic]
    summary = catalog.get("ood_sets_summary")
    if summary is None or not summary.exists():
        return None
    return [name for name, entry in summary.load()["sets"].items() if entry["status"] == "used"]


def _arguments(node: Node) -> Iterator[tuple[str, Any]]:
    """Yields the datasets that a node reads, with the annotations of the arguments that they become."""
    inputs, hints = node._inputs, get_type_hints(node.func)
    listed = [inputs] if isinstance(inputs, str) else inputs or []
    bind = inspect.signature(node.func).bind
    bound = bind(**listed) if isinstance(listed, dict) else bind(*listed)
    for argument, names in bound.arguments.items():
        # Of `**arguments` there are several.
        for name in names.values() if isinstance(names, dict) else [names]:
            yield name, hints.get(argument)


def _maker(dataset: str) -> str:
    makers = [name for name, made in pipelines.items() if name != "__default__" and dataset in made.outputs()]
    makers += [name for name, made in pipelines.items() if name != "__default__" and dataset in made.all_outputs()]
    return makers[0] if makers else "__default__"
