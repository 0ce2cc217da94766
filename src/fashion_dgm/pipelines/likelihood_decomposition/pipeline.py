"""The pipeline `likelihood_decomposition`."""

from kedro.pipeline import Node, Pipeline

from fashion_dgm.pipelines.likelihood_decomposition import nodes

__all__ = ["create_pipeline"]


def create_pipeline() -> Pipeline:
    """Returns the pipeline."""
    images = ["flow", "benchmark", "ood_sets", "params:likelihood_decomposition"]
    return Pipeline(
        [
            Node(
                nodes.decompose_likelihood,
                images,
                ["likelihood_parts", "likelihood_layers"],
                name="decompose_likelihood",
            ),
            Node(
                nodes.perturb_images,
                ["flow", "benchmark", "params:likelihood_decomposition"],
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
                    "params:likelihood_decomposition",
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
            Node(nodes.plot_layer_trace, images, "layer_trace_figure", name="plot_layer_trace"),
        ]
    )
