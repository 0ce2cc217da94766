import math
from typing import Any

import pytest

from fashion_dgm.findings.criteria import Agreement, Copying, Family, FloorVerdict, Lead, Weakness
from fashion_dgm.findings.fid import FIDFindings, fid

NAN = math.nan


def distances(model: str, best: float, space: str = "classifier", **values: Any) -> dict[str, Any]:
    splits = dict.fromkeys(("best_on_test", "best_on_benchmark", "last_on_test", "last_on_benchmark"), best)
    return {"model": model, "feature_space": space, "best_epoch": 2, "last_epoch": 9, **splits, **values}


def measured(model: str, state: str, **values: Any) -> dict[str, Any]:
    row = {"model": model, "state": state, "epoch": 6 if state in ("best", "last") else None, "samples": 2000}
    row |= {"feature_space": "classifier", "distance_test": 9.0, "distance_benchmark": 10.0, "distance_infinite": 9.5}
    row |= {"distance_infinite_error": 0.1, "kid": 0.5, "kid_deviation": 0.01, "kid_subset": 1000}
    row |= {"temperature": 1.0 if state == "flow" else None, "copying_probability": 0.5}
    return {**row, "precision": 0.9, "recall": 0.9, "density": 1.0, "coverage": 0.9, **values}


def scored(*rows: dict[str, Any], sets: tuple[dict[str, Any], ...] = (), floor: float = 1.0) -> dict[str, Any]:
    quality = [*sets, measured("test", "floor"), measured("train", "training", distance_benchmark=12.0)]
    sizes = {"samples": 2000, "seed": 0, "neighbours": 5, "kid": {"subsets": 100}, "extrapolation_groups": 20}
    sizes |= {"copying_images": 500, "models": "trained"}
    return {"rows": list(rows), "floor": {"classifier": floor}, "quality": quality, **sizes}


def found(*rows: dict[str, Any], **options: Any) -> FIDFindings:
    return fid(scored(*rows, **options))


@pytest.mark.parametrize(
    ("space", "gan", "wgan", "leader", "lead"),
    [
        ("inception", 40.0, 30.0, "wgan", Lead.CLEAR),
        ("inception", 20.0, 30.0, "gan", Lead.CLEAR),
        ("inception", 30.0, 31.9, "gan", Lead.NOISE),
        ("inception", 32.1, 30.0, "wgan", Lead.CLEAR),
        ("classifier", 1.0, 2.0, "gan", Lead.CLEAR),
        ("classifier", 10.5, 10.0, "wgan", Lead.NOISE),
    ],
)
def test_lead_is_clear_beyond_the_noise_of_seeds(space: str, gan: float, wgan: float, leader: str, lead: Lead) -> None:
    of = found(distances("wgan", wgan, space), distances("gan", gan, space)).space(space)
    assert of is not None and of.lead is lead
    assert of.standings[0].model == leader and of.reference == "benchmark"
    assert [model["model"] for model in of.models] == ["gan", "wgan"]


def test_models_are_ranked_only_if_all_distances_are_finite() -> None:
    (space,) = found(distances("gan", 1.0), distances("wgan", NAN)).spaces
    assert (space.lead, space.standings) == (Lead.UNKNOWN, ())
    assert found(distances("gan", 1.0)).spaces[0].lead is Lead.ALONE
    assert found().spaces[0].lead is Lead.NO_MODEL
    (space,) = found(distances("gan", 1.0, best_on_benchmark=None)).spaces
    assert space.reference == "test"


@pytest.mark.parametrize(
    ("gan", "wgan", "order"),
    [
        (20.0, 40.0, Agreement.AGREE),
        (40.0, 20.0, Agreement.DISAGREE),
        # Within the noise of seeds, a tenth.
        (20.5, 20.0, Agreement.TIED),
    ],
)
def test_feature_spaces_rank_alike_or_not(gan: float, wgan: float, order: Agreement) -> None:
    def both(space: str, *values: float, state: str = "best") -> tuple[dict[str, Any], ...]:
        named = zip(("gan", "wgan"), values, strict=True)
        return tuple(measured(n, state, feature_space=space, distance_benchmark=v, epoch=len(space)) for n, v in named)

    flow = measured("RealNVP", "flow", distance_benchmark=0.1)
    ranking = found(sets=(*both("classifier", 1.0, 2.0), *both("efficientnet", gan, wgan), flow)).ranking
    assert ranking["order"] is order
    # The flow was scored in one space only.
    assert [s["model"] for s in ranking["sets"]] == ["gan", "wgan"]
    assert ranking["sets"][1]["distances"] == {"classifier": 2.0, "efficientnet": wgan}
    if order is Agreement.DISAGREE:
        pair = ranking["disputed"]
        assert (pair["nearer"]["model"], pair["by"]) == ("gan", "classifier")
        assert (pair["farther"]["model"], pair["other"]) == ("wgan", "efficientnet")
    else:
        assert ranking["disputed"] is None
    assert found(sets=both("classifier", 1.0, 2.0)).ranking["order"] is Agreement.UNKNOWN
    few = both("efficientnet", NAN, 1.0)
    assert found(sets=(*both("classifier", 1.0, 2.0), *few)).ranking["order"] is Agreement.UNKNOWN


def test_one_set_at_two_temperatures_is_two() -> None:
    spaces = ("classifier", "efficientnet")
    sets = [measured("RealNVP", "flow", temperature=t, feature_space=s) for t in (1.0, 0.7) for s in spaces]
    assert len(found(sets=tuple(sets)).ranking["sets"]) == 2


