import math
from typing import Any

import pytest

from fashion_dgm.findings.criteria import Exactness, Side
from fashion_dgm.findings.flow import Bits, with_benchmark
from fashion_dgm.findings.literature import LITERATURE
from fashion_dgm.findings.published import published
from fashion_dgm.reporting.references import REFERENCES
from tests.findings import test_ood
from tests.findings.test_ood import FLIP


@pytest.fixture
def metrics() -> dict[str, Any]:
    values = {"MixtureFlow": (0.05, 0.9, 0.949), "RealNVP": (0.1, 0.995, 0.9)}
    scores = {name: zip(("likelihood", "combined", "dose"), found, strict=True) for name, found in values.items()}
    models = {
        name: test_ood.model(**{score: dict.fromkeys(("mnist", FLIP), value) for score, value in found})
        for name, found in scores.items()
    }
    ood = test_ood.metrics(models)
    models["MixtureFlow"]["in_distribution"]["bits_per_dim"] = 2.9
    ood["in_distribution"] |= {"images": 10_000, "bits_per_dim": 3.1, "bits_per_dim_sd": 0.3}
    flow = {"epochs": 1, "parameters": 299_000, "test_bits_per_dim": 3.2}
    flows = {"flow": flow, "mixture_flow": flow | {"parameters": 800_000}}
    return {**flows, "ood": ood}


def test_every_published_result_has_a_reference() -> None:
    assert {found.source for found in LITERATURE.likelihood + LITERATURE.detection + LITERATURE.distance} <= set(
        REFERENCES
    )
    (about,) = (found for found in LITERATURE.detection if found.score.startswith("best"))
    assert about.value("fashion_mnist_horizontal_flip") == 0.66 and about.rounding(FLIP) == pytest.approx(0.005)


@pytest.mark.parametrize(
    ("bits", "images", "side"),
    [
        (3.2, 10_000, Side.ABOVE),
        (2.7, 10_000, Side.BELOW),
        (2.95, 10_000, Side.AROUND),
        (3.0, 10_000, Side.ABOVE),
        (3.0, 100, Side.AROUND),  # few images widen the noise
        (math.nan, 10_000, Side.UNKNOWN),
    ],
)
def test_likelihood_is_compared_beyond_its_noise(metrics: dict[str, Any], bits: float, images: int, side: Side) -> None:
    metrics["ood"]["in_distribution"] |= {"bits_per_dim": bits, "images": images}
    found = published(with_benchmark(metrics))
    assert found.side is side and found.likelihoods[0].split == "benchmark"


def test_bits_are_of_the_runs_own_flows(metrics: dict[str, Any]) -> None:
    metrics["ood"]["origin"] = {"parameters": {"ood_eval": {"models": "reference"}}}
    assert with_benchmark(metrics)["flow"] == metrics["flow"]
    metrics["ood"]["origin"] = {"parameters": {"ood_eval": {"models": "trained"}}}
    assert with_benchmark(metrics)["flow"]["benchmark_bits_per_dim"] == 3.1
    own = {"architecture": "ResidualFlow", "benchmark_bits_per_dim": 3.2, "benchmark_images": 10_000}
    metrics["ood"]["models"]["ResidualFlow"] = {"in_distribution": {"bits_per_dim": 3.3, "images": 200}}
    found = with_benchmark({**metrics, "residual_flow": own})["residual_flow"]
    # Of the many images of its own evaluation, not of the few of detection.
    assert (found["benchmark_bits_per_dim"], found["benchmark_images"]) == (3.2, 10_000)


def test_flows_have_rows_of_their_own(metrics: dict[str, Any]) -> None:
    residual = {"epochs": 3, "parameters": 41_325, "benchmark_bits_per_dim": 4.0, "unbiased": True}
    residual |= {"benchmark_probe_error": 0.03, "benchmark_image_error": 0.04, "test_bits_per_dim": 4.0}
    first, mixture, last = published(with_benchmark(metrics | {"residual_flow": residual})).likelihoods
    assert first.bits["benchmark"] == Bits(3.1, pytest.approx(0.003), 10_000)
    assert (mixture.parameters, mixture.bits["benchmark"].value, mixture.exactness) == (800_000, 2.9, Exactness.EXACT)
    assert (last.bits["benchmark"].error, last.exactness) == (pytest.approx(0.05), Exactness.UNBIASED)
    # Without detection, bits/dim are of held-out images.
    assert [one.split for one in published(metrics).likelihoods] == ["test", "test"]


def test_each_score_is_compared_with_its_counterpart_under_both_flows(metrics: dict[str, Any]) -> None:
    detections = published(metrics).detections
    assert [(one["score"], one["model"]) for one in detections] == [
        (score, model) for score in ("likelihood", "combined", "dose") for model in ("RealNVP", "MixtureFlow")
    ]
    raw, _, combined, _, dose, mixture_dose = detections
    (match,) = raw["compared"]  # of plain likelihoods, nothing is published on flips
    assert match["agree"] and [one.auroc["mnist"] for one in match["published"]] == ["0.103", "0.240"]
    assert [(one["dataset"], one["published"].score, one["side"]) for one in combined["compared"]] == [
        ("mnist", "DoSE", Side.AROUND),
        (FLIP, "best of all methods compared", Side.ABOVE),
    ]
    for detection, auroc in ((dose, 0.9), (mixture_dose, 0.949)):
        (own,) = detection["compared"]
        assert (own["dataset"], own["found"]["auroc"], own["side"]) == ("mnist", auroc, Side.BELOW)
        assert own["published"].auroc["mnist"] == "1.00"


@pytest.mark.parametrize(("auroc", "agrees"), [(0.1, True), (0.7, False)])
def test_likelihood_shows_the_paradox_as_published_or_not(metrics: dict[str, Any], auroc: float, agrees: bool) -> None:
    metrics["ood"]["models"]["RealNVP"]["results"]["likelihood"]["mnist"] = {"auroc": auroc}
    assert published(metrics).detections[0]["compared"][0]["agree"] is agrees


def test_what_is_undefined_is_not_compared(metrics: dict[str, Any]) -> None:
    for score in ("likelihood", "combined", "dose"):
        metrics["ood"]["models"]["RealNVP"]["results"][score] = {"mnist": {"auroc": None}}
    assert all(one["compared"] == () for one in published(metrics).detections if one["model"] == "RealNVP")


def test_size_of_the_run(metrics: dict[str, Any]) -> None:
    found = published(metrics)
    assert (found.size_fraction, found.ood_images) == (pytest.approx(0.1), 100)
    assert found.small
    assert found.absent == ("emnist_letters", "omniglot", "fashion_mnist_horizontal_flip")
    metrics["flow"]["epochs"] = 100
    assert not published(metrics).small
    metrics["ood"]["in_distribution"]["images"] = 9_999
    assert published(metrics).small
