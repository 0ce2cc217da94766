"""What all parameter blocks have in common."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

__all__ = [
    "BatchSize",
    "Bootstrap",
    "Confidence",
    "Config",
    "Device",
    "Fraction",
    "Precision",
    "Seed",
    "Several",
    "TrainingPrecision",
    "split_words",
    "without_nulls",
]

Fraction = Annotated[float, Field(gt=0, lt=1)]
Several = Annotated[int, Field(ge=2)]
BatchSize = Annotated[PositiveInt, Field(description="images at once, of which results depend only by rounding")]
Bootstrap = Annotated[int, Field(ge=100, description="resamples behind each interval")]
Confidence = Annotated[Fraction, Field(description="of the intervals")]
Seed = Annotated[int, Field(ge=0, lt=2**31, description="of all that is drawn")]
Device = Annotated[str, Field(description="`auto` (cuda, else cpu) or the name of a device of torch's")]
Precision = Literal["auto", "float32", "bfloat16"]
TrainingPrecision = Literal[Precision, "tf32"]


class Config(BaseModel):
    """Base of all parameter blocks: immutable, and an unknown name is an error.

    Every field has a description, which docs/pipelines.md shows beside its values.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


def without_nulls(value: Any) -> Any:
    """Takes entries that are None out of a block that has several forms.

    One configuration laid over another adds names to a block and takes none away; `bound: null` does, where the form
    below has a bound and the one above has not.
    """
    if isinstance(value, Mapping):
        return {name: entry for name, entry in value.items() if entry is not None}
    return value


def split_words(value: Any) -> Any:
    """Makes a list of a word such as `likelihood+waic`: `--params` separates parameters by commas."""
    return value.split("+") if isinstance(value, str) else value
