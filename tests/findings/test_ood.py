import math
from typing import Any

import numpy as np
import pytest

from fashion_dgm.findings.criteria import Paradox, Side
from fashion_dgm.findings.ood import ood
from fashion_dgm.metrics.detection import detection
from fashion_dgm.ood.table import compare_with_primary
from fashion_dgm.provenance import ORIGIN

FLIP = "fashion_mnist_vertical_flip"


def auroc(value: float | None, spread: float = 0.01) -> dict[str, Any]:
    return {"auroc": value} if value is None else {"auroc": value, "auroc_interval": [value - spread, value + spread]}


def model(**results: dict[str, float | None]) -> dict[str, Any]:
    of_scores = {score: {name: auroc(value) for name, value in found.items()} for score, found in results.items()}
    inside = {"images": 100, "bits_per_dim": 3.0, "bits_per_dim_sd": 0.25}
    return {"in_distribution": inside, "results": of_scores, "missing": {"waic": "no other weights"}}


def metrics(models: dict[str, Any], primary_score: str = "combined", inside: str = "fashion_mnist") -> dict[str, Any]:
    raw = models["RealNVP"]["results"]["likelihood"]
    scores = dict.fromkeys(score for found in models.values() for score in (*found["results"], "waic"))
    flowless = ("coded_length", "nearest_edges", "combined_without_flow")
    return {
        "model": "RealNVP",
        "models": models,
        "primary_score": primary_score,
        "in_distribution": {"name": inside, "images": 300, "bits_per_dim": 3.0, "bits_per_dim_sd": 0.25},
        "sets": {
            name: {"images": 100, "bits_per_dim": 2.0, "bits_per_dim_sd": 0.2, **found} for name, found in raw.items()
        },
        "definitions": {
            score: {
                "label": score.upper(),
                "paper": "A paper",
                "tails": "one",
                "uses_flow": score not in flowless,
                "uses_labels": score == "nearest_features",
            }
            for score in scores
        },
        "notes": {},
        "failed": {},
        "comparisons": 4,
        "least_difference": 0.01,
        "confidence": 0.95,
        "bootstrap": 100,
        "fit_images": 500,
        "reference_images": 400,
    }


def likelihoods(**aurocs: float | None) -> dict[str, Any]:
    return {"ood": metrics({"RealNVP": model(likelihood=aurocs)}, "likelihood")}


@pytest.mark.parametrize(
    ("aurocs", "verdict"),
    [
        ({"mnist": 0.1}, Paradox.PRESENT),
        ({"mnist": 0.1, "noise": 1.0}, Paradox.WITH_DETECTED),
        ({"mnist": 0.5, "noise": 1.0}, Paradox.ABSENT),
        ({"mnist": None}, Paradox.ABSENT),
    ],
)
def test_paradox(aurocs: dict[str, Any], verdict: Paradox) -> None:
    assert ood(likelihoods(**aurocs)).paradox is verdict


def test_of_many_sets_mnist_alone_is_discussed_and_the_others_are_grouped() -> None:
    few = ood(likelihoods(mnist=0.1, black=0.0, noise=1.0))
    assert [one["name"] for one in few.detailed] == ["mnist", "black", "noise"] and few.others == ()
    many = ood(likelihoods(mnist=0.1, black=0.0, flip=0.5, digits=0.9, noise=1.0, omniglot=math.nan))
    assert [one["name"] for one in many.detailed] == ["mnist"]
    assert {side: [one["name"] for one in sets] for side, sets in many.others} == {
        Side.BELOW: ["black"],
        Side.AROUND: ["flip"],
        Side.ABOVE: ["digits", "noise"],
        Side.UNKNOWN: ["omniglot"],
    }
    assert ood(likelihoods(black=0.0, flip=0.5, digits=0.9, noise=1.0)).detailed == ()


@pytest.mark.parametrize(("bits", "side", "difference"), [(2.0, Side.BELOW, 1.0), (4.5, Side.ABOVE, 1.5)])
def test_mean_bits_point_the_right_way(bits: float, side: Side, difference: float) -> None:
    found = likelihoods(mnist=0.1)
    found["ood"]["sets"]["mnist"]["bits_per_dim"] = bits
    (one,) = ood(found).sets
    assert (one["bits"], one["difference"], one["chance_aupr"]) == (side, difference, 0.25)


@pytest.fixture
def scored() -> dict[str, Any]:
    first = model(
        likelihood={"mnist": 0.1, FLIP: 0.5},
        combined={"mnist": 0.995, FLIP: 0.8},
        nearest_features={"mnist": 0.9, FLIP: 0.95},
    )
    verdicts = {"likelihood": ("better", "worse"), "nearest_features": ("better", "worse")}
    first["comparisons"] = {
        score: {name: {"verdict": verdict} for name, verdict in zip(("mnist", FLIP), found, strict=True)}
        for score, found in verdicts.items()
    }
    first["groups"] = {size: {"mnist": auroc(0.9 + int(size) / 1000)} for size in ("10", "25", "5")}
    return {"ood": metrics({"RealNVP": first})}


