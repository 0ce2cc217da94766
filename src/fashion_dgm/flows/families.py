"""Flows by the names of their classes, as parameters and checkpoints have them.

A flow is any class of a module of this package that has a `config_type`.
"""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fashion_dgm.checkpoint import Checkpoint, CheckpointError, rebuild
from fashion_dgm.config import Config, NamedFlowConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.flow import Flow

__all__ = ["build_flow", "code_of", "code_of_flows", "flow_types", "make_flow", "rebuild_flow", "typed_config"]


def flow_types() -> Mapping[str, Any]:
    """Returns the classes of all flows by name; each takes a `config_type` alone."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        importlib.import_module(f"{__package__}.{module.name}")
    return {kind.__name__: kind for kind in _below(Flow) if hasattr(kind, "config_type")}


def typed_config(config: Config) -> Config:
    """Returns the parameters of a flow as its class takes them; those of a `NamedFlowConfig` are checked.

    Raises:
        FashionDGMError: if there is no flow of that name, or its class does not take these parameters.
    """
    if not isinstance(config, NamedFlowConfig):
        return config
    kinds = flow_types()
    if config.name not in kinds:
        raise FashionDGMError(f"there is no flow {config.name}; there are: {', '.join(sorted(kinds))}")
    try:
        return kinds[config.name].config_type(**(config.model_extra or {}))
    except ValidationError as error:
        raise FashionDGMError(f"a {config.name} cannot have these parameters: {error}") from error


def make_flow(config: Config) -> Flow:
    """Makes the flow that `config` describes, for 28x28 images."""
    config = typed_config(config)
    return _type_of(config)(config)


def code_of(config: Config) -> str:
    """Returns the definition of the flow that `config` describes, as `code_version` takes it."""
    return _definition(_type_of(typed_config(config)))


def code_of_flows(models: Iterable[object]) -> tuple[str, ...]:
    """Returns the same of each flow that there is a checkpoint of among `models`."""
    kinds, checkpoints = flow_types(), (model for model in models if isinstance(model, Checkpoint))
    return tuple(sorted({_definition(kinds[each.architecture]) for each in checkpoints if each.architecture in kinds}))


def build_flow(checkpoint: Checkpoint) -> Flow:
    """Rebuilds the flow of `checkpoint`, whatever its architecture, in evaluation mode on the CPU.

    Raises:
        CheckpointError: if it holds no flow, or its weights don't fit.
    """
    if checkpoint.architecture not in flow_types():
        raise CheckpointError(
            f"this checkpoint holds a {checkpoint.architecture}, not a flow; give the path of a flow's"
        )
    return rebuild_flow(checkpoint, checkpoint.architecture)


def rebuild_flow(checkpoint: Checkpoint | None, architecture: str) -> Flow:
    """Rebuilds the flow of `checkpoint`, which must be of that architecture, as `checkpoint.rebuild` does."""
    kind = flow_types()[architecture]
    return rebuild(checkpoint, architecture, lambda config: kind(kind.config_type(**config)))


def _definition(kind: type) -> str:
    return f"{kind.__module__}:{kind.__name__}"


def _type_of(config: Config) -> Any:
    return next(kind for kind in flow_types().values() if kind.config_type is type(config))


def _below(kind: type[Flow]) -> Iterator[type[Flow]]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)
