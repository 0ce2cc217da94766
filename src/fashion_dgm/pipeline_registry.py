"""The pipelines by name.

Named one by one: Kedro's `find_pipelines` imports only what a run asks for, and then a sum of pipelines is short of some.
"""

from kedro.pipeline import Pipeline

from fashion_dgm.pipelines import (
    data_split,
    fid_eval,
    latent_space,
    likelihood_decomposition,
    log_det_study,
    ood_eval,
    ood_reverse,
    report,
    stability,
    train_classifier,
    train_flow,
    train_gan,
    train_residual_flow,
    vanishing_gradients,
)
from fashion_dgm.pipelines.blocks import adversarial_models, named_flows
from fashion_dgm.pipelines.train_flow.nodes import train_mixture_flow, train_named_flow

__all__ = ["DEFAULT", "register_pipelines"]

DEFAULT = (
    "data_split",
    "train_flow",
    "train_mixture_flow",
    "ood_eval",
    "likelihood_decomposition",
    "latent_space",
    "train_gan",
    "train_wgan",
    "fid_eval",
    "vanishing_gradients",
    "log_det_study",
    "report",
)
"""What a plain `kedro run` runs; all others are opt-in, for they take too long for a first run, or it does without them."""


def register_pipelines() -> dict[str, Pipeline]:
    """Returns the pipelines; `__default__` is the sum of those in `DEFAULT`.

    Each is a namespace of nodes, which Kedro-Viz draws as one box; datasets and parameters, which pipelines share, keep
    their names.
    """
    created = {
        "data_split": data_split.create_pipeline(),
        "train_classifier": train_classifier.create_pipeline(),
        "train_flow": train_flow.create_pipeline(),
        "train_mixture_flow": train_flow.create_pipeline("mixture_flow", train_mixture_flow),
        "train_residual_flow": train_residual_flow.create_pipeline(),
        "train_background_flow": train_flow.create_background_pipeline(),
        **{f"train_{flow}": train_flow.create_pipeline(flow, train_named_flow) for flow in named_flows()},
        **{f"train_{model}": train_gan.create_pipeline(model) for model in adversarial_models()},
        "ood_eval": ood_eval.create_pipeline(),
        "ood_reverse": ood_reverse.create_pipeline(),
        "likelihood_decomposition": likelihood_decomposition.create_pipeline(),
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
    return {
        **pipelines,
        "__default__": sum((pipelines[name] for name in DEFAULT if name in pipelines), start=Pipeline([])),
    }
