"""Settings of the Kedro project."""

from fashion_dgm.hooks import GuardHooks, MLflowHooks, ProvenanceHooks, WorkflowHooks

# Kedro calls the last first: what is refused is not recorded.
HOOKS = (MLflowHooks(), ProvenanceHooks(), GuardHooks(), WorkflowHooks())

# Where it happens to be installed: it would open runs of its own.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-mlflow",)

CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    # An environment names only what differs; Kedro's default would drop the rest of the block.
    "merge_strategy": {"parameters": "soft", "tracking": "soft", "globals": "soft"},
    "config_patterns": {"tracking": ["tracking*"]},
}
