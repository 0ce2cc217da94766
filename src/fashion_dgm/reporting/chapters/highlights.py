"""The figures of a run to remember."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fashion_dgm.findings.standing import our_likelihoods
from fashion_dgm.reporting import published
from fashion_dgm.reporting.chapters.fid import feature_spaces, ranking, space_name
from fashion_dgm.reporting.report import Highlight
from fashion_dgm.reporting.wording import count, dataset_name, model_name, model_order, number

__all__ = ["highlights"]


def highlights(
    *,
    flow: Mapping[str, Any] | None = None,
    mixture: Mapping[str, Any] | None = None,
    ood: Mapping[str, Any] | None = None,
    fid: Mapping[str, Any] | None = None,
) -> tuple[Highlight, ...]:
    """Returns the figures to remember, from the metrics that the chapters of the same names take."""
    shown = []
    if flow is not None:
        for own in our_likelihoods(flow, mixture=mixture):
            name = "RealNVP" if own.model == "RealNVP" else f"the {own.model}"
            label = f"bits/dim of {name}, {'official test' if own.split == 'benchmark' else 'held-out'}"
            shown.append(Highlight(number(own.bits), label, f"published RealNVP: {published.REALNVP.bits}"))
    if ood is not None and ood["sets"]:
        name = "mnist" if "mnist" in ood["sets"] else min(ood["sets"])
        value = number(ood["sets"][name].get("auroc"), 3)
        shown.append(Highlight(value, f"AUROC against {dataset_name(name)}, by likelihood", "chance: 0.5"))
        if "models" in ood and ood["headline"] != "likelihood":
            found = ood["models"][ood["model"]]["results"][ood["headline"]].get(name, {})
            label = f"AUROC against {dataset_name(name)}, by the {ood['definitions'][ood['headline']]['label']} score"
            shown.append(Highlight(number(found.get("auroc"), 3), label, "chance: 0.5"))
    if fid is not None and (spaces := feature_spaces(fid)):
        space = "inception" if "inception" in spaces else spaces[0]
        distances = {standing.model: standing.distance for standing in ranking(fid, space)[0]}
        for model in model_order({row["model"] for row in fid["rows"]}):
            label = f"{space_name(space)} of the {model_name(model)}"
            shown.append(
                Highlight(number(distances.get(model), 1), label, f"best epoch, N = {count(fid.get('samples'))}")
            )
    return tuple(shown)
