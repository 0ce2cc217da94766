"""The pipeline `fid_eval`."""

from kedro.pipeline import Node, Pipeline

from fashion_dgm.pipelines.blocks import adversarial_models, named_flows
from fashion_dgm.pipelines.fid_eval import nodes

__all__ = ["create_pipeline", "scored_models"]


def scored_models() -> dict[str, str]:
    """Returns the datasets of all models that are scored if they were trained, by the model."""
    flows = ("flow", "mixture_flow", "residual_flow", *named_flows())
    return {**{model: f"{model}_snapshots" for model in adversarial_models()}, **{flow: flow for flow in flows}}


def create_pipeline() -> Pipeline:
    """Returns the pipeline, which scores the snapshots of all adversarial models that were trained, and all flows."""
    return Pipeline(
        [
            Node(
                nodes.score_samples,
                {
                    "train": "train",
                    "test": "test",
                    "benchmark": "benchmark",
                    "classifier": "classifier",
                    "cache": "feature_cache",
                    "config": "params:fid_eval",
                    "store": "fid_progress",
                    "reference": "reference_models",
                    **scored_models(),
                },
                ["fid_by_epoch", "sample_quality", "fid_metrics"],
                name="score_samples",
            ),
            Node(nodes.plot_distances, ["fid_by_epoch", "fid_metrics"], "fid_curves_figure", name="plot_fid"),
            Node(nodes.plot_feature_spaces, "fid_metrics", "feature_spaces_figure", name="plot_feature_spaces"),
        ]
    )
