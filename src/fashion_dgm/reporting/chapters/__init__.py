"""The chapters of the report, written from a run's own numbers.

No conclusion is fixed beforehand: which way a sentence points depends on the values it is given, differences too small to
mean anything are called that, and from a value that is missing or not finite, printed as `n/a`, nothing is concluded.
"""

from fashion_dgm.reporting.chapters.titles import TITLES

__all__ = [
    "TITLES",
]
