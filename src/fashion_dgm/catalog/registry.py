"""Trained networks in MLflow's registry: checkpoints with a signature.

MLflow's flavour for PyTorch pickles networks. Here a model is the `.safetensors` file, which holds no code, and this
module is the loader that MLflow calls by name. Whoever loads a model needs the package, and nothing else.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion
    from mlflow.models import ModelSignature
    from numpy.typing import NDArray

    from fashion_dgm.checkpoint import Checkpoint

__all__ = ["Predictor", "is_registrable", "logged_model", "register", "registered"]

BATCH = 256


def is_registrable(data: object) -> bool:
    """Whether `data` is the checkpoint of a network that has a signature: a discriminator is of no use without its run."""
    return getattr(data, "architecture", "Discriminator") != "Discriminator"


def registered(name: str, checkpoint: Checkpoint) -> ModelVersion | None:
    """Returns the version of the registered model `name` that has the weights of `checkpoint`, or None."""
    import mlflow

    wanted = f"name = '{name}' AND tag.weights_sha256 = '{checkpoint.sha256}'"
    return next(iter(mlflow.MlflowClient().search_model_versions(wanted)), None)


def register(
    name: str, checkpoint: Checkpoint, alias: str, tags: Mapping[str, object], run: str | None = None
) -> ModelVersion:
    """Registers a network as the version of `name` that `alias` stands for, with the metrics of its epoch.

    The same weights are registered once; the alias moves, and tags are added.

    Arguments:
        name: of the registered model.
        checkpoint: one that `is_registrable`.
        alias: what this version is from now on, such as "last".
        tags: of the version, in addition to its epoch and the hash of its weights.
        run: id of the run that trained it; the open one by default.
    """
    import mlflow
    from mlflow.models import Model

    import fashion_dgm
    from fashion_dgm.checkpoint import save_checkpoint

    client, epoch = mlflow.MlflowClient(), checkpoint.training.get("epoch")
    if registered(name, checkpoint) is None:
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            # MLflow would have an example of the input, to infer from it the signature that is given.
            warnings.filterwarnings("ignore", ".*input example", UserWarning)
            file = Path(folder) / f"{name}.safetensors"
            save_checkpoint(checkpoint, file)
            # As `pyfunc.log_model`, which logs to the open run only.
            logged = Model.log(
                artifact_path=None,
                name=name,
                flavor=mlflow.pyfunc,
                loader_module=__name__,
                data_path=str(file),
                signature=_signature(checkpoint),
                registered_model_name=name,
                run_id=run,
                step=epoch or 0,
                # Given, or MLflow would load the model in a new process to see what it imports.
                pip_requirements=[f"fashion-dgm=={fashion_dgm.__version__}"],
            )
        version = str(logged.registered_model_version)
        client.set_model_version_tag(name, version, "weights_sha256", checkpoint.sha256)
    found = registered(name, checkpoint)
    assert found is not None
    for key, value in ({"epoch": epoch} | dict(tags)).items():
        if value is not None:
            client.set_model_version_tag(name, found.version, key, value)
    client.set_registered_model_alias(name, alias, found.version)
    return found


def logged_model(version: ModelVersion) -> str:
    """Returns the id of the logged model that a version is, of which MLflow's store keeps only the address."""
    return str(version.source).removeprefix("models:/")


class Predictor:
    """A network as MLflow calls it.

    A generator takes float32 latents `(N, latent_dim)` to float32 images `(N, 1, 28, 28)` in `[0, 1]`. The others take uint8
    images: a flow to bits/dim `(N,)`, under the noise that `params["seed"]` draws, and a classifier to logits `(N, 10)`.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        from fashion_dgm.registry import build_model

        self.network = build_model(checkpoint, checkpoint.architecture)

    def predict(self, data: NDArray[Any], params: dict[str, Any] | None = None) -> NDArray[Any]:
        """Returns what the network makes of `data`, which MLflow has checked by the signature."""
        import torch

        from fashion_dgm.data.images import to_unit_interval
        from fashion_dgm.flows.flow import Flow
        from fashion_dgm.flows.likelihood import bits_per_dim_of

        inputs = torch.from_numpy(data)
        with torch.no_grad():
            if isinstance(self.network, Flow):
                return bits_per_dim_of(self.network, inputs, BATCH, (params or {}).get("seed", 0), torch.float32)
            parts = (to_unit_interval(part) if part.dtype == torch.uint8 else part for part in inputs.split(BATCH))
            return torch.cat([self.network(part) for part in parts]).numpy()


def _load_pyfunc(path: str) -> Predictor:
    """What MLflow calls to load a model."""
    from fashion_dgm.checkpoint import load_checkpoint

    return Predictor(load_checkpoint(Path(path)))


def _signature(checkpoint: Checkpoint) -> ModelSignature:
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import ParamSchema, ParamSpec, Schema, TensorSpec

    images = (-1, 1, 28, 28)

    def tensor(kind: type, shape: tuple[int, ...]) -> Schema:
        return Schema([TensorSpec(np.dtype(kind), shape)])

    if checkpoint.architecture == "Generator":
        latents = (-1, checkpoint.config["latent_dim"])
        return ModelSignature(inputs=tensor(np.float32, latents), outputs=tensor(np.float32, images))
    if checkpoint.architecture == "Classifier":
        return ModelSignature(inputs=tensor(np.uint8, images), outputs=tensor(np.float32, (-1, 10)))
    seed = ParamSchema([ParamSpec("seed", "integer", 0)])
    return ModelSignature(inputs=tensor(np.uint8, images), outputs=tensor(np.float64, (-1,)), params=seed)
