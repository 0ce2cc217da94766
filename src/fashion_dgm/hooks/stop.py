"""No node begins after the user has asked to stop."""

from kedro.framework.hooks import hook_impl

from fashion_dgm.cli.stopping import check

__all__ = ["StopHooks"]


class StopHooks:
    """Ends a run between two nodes if the request was lost in the first one."""

    @hook_impl(tryfirst=True)
    def before_node_run(self) -> None:
        """Looks for a request."""
        check()
