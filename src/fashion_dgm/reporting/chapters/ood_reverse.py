"""The reverse direction, from MNIST to FashionMNIST: a part of the chapter on out-of-distribution detection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fashion_dgm.provenance import ORIGIN, differences, parameters_of
from fashion_dgm.reporting.report import Block, NoteBlock, TableBlock, TextBlock
from fashion_dgm.reporting.wording import (
    NOT_APPLICABLE,
    count,
    dataset_name,
    interval,
    listing,
    model_name,
    number,
    percent,
)

__all__ = ["reverse_blocks"]

_SCORES = ("likelihood", "combined", "combined_without_flow")
_COUNTERPARTS = {"mnist_flow": "flow", "mnist_mixture_flow": "mixture_flow", "mnist_ood": "ood"}


def reverse_blocks(metrics: Mapping[str, Any]) -> tuple[Block, ...]:
    """Returns a table of the AUROC under flows that were trained on MNIST; nothing where none was.

    Arguments:
        metrics: by what was measured; `mnist_ood` as `ood`. A note names the parameters by which flows of the two directions
            were trained or scored differently.
    """
    if "mnist_ood" not in metrics:
        return ()
    reverse = metrics["mnist_ood"]
    first, trained_on = reverse["model"], dataset_name(reverse["in_distribution"]["name"])
    models = dict(sorted(reverse["models"].items(), key=lambda item: (item[0] != first, item[0])))
    definitions = reverse["definitions"]
    # What needs no flow is the same under each.
    shown = [
        (model, score)
        for score in _SCORES
        for model in (models if score in definitions and definitions[score]["uses_flow"] else [first])
        if score in models[model]["results"]
    ]
    heads = (
        definitions[score]["label"] + (f", {model_name(model)}" if definitions[score]["uses_flow"] else "")
        for model, score in shown
    )
    rows = tuple(
        (
            dataset_name(name),
            count(reverse["sets"][name]["images"]),
            *(_cell(models[model]["results"][score].get(name, {})) for model, score in shown),
        )
        for name in sorted(reverse["sets"], key=lambda name: (name != "fashion_mnist", name))
    )
    bits = listing([f"{number(m['in_distribution']['bits_per_dim'])} ({model_name(n)})" for n, m in models.items()])
    table = TableBlock(
        ("Set", "Images", *heads),
        rows,
        f"The reverse direction: AUROC under flows that were trained on {trained_on}, one image at a time, against "
        f"{count(reverse['in_distribution']['images'])} of its official test images, which take {bits} bits/dim. In "
        f"brackets: {percent(reverse['confidence'])} intervals from {count(reverse['bootstrap'])} bootstrap resamples.",
        numeric=tuple(range(1, 2 + len(shown))),
    )
    text = TextBlock(
        (
            f"The same models and scores, trained on {trained_on} by `ood_reverse`. The paradox is published as one-sided: "
            "models trained on the simpler set find the more complex one less likely (Nalisnick et al., 2019, with SVHN and "
            "CIFAR-10). Scores that use labels are missing, as the classifier was trained on FashionMNIST.",
        ),
        heading="The reverse direction",
    )
    return (text, table, *_notes(metrics))


def _notes(metrics: Mapping[str, Any]) -> tuple[NoteBlock, ...]:
    made, other = (
        parameters_of({name: metrics.get(name, {}) for name in names})
        for names in zip(*_COUNTERPARTS.items(), strict=True)
    )
    shared = {block: values for block, values in made.items() if block in other}
    found = [f"`{name}` is {here}, not {there}" for name, here, there in differences(shared, other)]
    notes = [f"Other parameters than in the direction from FashionMNIST: {listing(found)}."] if found else []
    notes += [f"Not comparable: {text}." for text in metrics["mnist_ood"].get(ORIGIN, {}).get("mismatches", ())]
    return (NoteBlock("The two directions differ in more than their images", tuple(notes)),) if notes else ()


def _cell(found: Mapping[str, Any]) -> str:
    if not found:
        return NOT_APPLICABLE
    return " ".join(filter(None, [number(found.get("auroc"), 3), interval(found.get("auroc_interval"))]))
