"""Settings of the Kedro project."""

import copy
from typing import Any

from kedro.config import OmegaConfigLoader

from fashion_dgm.hooks import GuardHooks, LockHooks, MLflowHooks, ProvenanceHooks, StopHooks, WorkflowHooks

# Kedro calls the last first: what is refused is not recorded.
HOOKS = (MLflowHooks(), ProvenanceHooks(), LockHooks(), GuardHooks(), WorkflowHooks(), StopHooks())

# Where it happens to be installed: it would open runs of its own.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-mlflow",)


class ConfigLoader(OmegaConfigLoader):
    """Gives each block a copy of a global: where they shared it, `--params train_gan.speed.…` changed all models."""

    def _get_globals_value(self, *args: Any) -> Any:
        return copy.deepcopy(super()._get_globals_value(*args))


CONFIG_LOADER_CLASS = ConfigLoader

CONFIG_LOADER_ARGS: dict[str, Any] = {
    "base_env": "base",
    "default_run_env": "local",
    # An environment names only what differs; Kedro's default would drop the rest of the block.
    "merge_strategy": {"parameters": "soft", "tracking": "soft", "globals": "soft"},
    "config_patterns": {"tracking": ["tracking*"]},
}
