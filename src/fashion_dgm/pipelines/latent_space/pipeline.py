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
                    "latent_temperatures",
                    "latent_off_typical",
                    "latent_scales",
                    "latent_interpolations",
                    "latent_strangers",
                ],
                name="probe_latents",
            ),
            Node(
                nodes.summarise_latents,
                ["latent_scores", "likelihood_parts", "params:latent_space"],
                "latent_metrics",
                name="summarise_latents",
            ),
            Node(nodes.plot_paths, "latent_metrics", "latent_paths", name="plot_latent_paths"),
        ]
    )
