"""What happens around the nodes: checks before a run, the origin of results, and the run's record in MLflow."""

from fashion_dgm.hooks.guard import GuardHooks
from fashion_dgm.hooks.provenance import ProvenanceHooks
from fashion_dgm.hooks.tracking import MLflowHooks

__all__ = ["GuardHooks", "MLflowHooks", "ProvenanceHooks"]
