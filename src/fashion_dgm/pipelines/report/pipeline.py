"""The pipeline `report`."""

from kedro.pipeline import Node, Pipeline

from fashion_dgm.pipelines.blocks import adversarial_models
from fashion_dgm.pipelines.report import nodes

__all__ = ["create_pipeline"]

REQUIRED = {
    "data": "split_summary",
    "ood_sets": "ood_sets_summary",
    "flow": "flow_metrics",
    "ood": "ood_metrics",
    "latents": "latent_metrics",
    "likelihood": "likelihood_metrics",
    "gan": "gan_metrics",
    "wgan": "wgan_metrics",
    "fid": "fid_metrics",
}
"""By the names they have in the report, the results without which there is none."""


def create_pipeline(others: Pipeline) -> Pipeline:
    """Returns the pipeline, which reads all metrics and figures of `others`, and the histories of adversarial models."""
    made = sorted(others.all_outputs() - {*REQUIRED.values()})
    figures = [name for name in made if name.endswith(("_figure", "_animation"))]
    histories = {model: f"{model}_history" for model in adversarial_models()}
    own = ["gan_curves_figure", "gan_records_figure", "published_comparison_figure"]
    return Pipeline(
        [
            Node(
                nodes.collect_metrics,
                REQUIRED
                | {name.removesuffix("_metrics"): name for name in made if name.endswith("_metrics")}
                | {name: name for name in made if name.endswith("_discrete_likelihood")},
                "metrics",
                name="collect_metrics",
            ),
            Node(nodes.conclude, "metrics", "findings", name="conclude"),
            Node(nodes.plot_training, histories, "gan_curves_figure", name="plot_gan_training"),
            Node(nodes.plot_records, histories, "gan_records_figure", name="plot_gan_records"),
            Node(nodes.plot_published, "metrics", "published_comparison_figure", name="plot_published"),
            Node(
                nodes.write_report,
                {
                    "metrics": "metrics",
                    "reference": "reference_run",
                    "parameters": "parameters",
                    "config": "params:report",
                    **{name.removesuffix("_figure"): name for name in [*figures, *own]},
                },
                "report",
                name="write_report",
            ),
        ]
    )
