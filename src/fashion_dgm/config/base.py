"""What all parameter blocks have in common."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Config", "Fraction", "Precision", "Seed"]

Seed = Annotated[int, Field(ge=0, lt=2**31)]
Precision = Literal["auto", "float32", "bfloat16"]
Fraction = Annotated[float, Field(gt=0, lt=1)]


class Config(BaseModel):
    """Base of all parameter blocks: immutable, and an unknown name is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)
