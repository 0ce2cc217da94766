"""What detection of out-of-distribution images has shown: by likelihood, by other scores, under every flow."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fashion_dgm.findings import criteria
from fashion_dgm.findings.criteria import Paradox, Side, is_number
from fashion_dgm.findings.row import Row
from fashion_dgm.provenance import ORIGIN, differences, is_of_reference_models, parameters_of

__all__ = ["OODFindings", "Primary", "Table", "ood"]

_ABLATION = ("coded_length", "nearest_edges", "combined_without_flow", "combined")
_ABLATION_SETS = ("mnist", "fashion_mnist_vertical_flip", "fashion_mnist_horizontal_flip")
_FEW_SETS = 3
_COUNTERPARTS = {"mnist_flow": "flow", "mnist_mixture_flow": "mixture_flow", "mnist_ood": "ood"}


@dataclass(frozen=True)
class Primary:
    """The primary score under the first flow.

    Arguments:
        results: its detection by set.
        known: the number of sets with a defined AUROC.
        solved: on how many of these it reaches `criteria.SOLVED_AUROC`.
        worst: the set of its lowest AUROC; None where none is defined.
        weak: sets that it detects weakly.
        better, worse: on each `dataset` where it is better or worse than the likelihood, the AUROC of the likelihood
            (`before`) and its own (`after`).
        ahead: where another score is better, its own AUROC, and that of the other, with its `label` and whether it
            `uses_labels`.
        groups: AUROC of typicality on MNIST by the size of a group.
    """

    name: str
    label: str
    results: Mapping[str, Row]
    known: int
    solved: int
    worst: str | None
    weak: tuple[str, ...]
    better: tuple[Row, ...]
    worse: tuple[Row, ...]
    ahead: tuple[Row, ...]
    groups: Mapping[int, float]


@dataclass(frozen=True)
class Table:
    """AUROC of some scores under every flow.

    Arguments:
        sets: its rows, with the number of images of each.
        columns: pairs of a score's label and a flow; None where the score needs no flow.
        cells: by set, the results in the order of the columns; empty where a set was not scored.
        images: the number of in-distribution images by flow.
        bits: their bits/dim by flow.
    """

    sets: Mapping[str, int]
    columns: tuple[tuple[str, str | None], ...]
    cells: Mapping[str, tuple[Row, ...]]
    images: Mapping[str, int]
    bits: Mapping[str, float | None]

    @property
    def one_size(self) -> int | None:
        """The number of in-distribution images; None where flows differ in it."""
        sizes = set(self.images.values())
        return sizes.pop() if len(sizes) == 1 else None


@dataclass(frozen=True)
class OODFindings:
    """All of detection.

    Arguments:
        model: the first flow.
        reference_models: whether the flows are those that come with the package.
        inside: name, number and bits/dim of in-distribution images.
        sets: each with its `name` and results under the likelihood of the first flow; the `side` of its AUROC, compared
            with chance, and the verdict on its `detection`; the side of its mean `bits`/dim, compared with those of
            in-distribution images, and the absolute `difference` of these means, None where one is unknown; and the
            AUPR of a random score, `chance_aupr`.
        detailed: sets that are described one by one: all where they are few, else MNIST, which others report on.
        others: the other sets by the side of their AUROC.
        scores: every score with its `label` and `paper`, its result on `mnist`, and its lowest (`low`) and highest AUROC
            (`high`), None where it was not computed; `missing` is the reason.
        ablation: the combined score and its parts, on few sets; None where one was not computed.
        primary: None where the likelihood is the primary score.
        reverse: what flows that were `trained_on` another set give: the `table` of AUROCs; the `differences` of parameters:
            name, value there, value here; and the `mismatches`, why models and images of its results don't fit each other.
        rule: how scores are compared: `comparisons`, `least_difference`, `confidence`, `bootstrap`, `fit_images`,
            `reference_images`.
        notes, failed: remarks on sets, and why some were not scored.
    """

    model: str
    reference_models: bool
    inside: Row
    sets: tuple[Row, ...]
    detailed: tuple[Row, ...]
    others: tuple[tuple[Side, tuple[Row, ...]], ...]
    paradox: Paradox
    scores: tuple[Row, ...]
    primary: Primary | None
    flows: Table
    ablation: Table | None
    reverse: Row | None
    rule: Row
    notes: Mapping[str, str]
    failed: Mapping[str, str]


def ood(metrics: Row) -> OODFindings:
    """Concludes from `metrics["ood"]`, as `fashion_dgm.ood.summary.summarise` returns it, and `metrics["mnist_ood"]`."""
    found = metrics["ood"]
    names = _first(found["sets"], "mnist")
    sets = tuple(_set(name, found["sets"][name], found["in_distribution"]) for name in names)
    detailed = tuple(one for one in sets if len(sets) <= _FEW_SETS or one["name"] == "mnist")
    sides = {side: tuple(one for one in sets if one["side"] is side and one not in detailed) for side in Side}
    keys = ("comparisons", "least_difference", "confidence", "bootstrap", "fit_images", "reference_images")
    return OODFindings(
        model=found["model"],
        reference_models=is_of_reference_models(found),
        inside=found["in_distribution"],
        sets=sets,
        detailed=detailed,
        others=tuple((side, of_side) for side, of_side in sides.items() if of_side),
        paradox=_paradox({one["side"] for one in sets}),
        scores=tuple(_score(name, found) for name in _computed_or_missing(found)),
        primary=None if found["primary_score"] == "likelihood" else _primary(found, names),
        flows=_table(found, names, dict.fromkeys(("likelihood", found["primary_score"]))),
        ablation=_ablation(found),
        reverse=_reverse(metrics) if "mnist_ood" in metrics else None,
        rule={key: found[key] for key in keys},
        notes=found["notes"],
        failed=found["failed"],
    )


def _first(names: Iterable[str], first: str) -> list[str]:
    return sorted(names, key=lambda name: (name != first, name))


def _set(name: str, found: Row, inside: Row) -> Row:
    auroc, bounds = found.get("auroc"), found.get("auroc_interval")
    bits, ours = found["bits_per_dim"], inside["bits_per_dim"]
    known = is_number(bits) and is_number(ours)
    return {
        **found,
        "name": name,
        "side": criteria.side(auroc, bounds, criteria.CHANCE_AUROC),
        "detection": criteria.detection(auroc, bounds),
        "bits": criteria.side(bits, None, ours) if known else Side.UNKNOWN,
        "difference": abs(bits - ours) if known else None,
        "chance_aupr": found["images"] / (found["images"] + inside["images"]),
    }


def _paradox(sides: set[Side]) -> Paradox:
    if Side.BELOW not in sides:
        return Paradox.ABSENT
    return Paradox.WITH_DETECTED if Side.ABOVE in sides else Paradox.PRESENT


def _computed_or_missing(found: Row) -> list[str]:
    """The scores that were asked for; single images have no score that only groups of them have."""
    model = found["models"][found["model"]]
    return sorted({*model["results"], *model["missing"]} & found["definitions"].keys())


def _score(name: str, found: Row) -> Row:
    model = found["models"][found["model"]]
    results = model["results"].get(name, {})
    known = [entry["auroc"] for entry in results.values() if is_number(entry["auroc"])]
    aurocs = {"mnist": results.get("mnist"), "low": min(known, default=None), "high": max(known, default=None)}
    return {**found["definitions"][name], **aurocs, "missing": model["missing"].get(name, "")}


def _primary(found: Row, names: Sequence[str]) -> Primary:
    model, name = found["models"][found["model"]], found["primary_score"]
    results, compared, definitions = model["results"], model.get("comparisons", {}), found["definitions"]
    ours = results[name]
    known = {one: ours[one]["auroc"] for one in names if one in ours and is_number(ours[one]["auroc"])}

    def change(dataset: str, before: str, after: str) -> Row:
        aurocs = {"before": results[before][dataset]["auroc"], "after": results[after][dataset]["auroc"]}
        return {**definitions[after], "dataset": dataset, **aurocs}

    def sets_where(score: str, verdict: str) -> list[str]:
        return [one for one in names if compared.get(score, {}).get(one, {}).get("verdict") == verdict]

    def against_likelihood(verdict: str) -> tuple[Row, ...]:
        return tuple(change(one, "likelihood", name) for one in sets_where("likelihood", verdict))

    ahead = []
    for one in names:
        better = [score for score in compared if one in sets_where(score, "worse")]
        if better:
            best = max(better, key=lambda score: (results[score][one]["auroc"], score))
            ahead.append(change(one, name, best))
    groups = {int(size): of_set.get("mnist", {}).get("auroc") for size, of_set in model.get("groups", {}).items()}
    return Primary(
        name=name,
        label=definitions[name]["label"],
        results={one: ours[one] for one in names if one in ours},
        known=len(known),
        solved=sum(map(criteria.is_solved, known.values())),
        worst=min(known, key=lambda one: (known[one], one), default=None),
        weak=tuple(one for one, auroc in known.items() if criteria.is_weak(auroc)),
        better=against_likelihood("better"),
        worse=against_likelihood("worse"),
        ahead=tuple(ahead),
        groups={size: groups[size] for size in sorted(groups) if is_number(groups[size])},
    )


def _table(found: Row, names: Sequence[str], scores: Iterable[str]) -> Table:
    models, definitions = found["models"], found["definitions"]
    order = _first(models, found["model"])
    # What needs no flow is the same under each.
    shown = [
        (model, score)
        for score in scores
        for model in (order if definitions.get(score, {}).get("uses_flow") else order[:1])
        if score in models[model]["results"]
    ]
    return Table(
        sets={name: found["sets"][name]["images"] for name in names},
        columns=tuple(
            (definitions[score]["label"], model if definitions[score]["uses_flow"] else None) for model, score in shown
        ),
        cells={name: tuple(models[model]["results"][score].get(name, {}) for model, score in shown) for name in names},
        images={model: models[model]["in_distribution"]["images"] for model in order},
        bits={model: models[model]["in_distribution"]["bits_per_dim"] for model in order},
    )


def _ablation(found: Row) -> Table | None:
    results = found["models"][found["model"]]["results"]
    sets = [
        name
        for name in _ABLATION_SETS
        if all(is_number(results.get(score, {}).get(name, {}).get("auroc")) for score in _ABLATION)
    ]
    return _table(found, sets, _ABLATION) if sets else None


def _reverse(metrics: Row) -> Row:
    found = metrics["mnist_ood"]
    made, other = (
        parameters_of({name: metrics.get(name, {}) for name in names})
        for names in zip(*_COUNTERPARTS.items(), strict=True)
    )
    shared = {block: values for block, values in made.items() if block in other}
    names = _first(found["sets"], "fashion_mnist")
    return {
        "trained_on": found["in_distribution"]["name"],
        "table": _table(found, names, ("likelihood", "combined", "combined_without_flow")),
        "differences": tuple(differences(shared, other)),
        "mismatches": tuple(found.get(ORIGIN, {}).get("mismatches", ())),
    }
