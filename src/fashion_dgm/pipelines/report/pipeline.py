"""The pipeline `report`."""

from kedro.pipeline import Node, Pipeline

from fashion_dgm.pipelines.report import nodes

__all__ = ["create_pipeline"]

FLOWS = ("flow", "mixture_flow", "residual_flow")
HISTORIES = {model: f"{model}_history" for model in ("gan", "wgan", "wgan_gp")}
FIGURES = (
    "example_images",
    "ood_set_examples",
    "flow_curve",
    "flow_samples",
    "mixture_flow_curve",
    "mixture_flow_samples",
    "residual_flow_curve",
    "residual_flow_samples",
    "latent_temperatures",
    "latent_off_typical",
    "latent_scales",
    "latent_interpolations",
    "latent_paths",
    "latent_strangers",
    "ood_histogram",
    "ood_matrix",
    "ood_headline",
    "likelihood_gap",
    "likelihood_by_layer",
    "way_through_the_flow",
    "likelihood_complexity",
    "perturbation_examples",
    "perturbation_curves",
    "gan_curves",
    "gan_records",
    "gan_strip",
    "wgan_strip",
    "wgan_gp_strip",
    "fid_curves",
    "published_comparison",
    "vanishing_norms",
    "vanishing_variance",
    "uniform_curves",
    "dirac_portraits",
    "stability_curves",
    "stability_measures",
    "stability_verdict",
    "log_det_truncation_figure",
    "log_det_probes_figure",
    "log_det_bias_figure",
    "log_det_variance_figure",
    "log_det_budget_figure",
)


def create_pipeline() -> Pipeline:
    """Returns the pipeline."""
    return Pipeline(
        [
            Node(
                nodes.collect_metrics,
                {
                    "data": "split_summary",
                    "ood_sets": "ood_sets_summary",
                    "classifier": "classifier_metrics",
                    "flow": "flow_metrics",
                    "mixture_flow": "mixture_flow_metrics",
                    "residual_flow": "residual_flow_metrics",
                    **{f"{flow}_discrete_likelihood": f"{flow}_discrete_likelihood" for flow in FLOWS},
                    "ood": "ood_metrics",
                    **{name: f"{name}_metrics" for name in ("mnist_ood", "mnist_flow", "mnist_mixture_flow")},
                    "latents": "latent_metrics",
                    "likelihood": "likelihood_metrics",
                    "gan": "gan_metrics",
                    "wgan": "wgan_metrics",
                    "wgan_gp": "wgan_gp_metrics",
                    "fid": "fid_metrics",
                    "vanishing_gradients": "vanishing_gradients_metrics",
                    "stability": "stability_metrics",
                    "log_det_study": "log_det_study_metrics",
                },
                "metrics",
                name="collect_metrics",
            ),
            Node(nodes.plot_training, HISTORIES, "gan_curves", name="plot_gan_training"),
            Node(nodes.plot_records, HISTORIES, "gan_records", name="plot_gan_records"),
            Node(nodes.plot_published, "metrics", "published_comparison", name="plot_published"),
            Node(
                nodes.write_report,
                {
                    "metrics": "metrics",
                    "parameters": "parameters",
                    "config": "params:report",
                    **{figure: figure for figure in FIGURES},
                },
                "report",
                name="write_report",
            ),
        ]
    )
