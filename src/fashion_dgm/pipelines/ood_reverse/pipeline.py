"""The pipeline `ood_reverse`: nodes of other pipelines, on MNIST."""

from kedro.pipeline import Node, Pipeline

from fashion_dgm.pipelines.data_split.nodes import make_ood_sets, split_images
from fashion_dgm.pipelines.ood_eval.nodes import measure_detection, score_images
from fashion_dgm.pipelines.train_flow.nodes import train_flow, train_mixture_flow

__all__ = ["create_pipeline"]


def create_pipeline() -> Pipeline:
    """Returns the pipeline."""
    return Pipeline(
        [
            Node(
                split_images,
                ["mnist_raw", "params:data_split"],
                ["mnist_train", "mnist_test", "mnist_benchmark"],
                name="split_mnist_images",
            ),
            Node(
                make_ood_sets,
                {
                    "train": "mnist_train",
                    "benchmark": "mnist_benchmark",
                    "other": "fashion_mnist_raw",
                    "config": "params:mnist_ood_sets",
                    "kmnist": "kmnist_raw",
                    "emnist_letters": "emnist_letters_raw",
                    "omniglot": "omniglot_raw",
                },
                ["mnist_ood_sets", "mnist_ood_sets_summary"],
                name="make_mnist_ood_sets",
            ),
            Node(
                train_flow,
                ["mnist_train", "mnist_test", "mnist_flow_state", "params:train_flow"],
                ["mnist_flow", "mnist_flow_snapshots", "mnist_flow_history", "mnist_flow_metrics"],
                name="train_mnist_flow",
                tags="training",
            ),
            Node(
                train_mixture_flow,
                ["mnist_train", "mnist_test", "mnist_mixture_flow_state", "params:train_mixture_flow"],
                [
                    "mnist_mixture_flow",
                    "mnist_mixture_flow_snapshots",
                    "mnist_mixture_flow_history",
                    "mnist_mixture_flow_metrics",
                ],
                name="train_mnist_mixture_flow",
                tags="training",
            ),
            Node(
                score_images,
                {
                    "flow": "mnist_flow",
                    "snapshots": "mnist_flow_snapshots",
                    "mixture_flow": "mnist_mixture_flow",
                    "mixture_flow_snapshots": "mnist_mixture_flow_snapshots",
                    "train": "mnist_train",
                    "benchmark": "mnist_benchmark",
                    "ood_sets": "mnist_ood_sets",
                    "config": "params:ood_eval",
                    "store": "mnist_ood_progress",
                },
                ["mnist_ood_scores", "mnist_ood_fit"],
                name="score_mnist_images",
            ),
            Node(
                measure_detection,
                ["mnist_ood_scores", "mnist_ood_fit", "mnist_ood_sets_summary", "params:ood_eval"],
                ["mnist_ood_table", "mnist_ood_differences", "mnist_ood_metrics"],
                name="measure_mnist_detection",
            ),
        ]
    )
