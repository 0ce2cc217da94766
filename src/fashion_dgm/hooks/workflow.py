"""What Kedro-Viz's Workflow view shows: the last run of all pipelines."""

from typing import Any

from kedro.framework.hooks import hook_impl

__all__ = ["WorkflowHooks"]

# Since Kedro 1.0 the options have other names, which Kedro-Viz 12.5 does not look for:
# https://github.com/kedro-org/kedro-viz/issues/2443 has the limits of the view.
OPTIONS = {"pipeline_name": "pipeline_names", "namespace": "namespaces"}


class WorkflowHooks:
    """Lets Kedro-Viz recognise a run of some pipelines, which would replace the record of the last run of all."""

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, run_params: dict[str, Any]) -> None:
        """Gives the options of the run the names under which Kedro-Viz looks for them, too."""
        for old, new in OPTIONS.items():
            run_params.setdefault(old, run_params.get(new))
