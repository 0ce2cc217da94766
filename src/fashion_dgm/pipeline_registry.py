"""The pipelines by name.

Named one by one: Kedro's `find_pipelines` imports only what a run asks for, and then a sum of pipelines is short of some.
"""

from kedro.pipeline import Pipeline

from fashion_dgm.pipelines import (
    data_split,
    fid_eval,
    ood_eval,
    report,
    train_classifier,
    train_flow,
    train_gan,
    train_wgan,
)

__all__ = ["register_pipelines"]


def register_pipelines() -> dict[str, Pipeline]:
    """Returns the pipelines; `__default__` is all of them."""
    pipelines = {
        "data_split": data_split.create_pipeline(),
        "train_classifier": train_classifier.create_pipeline(),
        "train_flow": train_flow.create_pipeline(),
        "train_gan": train_gan.create_pipeline(),
        "train_wgan": train_wgan.create_pipeline(),
        "ood_eval": ood_eval.create_pipeline(),
        "fid_eval": fid_eval.create_pipeline(),
        "report": report.create_pipeline(),
    }
    return {**pipelines, "__default__": sum(pipelines.values(), start=Pipeline([]))}
