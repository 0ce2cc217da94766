"""What happens around the nodes: checks before a run, the origin of results, the records in MLflow and Kedro-Viz."""

from fashion_dgm.hooks.guard import GuardHooks
from fashion_dgm.hooks.lock import LockHooks
from fashion_dgm.hooks.provenance import ProvenanceHooks
from fashion_dgm.hooks.stop import StopHooks
from fashion_dgm.hooks.tracking import MLflowHooks
from fashion_dgm.hooks.workflow import WorkflowHooks

__all__ = ["GuardHooks", "LockHooks", "MLflowHooks", "ProvenanceHooks", "StopHooks", "WorkflowHooks"]