def test_primary_score_is_compared_by_the_verdicts_of_paired_differences(scored: dict[str, Any]) -> None:
    found = ood(scored).primary
    assert found is not None
    assert (found.solved, found.known, found.worst, found.weak) == (1, 2, FLIP, (FLIP,))
    assert [(one["dataset"], one["before"], one["after"]) for one in found.better] == [("mnist", 0.1, 0.995)]
    assert [(one["dataset"], one["before"], one["after"]) for one in found.worse] == [(FLIP, 0.5, 0.8)]
    (ahead,) = found.ahead
    assert [ahead[key] for key in ("label", "uses_labels", "before", "after")] == ["NEAREST_FEATURES", True, 0.8, 0.95]
    assert list(found.groups) == [5, 10, 25]
    # Intervals of each AUROC on its own decide nothing, whether they overlap or not.
    for of_set in scored["ood"]["models"]["RealNVP"]["comparisons"].values():
        for entry in of_set.values():
            entry["verdict"] = "undecided"
    found = ood(scored).primary
    assert found is not None and found.better == found.worse == found.ahead == ()


def test_no_score_at_0_999_is_called_worse_than_one_at_1_000() -> None:
    """Both scores detect nearly all, one of them a little more, and separately computed intervals do not overlap."""
    rng = np.random.default_rng(0)
    inside, outside = rng.standard_normal(10_000), rng.standard_normal(10_000)
    shifts = {"combined": 4.6, "likelihood": 6.0}
    found = {
        ("RealNVP", "mnist", name): detection(inside, outside + shift, 200, 0.95, 0) for name, shift in shifts.items()
    }
    primary, other = found.values()
    assert [f"{one.auroc:.3f}" for one in (primary, other)] == ["0.999", "1.000"]
    assert primary.auroc_interval[1] < other.auroc_interval[0]
    (row,) = compare_with_primary(found, "combined", 0.95, 0.01).to_dict("records")
    assert row["high"] < 0 and row["verdict"] == "undecided"


def test_a_score_that_was_not_computed_has_its_reason_and_undefined_results_have_no_range(
    scored: dict[str, Any],
) -> None:
    scored["ood"]["models"]["RealNVP"]["results"]["combined"] = {name: auroc(None) for name in ("mnist", FLIP)}
    scored["ood"]["models"]["RealNVP"]["comparisons"] = {}
    found = ood(scored)
    by_label = {score["label"]: score for score in found.scores}
    assert by_label["WAIC"]["missing"] == "no other weights" and by_label["WAIC"]["mnist"] is None
    assert (by_label["COMBINED"]["low"], by_label["LIKELIHOOD"]["high"]) == (None, 0.5)
    assert found.primary is not None and found.primary.worst is None and found.primary.known == 0


PARTS = {"coded_length": 0.7, "nearest_edges": 0.991, "combined_without_flow": 0.995, "combined": 0.997}


def both_flows() -> dict[str, Any]:
    scores = {score: {"mnist": value, "black": 1.0} for score, value in {"likelihood": 0.1, **PARTS}.items()}
    return metrics({"MixtureFlow": model(**scores), "RealNVP": model(**scores)})


def test_realnvp_comes_first_and_in_distribution_images_are_counted_by_flow() -> None:
    found = both_flows()
    table = ood({"ood": found}).flows
    flows = ("RealNVP", "MixtureFlow")
    assert table.columns == tuple((score, flow) for score in ("LIKELIHOOD", "COMBINED") for flow in flows)
    assert [one["auroc"] for one in table.cells["mnist"]] == [0.1, 0.1, 0.997, 0.997]
    assert table.one_size == 100
    found["models"]["MixtureFlow"]["in_distribution"]["images"] = 60
    table = ood({"ood": found}).flows
    assert table.one_size is None and list(table.images.items()) == [("RealNVP", 100), ("MixtureFlow", 60)]


def test_ablation_has_each_part_once_and_the_whole_under_each_flow() -> None:
    found = ood({"ood": both_flows()}).ablation
    assert found is not None and found.sets == {"mnist": 100}
    assert [flow for _, flow in found.columns] == [None, None, None, "RealNVP", "MixtureFlow"]
    assert [one["auroc"] for one in found.cells["mnist"]] == [*PARTS.values(), 0.997]
    assert ood(likelihoods(mnist=0.1)).ablation is None


def test_reverse_direction_names_parameters_in_which_it_differs() -> None:
    forward = both_flows()
    assert ood({"ood": forward}).reverse is None
    scores = {
        score: {"fashion_mnist": 0.97, "black": 1.0} for score in ("likelihood", "combined", "combined_without_flow")
    }
    reverse = metrics({"MixtureFlow": model(**scores), "RealNVP": model(**scores)}, inside="mnist")
    found = {"ood": forward, "mnist_ood": reverse}
    for name, epochs in {"mnist_flow": 3, "flow": 100}.items():
        found[name] = {ORIGIN: {"parameters": {"train_flow": {"epochs": epochs, "batch_size": 64}}}}
    reverse[ORIGIN] = {"parameters": {"mnist_ood_sets": {"seed": 0}}, "mismatches": ["other images"]}
    made = ood(found).reverse
    assert made is not None and made["trained_on"] == "mnist" and next(iter(made["table"].sets)) == "fashion_mnist"
    assert [flow for _, flow in made["table"].columns] == ["RealNVP", "MixtureFlow", "RealNVP", "MixtureFlow", None]
    assert made["differences"] == (("train_flow.epochs", 3, 100),)
    assert made["mismatches"] == ("other images",)
