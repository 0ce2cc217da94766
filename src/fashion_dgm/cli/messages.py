"""What the user is shown of an error."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click
from kedro.config import MissingConfigException
from kedro.io import DatasetError
from kedro.validation import TypeExtractor
from pydantic import TypeAdapter, ValidationError

from fashion_dgm.config.base import Config
from fashion_dgm.config.limits import problems
from fashion_dgm.config.renamed import RENAMED, nearest, suggestion
from fashion_dgm.errors import FashionDGMError, one_line

if TYPE_CHECKING:
    from kedro.pipeline import Pipeline
    from pydantic_core import ErrorDetails

__all__ = ["check_names", "parameter_message", "refusals", "user_message"]


def check_names(names: Iterable[str], known: Collection[str], kind: str) -> None:
    """Refuses a name that is not known, `kind` being what the error calls it.

    Raises:
        ClickException: if there is one; the message suggests a known name, or lists them.
    """
    for name in names:
        if name not in known:
            raise click.ClickException(f"there is no {kind} {name}; {suggestion(name, known)}")


def user_message(error: BaseException) -> str | None:
    """Returns the message for the user, or None if `error` is a bug, whose traceback is wanted."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, FashionDGMError):
            return str(seen)
        seen = seen.__cause__ or seen.__context__
    # What Kedro says of a dataset or of a missing file is already meant for the user.
    return str(error) if isinstance(error, DatasetError | MissingConfigException) else None


def parameter_message(parameters: Mapping[str, Any], pipelines: Mapping[str, Pipeline]) -> str | None:
    """Returns a line for each parameter that models of the pipelines' nodes, or limits, refuse; None if all are right."""
    lines = []
    for block, model in TypeExtractor(dict(pipelines)).extract_types_from_pipelines().items():
        lines += refusals(model, parameters.get(block, {}), block)
    return "these parameters are wrong:\n" + "\n".join(lines) if lines else None


def refusals(model: Any, values: Any, name: str) -> list[str]:
    """Returns a line for each value that a block's model or its limits refuse, `name` being that of the block."""
    try:
        block = TypeAdapter(model).validate_python(values)
    except ValidationError as error:
        return [f"  {one_line(_line(name, details, values))}" for details in error.errors()]
    found = problems(block) if isinstance(block, Config) else []
    return [f"  {name}.{field} is {one_line(repr(_value(block, field)))}: {what}" for field, what in found]


def _value(block: Any, field: str) -> Any:
    def inner(value: Any, part: str) -> Any:
        return value.get(part) if isinstance(value, Mapping) else getattr(value, part, None)

    return functools.reduce(inner, field.split("."), block)


def _line(block: str, error: ErrorDetails, values: Any) -> str:
    """Describes an error of pydantic's under the parameter's full name, such as `train_wgan.optimizer.betas`."""
    name, member = block, None
    siblings: Mapping[Any, Any] = {}
    for part in error["loc"]:
        # pydantic names the member of a union, which stands nowhere in the configuration.
        if isinstance(values, Mapping) and values.get("name") == part:
            member = part
            continue
        name, siblings = f"{name}.{part}", values if isinstance(values, Mapping) else {}
        values = siblings.get(part)
        member = None if isinstance(values, Mapping) else member
    field = name.rpartition(".")[2]
    what = error["msg"].removeprefix("Value error, ")
    if error["type"] == "missing":
        return f"{name} is missing"
    if error["type"] == "extra_forbidden":
        what = "there is no such parameter"
        if field in RENAMED:
            what = f"renamed to {RENAMED[field]}"
        elif near := nearest(field, set(siblings) - {field}):
            what += f"; did you mean {near}?"
        elif member:
            what = f"{member} has no such parameter; null removes the value of another configuration"
    # Parameters that don't go together are nobody's value.
    return (
        f"{name}: {what}"
        if isinstance(error["input"], Mapping)
        else f"{name} is {one_line(repr(error['input']))}: {what}"
    )
