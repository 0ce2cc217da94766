"""A trained network by the name of its dataset, the path of its file, or the MLflow run that made it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fashion_dgm.catalog.configuration import configuration, current_project
from fashion_dgm.errors import FashionDGMError, one_line
from fashion_dgm.files import expanded, readable
from fashion_dgm.tracking.store import database_address

if TYPE_CHECKING:
    from torch import nn

    from fashion_dgm.checkpoint import Checkpoint

__all__ = ["find_checkpoint", "load_model"]

SUFFIX = ".safetensors"
REFERENCE, RUN, REGISTERED = "reference/", "runs:/", "models:/"


def load_model(source: str | Path, project: str | Path | None = None) -> nn.Module:
    """Returns a trained network in evaluation mode on the CPU, with weights that need no gradient.

    What it computes can be turned into NumPy as it is, without `torch.no_grad()`; `requires_grad_()` is for training on.

    Arguments:
        source: the path of a `.safetensors` checkpoint; the name of one in the project's catalog, such as `flow`,
            `mixture_flow` or `gan_generator` (the catalog of the environment `KEDRO_ENV`, `local` if it is not set);
            `runs:/RUN_ID`, with `/` and the path of an artifact where the run has several checkpoints; a registered
            model, such as `models:/gan_generator@best` or `models:/gan_generator/1`; or one that comes with the
            package, such as `reference/gan`.
        project: a folder of the project; the working directory or the nearest one above it if None. Not needed for a
            path.

    Returns:
        A `RealNVP`, `MixtureFlow` or `ResidualFlow` (`sample(n)`, `bits_per_dim(images)`), a `Generator` (`sample(n)`), a
        `Discriminator` or a `Classifier`.

    Raises:
        FashionDGMError: if there is no such checkpoint; the message lists what there is.

    Example:
        >>> from fashion_dgm import load_model
        >>> flow = load_model("flow")
        >>> images = flow.sample(16, temperature=0.8)
    """
    from fashion_dgm.checkpoint import CheckpointError
    from fashion_dgm.registry import build_model

    checkpoint = find_checkpoint(source, project)
    try:
        return build_model(checkpoint, checkpoint.architecture).requires_grad_(False)
    except CheckpointError as error:
        # Libraries give a line to each weight or argument that does not fit.
        raise CheckpointError(one_line(str(error))) from error


def find_checkpoint(source: str | Path, project: str | Path | None = None) -> Checkpoint:
    """Returns the checkpoint that `load_model` builds a network of; arguments and errors are the same."""
    from fashion_dgm.checkpoint import load_checkpoint
    from fashion_dgm.pretrained import reference_checkpoint

    if str(source).startswith(REFERENCE):
        return reference_checkpoint(str(source).removeprefix(REFERENCE))
    if str(source).startswith(RUN):
        return _of_run(str(source).removeprefix(RUN), project)
    if str(source).startswith(REGISTERED):
        with _mlflow(str(source), project):
            return _downloaded(str(source))
    path = expanded(source)
    if path.suffix == SUFFIX or os.path.lexists(path):
        if not os.path.lexists(path) or not readable(path).is_file():
            raise FashionDGMError(
                f"{one_line(str(path))} is not a file; name a checkpoint, such as data/06_models/flow{SUFFIX}"
            )
        return load_checkpoint(path)
    return _of_catalog(str(source), _project(project))


def _project(start: str | Path | None) -> Path:
    try:
        return current_project(start)
    except FashionDGMError as error:
        raise FashionDGMError(
            "names of models are looked up in a project's catalog, and this folder is not in a project; change to the "
            f"project's folder, or give the path of a {SUFFIX} file"
        ) from error


def _of_catalog(name: str, project: Path) -> Checkpoint:
    from kedro.io import AbstractDataset, CatalogConfigResolver

    from fashion_dgm.catalog.files import loaded
    from fashion_dgm.pipeline_registry import register_pipelines
    from fashion_dgm.pipelines import blocks

    blocks.read_first(str(project / "conf"))
    try:
        catalog = CatalogConfigResolver(
            configuration(project, "catalog"), configuration(project, "credentials"), default_runtime_patterns={}
        )
    except KeyError as error:
        raise FashionDGMError(one_line(error.args[0])) from error
    makers = {
        dataset: pipeline
        for pipeline, made in register_pipelines().items()
        # A plain `kedro run` trains no model that is opt-in.
        if pipeline != "__default__"
        for dataset in made.all_outputs()
        if catalog.resolve_pattern(dataset).get("type", "").endswith("CheckpointDataset")
    }
    if name not in makers:
        raise FashionDGMError(
            f"there is neither a file {one_line(name)} nor a dataset of that name; models: {', '.join(sorted(makers))}"
        )
    entry = catalog.resolve_pattern(name)
    if "://" not in entry["filepath"]:
        entry["filepath"] = str(project / entry["filepath"])
    dataset = AbstractDataset.from_config(name, entry)
    if not dataset.exists():
        raise FashionDGMError(
            f"{name} has not been trained yet: `kedro run --pipelines {makers[name]}` trains it, "
            "with the --env of your other runs"
        )
    return loaded(dataset)


def _of_run(address: str, project: str | Path | None) -> Checkpoint:
    import mlflow

    run, _, artifact = address.partition("/")
    with _mlflow(f"{RUN}{address}", project):
        found = [artifact] if artifact else _checkpoints_of(mlflow.MlflowClient(), run)
        if len(found) != 1:
            there = f"; name one of them: {', '.join(f'{RUN}{run}/{path}' for path in found)}" if found else ""
            raise FashionDGMError(f"the run {run} has {len(found)} checkpoints{there}")
        return _downloaded(f"{RUN}{run}/{found[0]}")


@contextlib.contextmanager
def _mlflow(address: str, project: str | Path | None) -> Iterator[None]:
    """Looks in the project's records, if no others are named, and reports in one line what MLflow cannot load."""
    import mlflow
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    given = os.environ.get("MLFLOW_TRACKING_URI")
    if not given:
        root = _project(project)
        mlflow.set_tracking_uri(database_address(root / configuration(root, "tracking")["folder"] / "mlflow.db"))
    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as error:
        raise FashionDGMError(f"cannot load {address} from MLflow: {error}") from error
    finally:
        # MLflow sets the variable, too, and the next call may be for another project.
        if not given:
            mlflow.set_tracking_uri(None)  # type: ignore[arg-type]


def _downloaded(address: str) -> Checkpoint:
    """The one checkpoint among the files at an address of MLflow's."""
    import mlflow

    from fashion_dgm.checkpoint import load_checkpoint

    with tempfile.TemporaryDirectory() as folder:
        path = Path(mlflow.artifacts.download_artifacts(artifact_uri=address, dst_path=folder))
        found = [path] if path.is_file() else sorted(path.rglob(f"*{SUFFIX}"))
        if len(found) != 1:
            raise FashionDGMError(f"{address} holds {len(found)} checkpoints, not one")
        return load_checkpoint(found[0])


def _checkpoints_of(client: Any, run: str) -> list[str]:
    folders = [item.path for item in client.list_artifacts(run) if item.is_dir]
    files = [item.path for folder in ("", *folders) for item in client.list_artifacts(run, folder or None)]
    return sorted(path for path in files if path.endswith(SUFFIX))
