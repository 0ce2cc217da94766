"""The pipeline `data_split`."""

from kedro.pipeline import Node, Pipeline

from fashion_dgm.pipelines.data_split import nodes

__all__ = ["create_pipeline"]


def create_pipeline() -> Pipeline:
    """Returns the pipeline."""
    return Pipeline(
        [
            Node(
                nodes.split_images,
                ["fashion_mnist_raw", "params:data_split"],
                ["train", "test", "benchmark"],
                name="split_images",
            ),
            Node(nodes.official_test_images, "mnist_raw", "ood_mnist", name="take_mnist"),
            Node(
                nodes.summarise_split,
                {
                    "train": "train",
                    "test": "test",
                    "benchmark": "benchmark",
                    "config": "params:data_split",
                    "mnist": "ood_mnist",
                },
                "split_summary",
                name="summarise_split",
            ),
            Node(nodes.plot_examples, "train", "example_images", name="plot_examples"),
        ]
    )
