"""The pipeline `stability`."""

from kedro.pipeline import Node, Pipeline

from fashion_dgm.pipelines.stability import nodes

__all__ = ["create_pipeline"]


def create_pipeline() -> Pipeline:
    """Returns the pipeline."""
    return Pipeline(
        [
            Node(
                nodes.train_runs,
                {
                    "train": "train",
                    "test": "test",
                    "benchmark": "benchmark",
                    "classifier": "reference_classifier",
                    "store": "stability_state",
                    "gan": "params:train_gan",
                    "wgan": "params:train_wgan",
                    "gan_spectral": "params:gan_spectral",
                    "wgan_penalty": "params:wgan_penalty",
                    "config": "params:stability",
                },
                "stability_records",
                name="train_stability_runs",
                tags="training",
            ),
            Node(
                nodes.compare_models,
                "stability_records",
                ["stability_runs", "stability_metrics"],
                name="compare_stability",
            ),
            Node(nodes.plot_curves, "stability_records", "stability_curves_figure", name="plot_stability_curves"),
            Node(nodes.plot_measures, "stability_metrics", "stability_measures_figure", name="plot_stability_measures"),
            Node(nodes.plot_verdict, "stability_metrics", "stability_verdict_figure", name="plot_stability_verdict"),
        ]
    )
