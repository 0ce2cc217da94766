"""The run in a few sentences and figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fashion_dgm.reporting import published
from fashion_dgm.reporting.chapters.fid import feature_spaces, ranking, ranking_sentence, space_name
from fashion_dgm.reporting.chapters.flow import fit_sentence
from fashion_dgm.reporting.chapters.gan import critic_sentence, discriminator_sentence
from fashion_dgm.reporting.chapters.likelihood_sentences import gap_sentences
from fashion_dgm.reporting.chapters.ood import detection_summary, others_sentence, told_apart
from fashion_dgm.reporting.chapters.ood_scores import headline_summary
from fashion_dgm.reporting.report import Highlight
from fashion_dgm.reporting.standing import our_likelihoods
from fashion_dgm.reporting.wording import count, dataset_name, model_name, model_order, number

__all__ = ["highlights", "summary_sentences"]


def summary_sentences(
    *,
    data: Mapping[str, Any] | None = None,
    flow: Mapping[str, Any] | None = None,
    ood: Mapping[str, Any] | None = None,
    gan: Mapping[str, Any] | None = None,
    fid: Mapping[str, Any] | None = None,
    likelihood: Mapping[str, Any] | None = None,
) -> list[str]:
    """Returns the run in a few sentences, from the metrics that the chapters of the same names take."""
    sentences = []
    if data is not None:
        splits = data["splits"]
        # Where the pool is everything, the benchmark is a part of the held-out images.
        judged = [name for name in splits if name == "test" or (name != "train" and data.get("pool") != "all")]
        others = sum(splits[name]["images"] for name in judged)
        sentences.append(
            f"All models were trained on {count(splits['train']['images'])} images of FashionMNIST and judged on "
            f"{count(others)} others."
        )
    if flow is not None:
        sentences.append(fit_sentence(flow))
    if ood is not None:
        sentences += [detection_summary(name, ood["sets"][name]) for name in told_apart(ood["sets"])]
        sentences += others_sentence(ood["sets"])
        sentences += headline_summary(ood)
    if likelihood is not None:
        names = (dataset_name(likelihood[key]) for key in ("in_distribution", "stranger"))
        sentences.append(gap_sentences(likelihood["sets"][likelihood["stranger"]]["gap"], *names)[0])
    if gan is not None and "gan" in gan:
        sentences.append(discriminator_sentence(gan["gan"]))
    if gan is not None and "wgan" in gan:
        sentences.append(critic_sentence(gan["wgan"]))
    if fid is not None:
        spaces = feature_spaces(fid)
        sentences += [ranking_sentence(fid, space) for space in spaces]
        if "inception" not in spaces:
            sentences.append("FID itself was not computed; the chapter on distances says why.")
    return sentences


def highlights(
    *,
    flow: Mapping[str, Any] | None = None,
    ood: Mapping[str, Any] | None = None,
    fid: Mapping[str, Any] | None = None,
) -> tuple[Highlight, ...]:
    """Returns the figures to remember, from the metrics that the chapters of the same names take."""
    shown = []
    if flow is not None:
        (own,) = our_likelihoods(flow)
        value = number(own.bits)
        label = f"bits/dim of RealNVP, {'official test' if own.split == 'benchmark' else 'held-out'}"
        shown.append(Highlight(value, label, f"published: {published.REALNVP.bits}"))
    if ood is not None and ood["sets"]:
        name = "mnist" if "mnist" in ood["sets"] else min(ood["sets"])
        value = number(ood["sets"][name].get("auroc"))
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
