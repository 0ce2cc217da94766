"""The pipeline `ood_eval`."""

from kedro.pipeline import Node, Pipeline

from fashion_dgm.pipelines.blocks import named_flows
from fashion_dgm.pipelines.ood_eval import nodes

__all__ = ["create_pipeline"]


def create_pipeline() -> Pipeline:
    """Returns the pipeline, which scores images under all flows that were trained."""
    others = {name: name for flow in ("mixture_flow", *named_flows()) for name in (flow, f"{flow}_snapshots")}
    return Pipeline(
        [
            Node(
                nodes.score_images,
                {
                    "flow": "flow",
                    "snapshots": "flow_snapshots",
                    "background": "background_flow",
                    "residual_flow": "residual_flow",
                    "classifier": "reference_classifier",
                    "reference": "reference_models",
                    "train": "train",
                    "benchmark": "benchmark",
                    "ood_sets": "ood_sets",
                    "config": "params:ood_eval",
                    "store": "ood_progress",
                    **others,
                },
                ["ood_scores", "ood_fit"],
                name="score_images",
            ),
            Node(
                nodes.measure_detection,
                ["ood_scores", "ood_fit", "ood_sets_summary", "params:ood_eval"],
                ["ood_table", "ood_differences", "ood_metrics"],
                name="measure_detection",
            ),
            Node(nodes.plot_scores, ["ood_scores", "ood_metrics"], "ood_histogram_figure", name="plot_ood_scores"),
            Node(
                nodes.plot_primary_score,
                ["ood_scores", "ood_metrics"],
                "ood_primary_score_figure",
                name="plot_ood_primary_score",
            ),
            Node(nodes.plot_matrix, ["ood_table", "ood_metrics"], "ood_matrix_figure", name="plot_ood_matrix"),
        ]
    )
