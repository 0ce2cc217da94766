"""Where a result comes from: the parameters and the data that made it, and whether they fit each other."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fashion_dgm.nested import flatten

__all__ = ["ORIGIN", "differences", "inherited", "is_of_reference_models", "mismatches", "parameters_of"]

ORIGIN = "origin"
"""The key under which a result carries its origin: `{"parameters": {block: values}, "train_sha256", "mismatches"}`."""


def mismatches(trained_on: Mapping[str, str], train_sha256: str) -> list[str]:
    """Returns a sentence for each model that learned from other images than those of the training split.

    Such a model may have seen the images that it is evaluated on.

    Arguments:
        trained_on: by the name of a model, the hash of the images that it learned from.
        train_sha256: hash of the training split as it is now.
    """
    return [
        f"{name} was trained on other images ({found[:12]}) than the training split holds now ({train_sha256[:12]})"
        for name, found in trained_on.items()
        if found != train_sha256
    ]


def inherited(origins: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Merges the origins of results from which another one is made.

    Of two values for a parameter the later stays; `train_sha256` is that of the first origin that has it.
    """
    merged: dict[str, Any] = {"parameters": {}, "mismatches": []}
    for origin in origins:
        merged["parameters"] |= origin.get("parameters", {})
        if origin.get("train_sha256") is not None:
            merged.setdefault("train_sha256", origin["train_sha256"])
        merged["mismatches"] += [text for text in origin.get("mismatches", ()) if text not in merged["mismatches"]]
    return merged


def parameters_of(results: Mapping[str, Any]) -> dict[str, Any]:
    """Returns by block the parameters that made the results."""
    parameters: dict[str, Any] = {}
    for result in results.values():
        parameters |= result.get(ORIGIN, {}).get("parameters", {})
    return parameters


def is_of_reference_models(ood: Mapping[str, Any]) -> bool:
    """Returns whether a result of `ood_eval` is of the models that come with the package, and of none of the run."""
    return bool(parameters_of({"ood": ood}).get("ood_eval", {}).get("models") == "reference")


def differences(made_with: Mapping[str, Any], configured: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yields the dotted name of each parameter that differs, with its value in the results and in the configuration.

    Blocks that made no result are left out, and so is what the configuration leaves to its default.
    """
    for block in sorted(made_with):
        made, now = (flatten({block: tree.get(block, {})}) for tree in (made_with, configured))
        for name in sorted(now):
            if made.get(name) != now[name]:
                yield name, made.get(name), now[name]
