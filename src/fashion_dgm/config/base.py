"""What all parameter blocks have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Config", "Fraction", "Precision", "Seed", "TrainingPrecision", "without_nulls"]

Seed = Annotated[int, Field(ge=0, lt=2**31)]
Precision = Literal["auto", "float32", "bfloat16"]
TrainingPrecision = Literal[Precision, "tf32"]
Fraction = Annotated[float, Field(gt=0, lt=1)]


class Config(BaseModel):
    """Base of all parameter blocks: immutable, and an unknown name is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def without_nulls(value: Any) -> Any:
    """Takes entries that are None out of a block that has several forms.

    One configuration laid over another adds names to a block and takes none away; `bound: null` does, where the form
    below has a bound and the one above has not.
    """
    if isinstance(value, Mapping):
        return {name: entry for name, entry in value.items() if entry is not None}
    return value
