"""The pipeline `flow_anatomy`."""

from kedro.pipeline import Node, Pipeline

from fashion_dgm.pipelines.flow_anatomy import nodes

__all__ = ["create_pipeline"]


def create_pipeline() -> Pipeline:
    """Returns the pipeline."""
    images = ["flow", "benchmark", "ood_sets", "params:flow_anatomy"]
    return Pipeline(
        [
            Node(
                nodes.dissect_likelihood, images, ["likelihood_parts", "likelihood_layers"], name="dissect_likelihood"
            ),
            Node(
                nodes.perturb_images,
                ["flow", "benchmark", "params:flow_anatomy"],
                ["perturbation_scores", "perturbation_examples_figure"],
                name="perturb_images",
            ),
            Node(nodes.check_second_order, images, "second_order_metrics", name="check_second_order"),
            Node(
                nodes.explain_likelihood,
                [
                    "likelihood_parts",
                    "likelihood_layers",
                    "perturbation_scores",
                    "second_order_metrics",
                    "ood_sets_summary",
                    "params:flow_anatomy",
                ],
                "likelihood_metrics",
                name="explain_likelihood",
            ),
            Node(nodes.plot_gap, "likelihood_metrics", "likelihood_gap_figure", name="plot_likelihood_gap"),
            Node(
                nodes.plot_layers, "likelihood_metrics", "likelihood_by_layer_figure", name="plot_likelihood_by_layer"
            ),
            Node(
                nodes.plot_complexity,
                ["likelihood_parts", "likelihood_metrics"],
                "likelihood_complexity_figure",
                name="plot_likelihood_complexity",
            ),
            Node(
                nodes.plot_perturbations, "likelihood_metrics", "perturbation_curves_figure", name="plot_perturbations"
            ),
            Node(nodes.plot_way, images, "way_through_the_flow_figure", name="plot_way_through_the_flow"),
        ]
    )
