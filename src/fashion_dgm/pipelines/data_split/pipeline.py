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
            Node(
                nodes.summarise_split,
                ["train", "test", "benchmark", "params:data_split"],
                "split_summary",
                name="summarise_split",
            ),
            Node(
                nodes.make_ood_sets,
                {
                    "train": "train",
                    "benchmark": "benchmark",
                    "other": "mnist_raw",
                    "config": "params:ood_sets",
                    "kmnist": "kmnist_raw",
                    "emnist_letters": "emnist_letters_raw",
                    "omniglot": "omniglot_raw",
                },
                ["ood_sets", "ood_sets_summary"],
                name="make_ood_sets",
            ),
            Node(nodes.plot_examples, "train", "example_images_figure", name="plot_examples"),
            Node(
                nodes.plot_ood_sets,
                ["benchmark", "ood_sets", "ood_sets_summary"],
                "ood_set_examples_figure",
                name="plot_ood_sets",
            ),
        ]
    )
