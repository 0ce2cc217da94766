"""Rows of a run's metrics, which findings return with their verdicts added."""

from collections.abc import Mapping
from typing import Any

__all__ = ["Row"]

Row = Mapping[str, Any]
"""What was measured, by name, as `metrics.json` has it, and verdicts on it under names of their own."""
