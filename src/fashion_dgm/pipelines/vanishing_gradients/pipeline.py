"""The pipeline `vanishing_gradients`."""

from kedro.pipeline import Node, Pipeline

from fashion_dgm.pipelines.vanishing_gradients import nodes

__all__ = ["create_pipeline"]


def create_pipeline() -> Pipeline:
    """Returns the pipeline."""
    return Pipeline(
        [
            Node(
                nodes.train_discriminators,
                {
                    "train": "train",
                    "snapshots": "gan_snapshots",
                    "gan": "params:train_gan",
                    "wgan": "params:train_wgan",
                    "wgan_penalty": "params:wgan_penalty",
                    "config": "params:vanishing_gradients",
                },
                "generator_gradients",
                name="train_discriminators",
                tags="training",
            ),
            Node(nodes.estimate_uniforms, "params:vanishing_gradients", "uniform_distances", name="estimate_uniforms"),
            Node(
                nodes.summarise,
                ["generator_gradients", "uniform_distances", "params:vanishing_gradients"],
                "vanishing_gradients_metrics",
                name="summarise_vanishing_gradients",
            ),
            Node(nodes.plot_norms, "generator_gradients", "vanishing_norms_figure", name="plot_vanishing_norms"),
            Node(
                nodes.plot_variance, "generator_gradients", "vanishing_variance_figure", name="plot_vanishing_variance"
            ),
            Node(nodes.plot_uniforms, "uniform_distances", "uniform_curves_figure", name="plot_uniforms"),
            Node(nodes.plot_dirac, "params:vanishing_gradients", "dirac_portraits_figure", name="plot_dirac"),
        ]
    )