@pytest.mark.parametrize(
    ("floor", "verdict"),
    [
        (1.0, FloorVerdict.ABOVE),
        (9.0, FloorVerdict.NEAR),
        (10.1, FloorVerdict.NEAR),  # below by less than two standard errors: as near as real images are
        (10.3, FloorVerdict.BELOW),
        (NAN, FloorVerdict.UNKNOWN),
    ],
)
def test_best_distance_is_compared_with_the_floor(floor: float, verdict: FloorVerdict) -> None:
    (space,) = found(distances("gan", 10.0), floor=floor).spaces
    assert space.floor_verdict is verdict and space.training == 12.0


def test_the_best_epoch_may_be_the_last() -> None:
    (space,) = found(distances("gan", 20.0), distances("wgan", 20.0, last_epoch=2)).spaces
    assert space.unfinished == ("wgan",)


def test_sets_are_compared_with_held_out_images_of_the_same_size() -> None:
    few = measured("few", "external", samples=300, kid=0.1, distance_benchmark=1.0)
    mine, gan = measured("mine", "external", density=0.5, coverage=0.72), measured("gan", "best")
    wgan = (measured("wgan", state, epoch=epoch, kid=0.6) for state, epoch in (("last", 8), ("best", 4)))
    (space,) = found(sets=(few, mine, measured("gan", "last"), gan, *wgan)).spaces
    assert [s["model"] for s in space.compared] == ["gan", "wgan", "mine"]
    labels = [(s["model"], s["state"], s["also_last"]) for s in space.sets]
    assert labels[:3] == [("gan", "best", True), ("wgan", "best", False), ("wgan", "last", False)]
    assert [s["state"] for s in space.sets[3:]] == ["external", "external", "training", "floor"]
    weak = space.compared[2]
    assert (weak["weakness"], weak["of_floor"]) == (Weakness.QUALITY, pytest.approx({"density": 0.5, "coverage": 0.8}))


@pytest.mark.parametrize(
    ("kids", "order"),
    [((0.5, 0.4), Agreement.DISAGREE), ((0.4, 0.5), Agreement.AGREE), ((0.4, 0.405), Agreement.TIED)],
)
def test_kernel_distance_agrees_or_not(kids: tuple[float, float], order: Agreement) -> None:
    gan, wgan = measured("gan", "best", kid=kids[0]), measured("wgan", "best", kid=kids[1], distance_benchmark=20.0)
    assert found(sets=(gan, wgan)).spaces[0].kernel["order"] is order
    assert found(sets=(gan,)).spaces[0].kernel["order"] is Agreement.UNKNOWN


@pytest.mark.parametrize(("infinite", "order"), [(19.0, Agreement.AGREE), (9.0, Agreement.DISAGREE)])
def test_order_at_infinitely_many_samples(infinite: float, order: Agreement) -> None:
    wgan = measured("wgan", "best", distance_benchmark=20.0, distance_infinite=infinite)
    (space,) = found(sets=(measured("gan", "best"), wgan)).spaces
    assert (space.limit_order, space.limit_shift) == (order, max(0.5, 20.0 - infinite))


@pytest.mark.parametrize(
    ("column", "flow", "ahead"),
    [
        # Twice the standard error of the difference is 0.28; noise between seeds is a tenth of 9.
        ("distance_infinite", 12.0, Family.GAN),
        ("distance_infinite", 7.0, Family.FLOW),
        ("distance_infinite", 10.3, Family.NEITHER),
        ("distance_infinite", None, Family.UNKNOWN),
        ("recall", 0.77, Family.GAN),
        ("recall", 0.82, Family.NEITHER),
        ("coverage", 0.98, Family.FLOW),
        ("coverage", 0.88, Family.NEITHER),
        # The standard deviation of a difference of two copying probabilities of 500 images is 0.026.
        ("copying_probability", 0.4, Family.FLOW),
        ("copying_probability", 0.56, Family.GAN),
        ("copying_probability", 0.54, Family.NEITHER),
    ],
)
def test_families_are_compared_beyond_chance(column: str, flow: float | None, ahead: Family) -> None:
    gan, realnvp = measured("gan", "best"), measured("RealNVP", "flow", **{column: flow})
    (space,) = found(sets=(gan, realnvp)).spaces
    assert space.families is not None
    verdicts = {measure["name"]: measure["ahead"] for measure in space.families["measures"]}
    others = {name: verdict for name, verdict in verdicts.items() if name != column}
    assert verdicts[column] is ahead and set(others.values()) == {Family.NEITHER}
    assert space.families["nearer"] is verdicts["distance_infinite"]


def test_the_best_of_either_family_is_chosen_by_held_out_images() -> None:
    """The official test images, on which the families are compared, have no part in it."""
    distances = {"gan": (8.0, 12.0), "wgan": (9.0, 5.0)}
    gans = [measured(name, "best", distance_test=d, distance_benchmark=b) for name, (d, b) in distances.items()]
    flows = [measured("RealNVP", "flow", temperature=t, distance_test=d) for t, d in ((1.0, 30.0), (0.7, 20.0))]
    (space,) = found(sets=(*gans, *flows)).spaces
    assert space.families is not None
    assert space.families["gan"]["model"] == "gan" and space.families["flow"]["temperature"] == 0.7
    assert found(sets=tuple(gans)).spaces[0].families is None


def test_copies_are_named() -> None:
    (space,) = found(sets=(measured("gan", "best", copying_probability=0.7),)).spaces
    assert space.compared[0]["copying"] is Copying.NEARER


def test_of_fewer_images_more_may_be_chance() -> None:
    """0.06 from a half is more than three standard deviations of 500 images, and one of 50."""
    many, few = (measured(name, "external", samples=n, copying_probability=0.56) for name, n in (("a", 500), ("b", 50)))
    copying = {s["model"]: s["copying"] for s in found(sets=(many, few)).spaces[0].sets}
    assert (copying["a"], copying["b"]) == (Copying.NEARER, Copying.EVEN)
