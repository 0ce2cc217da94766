"""What else than likelihood recognises the unfamiliar: a part of the chapter on out-of-distribution detection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fashion_dgm.reporting import sources
from fashion_dgm.reporting.report import Block, FigureBlock, NoteBlock, TableBlock, TextBlock
from fashion_dgm.reporting.wording import (
    count,
    dataset_name,
    interval,
    is_number,
    listing,
    number,
    percent,
)

__all__ = ["SCORE_SOURCES", "headline_summary", "score_blocks"]

SCORE_SOURCES = (
    sources.CHOI_2019,
    sources.GRATHWOHL_2020,
    sources.LEE_2018,
    sources.MORNINGSTAR_2021,
    sources.NALISNICK_2019B,
    sources.SERRA_2020,
    sources.SUN_2022,
    sources.TOLA_2010,
)

# The combined score and what it is made of.
_ABLATION = {
    "coded_length": "coder alone",
    "nearest_edges": "neighbours alone",
    "combined_without_flow": "both",
    "combined": "both with the flow",
}
# At this AUROC a set is called solved.
_SOLVED = 0.99


def score_blocks(metrics: Mapping[str, Any], matrix_png: bytes | None, headline_png: bytes | None) -> list[Block]:
    """Returns the blocks on all scores; none where a run has only the likelihood.

    Arguments:
        metrics: `{"model", "models": {model: {"results": {score: {set: {"auroc", "auroc_interval", "aupr", "fpr95"}}},
            "groups": {size: {set: {...}}}, "missing": {score: reason}}}, "definitions": {score: {"label", "paper", "tails",
            "uses_labels"}}, "headline", "notes": {set: note}, "failed": {set: reason}, "fit_images", "reference_images"}`.
        matrix_png: AUROC of every score on every set.
        headline_png: densities of the headline score.
    """
    if "models" not in metrics:
        return []
    results = metrics["models"][metrics["model"]]["results"]
    headline = metrics["headline"]
    blocks: list[Block] = []
    if matrix_png is not None:
        blocks.append(
            FigureBlock(
                matrix_png,
                "A matrix of AUROC, a row a score and a column a set. "
                + listing([_in_words(name, results[name], metrics) for name in results])
                + ".",
                "AUROC of every score on every set, one image at a time; below the line, groups of images. Blue is "
                "detected, white is chance, red is taken for familiar. In bold, the score that conclusions are drawn from.",
            )
        )
    blocks.append(TextBlock(_findings(metrics, results, headline), heading="What else recognises them"))
    if headline_png is not None:
        blocks.append(
            FigureBlock(
                headline_png,
                f"Densities of the score {_label(metrics, headline)}, a row a set, each over that of FashionMNIST.",
                f"The score that is called {_label(metrics, headline)}, of the images the flow was made for (grey) and of "
                "others (blue), most familiar set first. Right: AUROC with its interval.",
            )
        )
    blocks += [_headline_table(metrics, results[headline]), _definitions(metrics, results), _caveats(metrics)]
    return blocks


def headline_summary(metrics: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns in one sentence what the headline score detects; nothing where a run has only the likelihood."""
    if "models" not in metrics:
        return ()
    headline = metrics["headline"]
    found = metrics["models"][metrics["model"]]["results"][headline]
    known = {name: entry["auroc"] for name, entry in found.items() if is_number(entry["auroc"])}
    if not known:
        return ()
    worst = min(known, key=lambda name: (known[name], name))
    solved = sum(round(value, 3) >= _SOLVED for value in known.values())
    return (
        f"One score for all sets ({_label(metrics, headline)}), fitted to training images alone, reaches an AUROC of at "
        f"least {_SOLVED} on {count(solved)} of {count(len(known))} sets; its lowest is {number(known[worst], 3)}, on "
        f"{dataset_name(worst)}.",
    )


def _findings(metrics: Mapping[str, Any], results: Mapping[str, Any], headline: str) -> tuple[str, ...]:
    raw, mended = results.get("likelihood", {}), results[headline]
    compared = metrics["models"][metrics["model"]].get("comparisons", {})
    sentences = list(headline_summary(metrics))
    for verdict, phrase in (("better", "It is better than"), ("worse", "It is worse than")):
        pairs = [
            f"{dataset_name(name)} ({number(raw[name]['auroc'], 3)} to {number(mended[name]['auroc'], 3)})"
            for name, entry in compared.get("likelihood", {}).items()
            if entry["verdict"] == verdict
        ]
        if pairs:
            sentences.append(f"{phrase} the likelihood on {listing(pairs)}.")
    unsolved = [name for name, entry in mended.items() if is_number(entry["auroc"]) and round(entry["auroc"], 3) < 0.9]
    if unsolved:
        sentences.append(f"It stays weak (below 0.9) on {listing([dataset_name(name) for name in unsolved])}.")
    oracle = _oracle(metrics, results, headline)
    if oracle:
        sentences.append(oracle)
    sentences += _ablation(results)
    groups = metrics["models"][metrics["model"]].get("groups", {})
    told = [
        f"{number(of_set['mnist']['auroc'], 3)} in groups of {size}"
        for size, of_set in groups.items()
        if is_number(of_set.get("mnist", {}).get("auroc"))
    ]
    if told:
        sentences.append(f"Typicality of groups, an easier task, is told from MNIST with an AUROC of {listing(told)}.")
    return tuple(sentences) or ("No score has a defined AUROC.",)


