"""The pipeline `train_gan`, and those of all other adversarial models."""

from kedro.pipeline import Node, Pipeline

from fashion_dgm.config import ReportConfig
from fashion_dgm.pipelines.blocks import adversarial_models
from fashion_dgm.pipelines.late import Snapshots
from fashion_dgm.pipelines.train_gan import nodes

__all__ = ["create_pipeline"]


def create_pipeline(model: str = "gan") -> Pipeline:
    """Returns the pipeline that trains `model` by the parameters `train_<model>`, and draws its snapshots."""

    def animate_snapshots(snapshots: Snapshots, config: ReportConfig) -> bytes:
        """Animates what the generator makes of the same latents, and logs each epoch's as an image."""
        return nodes.animate_snapshots(model, snapshots, config)

    # Parameters with `n_critic` are a WGANConfig, all others a GANConfig.
    train = nodes.train_wgan if "n_critic" in adversarial_models()[model] else nodes.train_gan
    return Pipeline(
        [
            Node(
                train,
                ["train", "test", "reference_classifier", f"{model}_state", f"params:train_{model}"],
                [f"{model}_{part}" for part in ("generator", "discriminator", "snapshots", "history", "metrics")],
                name=f"train_{model}",
                tags="training",
            ),
            Node(
                nodes.plot_snapshots,
                [f"{model}_snapshots", "params:report"],
                f"{model}_strip_figure",
                name=f"plot_{model}_snapshots",
            ),
            Node(
                animate_snapshots,
                [f"{model}_snapshots", "params:report"],
                f"{model}_animation",
                name=f"animate_{model}_snapshots",
            ),
        ]
    )
