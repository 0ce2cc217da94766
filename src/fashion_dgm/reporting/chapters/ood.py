"""The chapter on out-of-distribution detection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from fashion_dgm.reporting import sources
from fashion_dgm.reporting.chapters.ood_flows import flows_table
from fashion_dgm.reporting.chapters.ood_scores import SCORE_SOURCES, headline_summary, score_blocks
from fashion_dgm.reporting.chapters.titles import TITLES
from fashion_dgm.reporting.report import Block, BlockChapter, FigureBlock, FormulaBlock, TableBlock, TextBlock
from fashion_dgm.reporting.wording import count, dataset_name, interval, is_number, listing, number, percent

__all__ = ["detection_summary", "ood_chapter", "others_sentence", "told_apart"]

Verdict = Literal["paradox", "chance", "detected", "undefined"]

# Of more sets than these only the first has a sentence of its own.
_FEW = 3


def ood_chapter(
    metrics: Mapping[str, Any],
    histogram_png: bytes,
    matrix_png: bytes | None = None,
    headline_png: bytes | None = None,
) -> BlockChapter:
    """Tells whether the flow's likelihood recognises images of another kind, and what else does.

    Arguments:
        metrics: `{"in_distribution": {"name", "images", "bits_per_dim", "bits_per_dim_sd"}, "sets": {name: {"images",
            "bits_per_dim", "bits_per_dim_sd", "auroc", "auroc_interval", "aupr", "aupr_interval"}}, "confidence",
            "bootstrap", "score"}`, and what `score_blocks` takes.
        histogram_png: densities of bits per dimension.
        matrix_png, headline_png: as `score_blocks` takes them.
    """
    inside, sets = metrics["in_distribution"], metrics["sets"]
    names = sorted(sets)
    blocks: list[Block] = [
        FormulaBlock(
            "auroc",
            "The probability that an out-of-distribution image needs more bits b than an in-distribution one: 1 is "
            "perfect detection, 0.5 is chance, and below 0.5 the foreign images are the likelier ones.",
        ),
        FigureBlock(
            histogram_png,
            "Densities of bits per dimension, a row a set, each over that of FashionMNIST, with means of "
            + listing(
                [
                    f"{number(entry.get('bits_per_dim'))} for {dataset_name(name)}"
                    for name, entry in [(inside["name"], inside), *((name, sets[name]) for name in names)]
                ]
            )
            + ".",
            "Bits per dimension of the images the flow was made for (grey) and of others (blue), likeliest set first. "
            "Images further left are likelier. Each density has a height of its own. Right: AUROC with its interval.",
        ),
        TextBlock(
            (
                *(_set_sentence(name, sets[name], inside) for name in told_apart(sets)),
                *others_sentence(sets),
                *_conclusion(sets),
            ),
            heading="What was found",
        ),
        TableBlock(
            ("Set", "Images", "Bits/dim", "AUROC", "AUPR", "by chance"),
            (_row(inside["name"], inside, None), *(_row(name, sets[name], inside) for name in names)),
            f"Detection by raw likelihood, one image at a time. Score: {metrics.get('score', 'bits per dimension')}. "
            f"Bits/dim: mean and, after ±, standard deviation. In brackets: {percent(metrics.get('confidence'))} "
            f"intervals from {count(metrics.get('bootstrap'))} bootstrap resamples. The last column is the AUPR of a "
            "coin flip.",
            numeric=(1, 2, 3, 4, 5),
        ),
    ]
    blocks += flows_table(metrics)
    cited = [sources.NALISNICK_2019]
    if _any(sets, "paradox"):
        cited.append(sources.KIRICHENKO_2020)
    mended = score_blocks(metrics, matrix_png, headline_png)
    if mended:
        blocks += mended
        cited += SCORE_SOURCES
    return BlockChapter(
        title=TITLES["ood"],
        anchor="ood",
        intro=(
            "A model that gives every image a likelihood suggests a simple test for images of another kind: those it "
            "finds unlikely. Deep generative models are known to fail it, notably in this direction, from FashionMNIST "
            "to MNIST (Nalisnick et al., 2019).",
        ),
        blocks=tuple(blocks),
        sources=tuple(cited),
        finding=_finding(metrics),
    )


def _finding(metrics: Mapping[str, Any]) -> str:
    sets = metrics["sets"]
    told = [detection_summary(name, sets[name]) for name in told_apart(sets)] or others_sentence(sets)
    return " ".join([*told, *headline_summary(metrics)])


def detection_summary(name: str, entry: Mapping[str, Any]) -> str:
    """Returns in one sentence whether the likelihood recognises a set."""
    shown, auroc = dataset_name(name), f"AUROC {_with_interval(entry, 'auroc')}"
    match _verdict(entry):
        case "paradox":
            return f"The flow's likelihood is misled by {shown}: it finds the foreign images likelier ({auroc})."
        case "detected":
            return f"The flow's likelihood {_degree(entry['auroc'])} recognises {shown} as foreign ({auroc})."
        case "chance":
            return f"The flow's likelihood cannot tell {shown} from what it was trained on ({auroc})."
    return f"How likely the flow finds {shown} is undefined: not every likelihood is finite."


def told_apart(sets: Mapping[str, Any]) -> list[str]:
    """The sets that have a sentence each: all where they are few, else MNIST, the one that others publish."""
    if len(sets) <= _FEW:
        return sorted(sets)
    return ["mnist"] if "mnist" in sets else []


def others_sentence(sets: Mapping[str, Any]) -> tuple[str, ...]:
    """What became of the other sets, by verdict, in one sentence; none where there are no others."""
    names = [name for name in sorted(sets) if name not in told_apart(sets)]
    groups: dict[Verdict, list[str]] = {"paradox": [], "chance": [], "detected": [], "undefined": []}
    for name in names:
        groups[_verdict(sets[name])].append(f"{dataset_name(name)} ({number(sets[name].get('auroc'), 3)})")
    phrases: dict[Verdict, str] = {
        "paradox": "finds {} likelier than what it was made for",
        "chance": "cannot tell {} from it",
        "detected": "finds {} less likely",
        "undefined": "gives no defined answer for {}",
    }
    told = [phrases[verdict].format(listing(found)) for verdict, found in groups.items() if found]
    if not told:
        return ()
    return (f"Of {'the others' if len(names) < len(sets) else 'all sets'} the likelihood {'; '.join(told)} (AUROC).",)


def _row(name: str, entry: Mapping[str, Any], inside: Mapping[str, Any] | None) -> tuple[str, ...]:
    spread = entry.get("bits_per_dim_sd")
    bits = number(entry.get("bits_per_dim")) + (f" ± {number(spread)}" if spread is not None else "")
    if inside is None:
        return dataset_name(name), count(entry["images"]), bits, "", "", ""
    chance = entry["images"] / (entry["images"] + inside["images"])
    aurocs = [_with_interval(entry, key) for key in ("auroc", "aupr")]
    return dataset_name(name), count(entry["images"]), bits, *aurocs, number(chance)


def _with_interval(entry: Mapping[str, Any], key: str) -> str:
    return " ".join(filter(None, [number(entry.get(key), 3), interval(entry.get(f"{key}_interval"))]))


def _verdict(entry: Mapping[str, Any]) -> Verdict:
    """Compares AUROC with 0.5: by its interval where there is one, for a point may lie on either side by luck."""
    auroc = entry.get("auroc")
    if not is_number(auroc):
        return "undefined"
    low, high = entry.get("auroc_interval") or (auroc, auroc)
    if high < 0.5:
        return "paradox"
    return "detected" if low > 0.5 else "chance"


def _any(sets: Mapping[str, Any], verdict: Verdict) -> bool:
    return any(_verdict(entry) == verdict for entry in sets.values())


def _degree(auroc: float) -> str:
    return "almost always" if auroc >= 0.95 else "mostly" if auroc >= 0.75 else "only sometimes"


def _set_sentence(name: str, entry: Mapping[str, Any], inside: Mapping[str, Any]) -> str:
    shown, trained = dataset_name(name), dataset_name(inside["name"])
    match _verdict(entry):
        case "undefined":
            return f"{shown}: the AUROC is undefined, because not every likelihood is finite."
        case "paradox":
            finding = (
                f"in {percent(1 - entry['auroc'])} of pairs it is the foreign image that needs fewer bits. The flow finds "
                f"these images likelier than the {trained} it was made for"
            )
        case "detected":
            finding = (
                f"in {percent(entry['auroc'])} of pairs the foreign image needs more bits. The flow "
                f"{_degree(entry['auroc'])} recognises these images as foreign"
            )
        case "chance":
            finding = f"the likelihood cannot tell these images from {trained}, since 0.5 lies within the interval"
    return f"{shown}: AUROC {_with_interval(entry, 'auroc')}; {finding}.{_mean_sentence(entry, inside)}"


def _mean_sentence(entry: Mapping[str, Any], inside: Mapping[str, Any]) -> str:
    theirs, ours = entry.get("bits_per_dim"), inside.get("bits_per_dim")
    if not is_number(theirs) or not is_number(ours):
        return ""
    relation = "more" if theirs > ours else "fewer"
    return (
        f" On average they need {number(theirs)} bits/dim, {number(abs(theirs - ours))} {relation} than "
        f"{dataset_name(inside['name'])}."
    )


def _conclusion(sets: Mapping[str, Any]) -> tuple[str, ...]:
    if not _any(sets, "paradox"):
        return (
            "No set is clearly likelier than the data the flow was made for: this run does not show the paradox that "
            "others report for MNIST.",
        )
    cause = (
        "This is the paradox of Nalisnick et al. (2019): a finding, not a fault of the program. A density rewards what is "
        "easy to predict from neighbouring pixels, and large even areas are, whatever the picture shows. Flows learn such "
        "local correlations rather than what an image depicts (Kirichenko et al., 2020)."
    )
    if not _any(sets, "detected"):
        return (cause,)
    return (
        cause,
        "Reading the score the other way round would not help: what it then gained on some sets it would lose on those "
        "that it recognises now.",
    )
