"""The pipeline `latent_space`."""

from kedro.pipeline import Node, Pipeline

from fashion_dgm.pipelines.latent_space import nodes

__all__ = ["create_pipeline"]


def create_pipeline() -> Pipeline:
    """Returns the pipeline."""
    return Pipeline(
        [
            Node(
                nodes.probe_latents,
                ["flow", "benchmark", "ood_sets", "params:latent_space"],
                [
                    "latent_scores",
                    "latent_temperatures_figure",
                    "latent_off_typical_figure",
                    "latent_scales_figure",
                    "latent_interpolations_figure",
                    "latent_ood_figure",
                ],
                name="probe_latents",
            ),
            Node(
                nodes.summarise_latents,
                ["latent_scores", "likelihood_parts", "params:latent_space"],
                "latent_metrics",
                name="summarise_latents",
            ),
            Node(nodes.plot_paths, "latent_metrics", "latent_paths_figure", name="plot_latent_paths"),
        ]
    )