def _ablation(results: Mapping[str, Any]) -> list[str]:
    """Returns what the parts of the combined score reach alone, and so what the flow contributes to it."""
    if not set(_ABLATION) <= set(results):
        return []
    sets = [name for name in results["combined"] if all(is_number(results[s][name]["auroc"]) for s in _ABLATION)]
    shown = [name for name in ("mnist", "fashion_mnist_vertical_flip", "fashion_mnist_horizontal_flip") if name in sets]
    parts = [
        f"{dataset_name(name)} "
        + listing([f"{part} {number(results[score][name]['auroc'], 3)}" for score, part in _ABLATION.items()])
        for name in shown
    ]
    return [
        "The combined score is the smaller of two p-values among training images: of the joint density of bits/dim, "
        "log-prior and coded length, and of the distance to a near training image in maps of edges, given these. An "
        f"ablation shows what each part contributes: {'; '.join(parts)}."
    ] * bool(parts)


def _oracle(metrics: Mapping[str, Any], results: Mapping[str, Any], headline: str) -> str:
    """Which other score is better on a set: a choice that nobody could have made beforehand."""
    compared = metrics["models"][metrics["model"]].get("comparisons", {})
    ahead = []
    for name in results[headline]:
        better = [score for score, of_set in compared.items() if of_set.get(name, {}).get("verdict") == "worse"]
        if not better:
            continue
        best = max(better, key=lambda score: (results[score][name]["auroc"], score))
        labels = ", which uses labels" if metrics["definitions"][best]["uses_labels"] else ""
        ours, theirs = (number(results[score][name]["auroc"], 3) for score in (headline, best))
        ahead.append(f"{_label(metrics, best)}{labels}, on {dataset_name(name)} ({theirs}, not {ours})")
    if not ahead:
        return ""
    return (
        f"Who knew the OOD images could choose better for some: {listing(ahead)}. That is an oracle's choice, no result of "
        "a detector."
    )


def _rule(metrics: Mapping[str, Any]) -> str:
    """The one rule by which a score is called better than another."""
    return (
        "One score is called better than another where the difference of their AUROCs is at least "
        f"{metrics['least_difference']:g} and its interval leaves out 0. The interval is of paired differences, both scores "
        f"being of the same images, and holds for all {count(metrics['comparisons'])} comparisons of the run together "
        f"({percent(metrics.get('confidence'))}, Bonferroni). AUROCs are rounded to three digits everywhere."
    )


def _headline_table(metrics: Mapping[str, Any], found: Mapping[str, Any]) -> TableBlock:
    rows = []
    for name in sorted(found):
        entry = found[name]
        figures = [
            " ".join(filter(None, [number(entry.get(key), 3), interval(entry.get(f"{key}_interval"))]))
            for key in ("auroc", "aupr", "fpr95")
        ]
        rows.append((dataset_name(name), count(metrics["sets"][name]["images"]), *figures))
    definition = metrics["definitions"][metrics["headline"]]
    return TableBlock(
        ("Set", "N", "AUROC", "AUPR", "FPR at 95% TPR"),
        tuple(rows),
        f"The score {definition['label']}, one image at a time, against N = "
        f"{count(metrics['in_distribution']['images'])} of FashionMNIST. In brackets: "
        f"{percent(metrics.get('confidence'))} intervals from {count(metrics.get('bootstrap'))} bootstrap resamples of the "
        "images, with their originals where a set was made from FashionMNIST; they don't cover other seeds of the "
        "training. FPR: the fraction of in-distribution images that are called OOD where 95% of the OOD ones are found.",
        numeric=(1, 2, 3, 4),
    )


def _definitions(metrics: Mapping[str, Any], results: Mapping[str, Any]) -> TableBlock:
    first = metrics["models"][metrics["model"]]
    rows = []
    for name, definition in metrics["definitions"].items():
        state = first["missing"].get(name, "")
        mnist = results.get(name, {}).get("mnist", {})
        figure = " ".join(filter(None, [number(mnist.get("auroc"), 3), interval(mnist.get("auroc_interval"))]))
        rows.append(
            (
                definition["label"],
                definition["paper"],
                definition["tails"],
                "yes" if definition["uses_labels"] else "no",
                f"not made: {state}" if state else figure,
            )
        )
    return TableBlock(
        ("Score", "After", "Tails", "Labels", "AUROC on MNIST"),
        tuple(rows),
        f"The scores. Each is fitted to {count(metrics['fit_images'])} training images; neighbours are looked for among "
        f"{count(metrics['reference_images'])} others. High always means foreign.",
        numeric=(4,),
    )


def _caveats(metrics: Mapping[str, Any]) -> NoteBlock:
    paragraphs = [
        "No score has seen an image from elsewhere. But people designed them, and knew how MNIST and flips differ from "
        "clothes: sets that were looked at while a score was built are no blind test of it. Bring images of your own.",
        "Scores by neighbours compare an image with stored training images, and need no generative model; where they are "
        "ahead, that says how little the density knows of what an image depicts.",
    ]
    paragraphs += [_rule(metrics)] if metrics.get("comparisons") else []
    paragraphs += [f"{dataset_name(name)}: {note}." for name, note in sorted(metrics["notes"].items())]
    paragraphs += [f"{dataset_name(name)} was not scored: {why}" for name, why in sorted(metrics["failed"].items())]
    return NoteBlock("How far this goes", tuple(paragraphs))


def _label(metrics: Mapping[str, Any], name: str) -> str:
    return metrics["definitions"][name]["label"]


def _in_words(name: str, found: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    known = [entry["auroc"] for entry in found.values() if is_number(entry["auroc"])]
    span = f"{number(min(known), 3)} to {number(max(known), 3)}" if known else "undefined"
    return f"{_label(metrics, name)}: {span}"
