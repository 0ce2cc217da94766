"""Types of what nodes take and return, and the figures that they draw, at no cost of imports.

Kedro evaluates a node's annotations to learn the types of its parameters, and every `kedro` command would wait for torch and
matplotlib if they stood in `nodes.py` themselves. Type checkers see the real classes and functions.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = [
    "Checkpoint",
    "DataFrame",
    "FeatureCache",
    "Fetch",
    "Figure",
    "ReferenceRun",
    "RunRecord",
    "Snapshots",
    "StateStore",
    "figures",
]

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from fashion_dgm.checkpoint import Checkpoint
    from fashion_dgm.data.ood.build import Fetch
    from fashion_dgm.evaluation.feature_cache import FeatureCache
    from fashion_dgm.evaluation.samples import Snapshots
    from fashion_dgm.experiments.stability.measures import RunRecord
    from fashion_dgm.reporting import figures
    from fashion_dgm.reporting.compose import ReferenceRun
    from fashion_dgm.training.store import StateStore
else:
    Checkpoint = DataFrame = FeatureCache = Fetch = Figure = ReferenceRun = RunRecord = Snapshots = StateStore = Any

    class _Figures:
        """Stands for the package until the first of its functions is asked for."""

        def __getattr__(self, name: str) -> Any:
            return getattr(import_module("fashion_dgm.reporting.figures"), name)

    figures = _Figures()
