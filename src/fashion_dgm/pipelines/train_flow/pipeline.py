"""The pipeline `train_flow`, and those of other flows with an exact log-determinant."""

from collections.abc import Callable

from kedro.pipeline import Node, Pipeline

from fashion_dgm.pipelines.train_flow import nodes

__all__ = ["create_background_pipeline", "create_pipeline"]


def create_pipeline(flow: str = "flow", train: Callable[..., nodes.Trained] = nodes.train_flow) -> Pipeline:
    """Returns the pipeline that trains `flow` by the node function `train`, and evaluates it."""
    return Pipeline(
        [
            Node(
                train,
                ["train", "test", f"{flow}_state", f"params:train_{flow}"],
                [flow, f"{flow}_snapshots", f"{flow}_history", f"{flow}_metrics"],
                name=f"train_{flow}",
                tags="training",
            ),
            Node(
                nodes.estimate_discrete_likelihood,
                [flow, "benchmark", "params:discrete_likelihood"],
                f"{flow}_discrete_likelihood",
                name=f"estimate_{flow}_discrete_likelihood",
            ),
            Node(nodes.plot_history, f"{flow}_history", f"{flow}_curve_figure", name=f"plot_{flow}_history"),
            Node(nodes.plot_samples, [flow, "params:ood_eval"], f"{flow}_samples_figure", name=f"plot_{flow}_samples"),
        ]
    )


def create_background_pipeline() -> Pipeline:
    """Returns the pipeline `train_background_flow`: a flow of noised images, for likelihood ratios."""
    return Pipeline(
        [
            Node(
                nodes.train_background_flow,
                ["train", "test", "background_flow_state", "params:train_background_flow"],
                ["background_flow", "background_flow_history"],
                name="train_background_flow",
                tags="training",
            )
        ]
    )
