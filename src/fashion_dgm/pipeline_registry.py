"""The pipelines by name.

Named one by one: Kedro's `find_pipelines` imports only what a run asks for, and then a sum of pipelines is short of some.
"""

from kedro.pipeline import Pipeline

from fashion_dgm.pipelines import (
    data_split,
    fid_eval,
    flow_anatomy,
    latent_space,
    log_det_study,
    ood_eval,
    ood_reverse,
    report,
    stability,
    train_background_flow,
    train_classifier,
    train_flow,
    train_gan,
    train_mixture_flow,
    train_residual_flow,
    train_wgan,
    train_wgan_gp,
    vanishing_gradients,
)

__all__ = ["BY_NAME", "register_pipelines"]

# What takes too long for a first run, or what it can do without.
BY_NAME = (
    "train_classifier",
    "train_residual_flow",
    "train_background_flow",
    "ood_reverse",
    "log_det_study",
    "train_wgan_gp",
    "vanishing_gradients",
    "stability",
)


def register_pipelines() -> dict[str, Pipeline]:
    """Returns the pipelines; `__default__` is all of them but those that run by name alone.

    Each is a namespace of nodes, which Kedro-Viz draws as one box; datasets and parameters, which pipelines share, keep
    their names.
    """
    created = {
        "data_split": data_split.create_pipeline(),
        "train_classifier": train_classifier.create_pipeline(),
        "train_flow": train_flow.create_pipeline(),
        "train_mixture_flow": train_mixture_flow.create_pipeline(),
        "train_residual_flow": train_residual_flow.create_pipeline(),
        "train_background_flow": train_background_flow.create_pipeline(),
        "train_gan": train_gan.create_pipeline(),
        "train_wgan": train_wgan.create_pipeline(),
        "train_wgan_gp": train_wgan_gp.create_pipeline(),
        "ood_eval": ood_eval.create_pipeline(),
        "ood_reverse": ood_reverse.create_pipeline(),
        "flow_anatomy": flow_anatomy.create_pipeline(),
        "latent_space": latent_space.create_pipeline(),
        "fid_eval": fid_eval.create_pipeline(),
        "vanishing_gradients": vanishing_gradients.create_pipeline(),
        "stability": stability.create_pipeline(),
        "log_det_study": log_det_study.create_pipeline(),
    }
    created["report"] = report.create_pipeline(sum(created.values(), start=Pipeline([])))
    pipelines = {
        name: Pipeline(pipeline, namespace=name, prefix_datasets_with_namespace=False)
        for name, pipeline in created.items()
    }
    default = [pipeline for name, pipeline in pipelines.items() if name not in BY_NAME]
    return {**pipelines, "__default__": sum(default, start=Pipeline([]))}
