"""The figures of a run to remember."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fashion_dgm.findings.fid import FIDFindings
from fashion_dgm.findings.standing import our_likelihoods
from fashion_dgm.reporting import published
from fashion_dgm.reporting.report import Highlight
from fashion_dgm.reporting.wording import count, dataset_name, model_name, model_order, number, space_name

__all__ = ["highlights"]


def highlights(
    *,
    flow: Mapping[str, Any] | None = None,
    mixture: Mapping[str, Any] | None = None,
    ood: Mapping[str, Any] | None = None,
    fid: FIDFindings | None = None,
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
    if fid is not None and fid.spaces:
        space = fid.space("inception") or fid.spaces[0]
        distances = {standing.model: standing.distance for standing in space.standings}
        for model in model_order({model.model for model in space.models}):
            label = f"{space_name(space.name)} of the {model_name(model)}"
            text = f"best epoch, N = {count(fid.metrics['samples'])}"
            shown.append(Highlight(number(distances.get(model), 1), label, text))
    return tuple(shown)
