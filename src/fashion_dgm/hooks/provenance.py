"""The origin of every result, and whether models fit the split that they are evaluated on."""

from collections.abc import Mapping
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Node
from pydantic import BaseModel

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.provenance import ORIGIN, inherited, mismatches

__all__ = ["ProvenanceHooks"]


class ProvenanceHooks:
    """Refuses to evaluate a model on a split that it was not trained for, and gives every result its origin.

    A result is whatever is saved as JSON: it carries the parameters and the training images that made it, so that a
    report made later, under another configuration, still states those.
    """

    def __init__(self) -> None:
        # By pipeline, for what scores a model and what sums the scores up are different nodes.
        self._mismatches: dict[str | None, list[str]] = {}

    @hook_impl
    def before_pipeline_run(self, catalog: DataCatalog) -> None:
        """Checks the parameter `data_mismatch`."""
        self._mismatches = {}
        found = catalog.load("params:data_mismatch")
        if found not in ("refuse", "mark"):
            raise FashionDGMError(f"data_mismatch is {found!r}; use refuse or mark")

    @hook_impl
    def before_node_run(self, node: Node, catalog: DataCatalog, inputs: dict[str, Any]) -> None:
        """Compares the images that models learned from with the training split."""
        split = _train_sha256(catalog, inputs)
        found = mismatches(_trained_on(inputs), split) if split else []
        if found and catalog.load("params:data_mismatch") != "mark":
            raise FashionDGMError(
                f"{'; '.join(found)}. A model may have been trained on images of the evaluation. Train again, or "
                "restore the previous split (`data_split`). With `--params data_mismatch=mark` the evaluation runs "
                "nevertheless, and every result is marked"
            )
        self._mismatches.setdefault(node.namespace, []).extend(found)

    @hook_impl
    def after_node_run(self, node: Node, catalog: DataCatalog, inputs: dict[str, Any], outputs: dict[str, Any]) -> None:
        """Writes the origin into the node's results, before they are saved."""
        from fashion_dgm.catalog.files import JSONDataset

        results = [value for name, value in outputs.items() if isinstance(catalog.get(name), JSONDataset)]
        if not results or "parameters" in node.inputs or node.namespace == "report":
            return
        own = {
            "parameters": {
                name.removeprefix("params:"): value.model_dump(mode="json")
                for name, value in inputs.items()
                if isinstance(value, BaseModel)
            },
            "mismatches": self._mismatches.get(node.namespace, []),
        }
        given = [value[ORIGIN] for value in inputs.values() if isinstance(value, dict) and ORIGIN in value]
        origin = inherited([{"train_sha256": _own_train_sha256(inputs)}, *given, own])
        origin.setdefault("train_sha256", _train_sha256(catalog, inputs))
        for result in results:
            result[ORIGIN] = origin


def _own_train_sha256(inputs: Mapping[str, Any]) -> str | None:
    """The hash of the training images among a node's inputs, whichever data set they are of: `train`, `mnist_train`."""
    from fashion_dgm.data.images import ImageSet  # late: numpy would slow every command

    found = (value for name, value in inputs.items() if name.split("_")[-1] == "train" and isinstance(value, ImageSet))
    return next((train.sha256 for train in found), None)


def _train_sha256(catalog: DataCatalog, inputs: Mapping[str, Any]) -> str | None:
    """The same; of a node without training images, that of FashionMNIST's training split, or None before there is one."""
    own = _own_train_sha256(inputs)
    if own is not None:
        return own
    summary = catalog.get("split_summary")
    return summary.load()["splits"]["train"]["sha256"] if summary and summary.exists() else None


def _trained_on(inputs: Mapping[str, Any]) -> dict[str, str]:
    """By the name of its dataset, the hash of the images each model among a node's inputs learned from.

    Where the node's parameters ask for the models that come with the package, it evaluates these alone.
    The classifier is no model under evaluation; that of its own images is compared where its features are used.
    """
    from fashion_dgm.checkpoint import Checkpoint

    if any(getattr(value, "models", None) == "reference" for value in inputs.values()):
        inputs = inputs.get("reference_models", inputs)
    found = {}
    for name, value in inputs.items():
        # Snapshots are loaded when they are called; any one speaks for all.
        snapshots = isinstance(value, dict) and value and all(isinstance(epoch, int) for epoch in value)
        checkpoint = next(iter(value.values()))() if snapshots else value
        if isinstance(checkpoint, Checkpoint) and checkpoint.architecture != "Classifier":
            found[name] = checkpoint.training.get("data_sha256")
    return {name: sha256 for name, sha256 in found.items() if sha256}
