"""Detection under every flow of a run: a part of the chapter on out-of-distribution detection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fashion_dgm.reporting.report import TableBlock
from fashion_dgm.reporting.wording import NOT_APPLICABLE, count, dataset_name, interval, listing, model_name, number

__all__ = ["flows_table"]


def flows_table(metrics: Mapping[str, Any]) -> tuple[TableBlock, ...]:
    """Returns a table of the AUROC of likelihood and primary score under each flow; nothing where a run has one flow.

    Arguments:
        metrics: as `fashion_dgm.reporting.chapters.ood_scores.score_blocks` takes them.
    """
    models = metrics.get("models", {})
    if len(models) < 2:
        return ()
    scores = list(dict.fromkeys(["likelihood", metrics["headline"]]))
    shown = [(model, score) for score in scores for model in models if score in models[model]["results"]]
    rows = tuple(
        (dataset_name(name), *(_cell(models[model]["results"][score].get(name, {})) for model, score in shown))
        for name in sorted(metrics["sets"])
    )
    sizes = listing(
        [
            f"{count(found['in_distribution']['images'])} under the {model_name(model)}"
            for model, found in models.items()
        ]
    )
    return (
        TableBlock(
            ("Set", *(f"{metrics['definitions'][score]['label']}, {model_name(model)}" for model, score in shown)),
            rows,
            f"AUROC under each flow, one image at a time, with intervals as above. In-distribution images: {sizes}.",
            numeric=tuple(range(1, len(shown) + 1)),
        ),
    )


def _cell(found: Mapping[str, Any]) -> str:
    if not found:
        return NOT_APPLICABLE
    return " ".join(filter(None, [number(found.get("auroc"), 3), interval(found.get("auroc_interval"))]))
