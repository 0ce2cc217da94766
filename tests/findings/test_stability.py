from itertools import product
from typing import Any

import numpy as np
import pytest

from fashion_dgm.experiments.stability.grid import MODELS
from fashion_dgm.experiments.stability.measures import COMPARED, RunRecord, Score
from fashion_dgm.experiments.stability.summary import rows_of, summarise
from fashion_dgm.findings.criteria import Less, Stability
from fashion_dgm.findings.row import Row
from fashion_dgm.findings.stability import StabilityFindings, stability
from tests.experiments.stability.test_runs import configured

REFERENCE = {"samples": 60, "floor": 3.0, "training": 1.0, "untrained": 170.0}
FRAIL_GAN = {"gan": 3.0, "gan_spectral": 1.1, "wgan": 1.1, "wgan_penalty": 1.1}


def records(factors: dict[str, float], seeds: int = 4, diverging: str = "") -> list[RunRecord]:
    """Made-up runs whose distance under variations is so many times that of the assigned settings, but for noise."""
    rng = np.random.default_rng(0)
    made = []
    for seed, variation, model in product(range(5, 5 + seeds), ("as_assigned", "variation_1", "variation_2"), MODELS):
        diverges = model == diverging and variation == "variation_2"
        epochs = range(1, 3 if diverges else 9)
        factor = 1.0 if variation == "as_assigned" else factors[model]
        distances = [100 * factor * 0.7**epoch * np.exp(0.02 * rng.normal()) for epoch in epochs]
        history = [
            {"epoch": e, "loss_discriminator": 1 + 0.1 * rng.random(), "gradient_norm_generator": 1 + rng.random()}
            for e in epochs
        ]
        scores = [Score(e, float(d), (0.1,) * 10) for e, d in zip(epochs, distances, strict=True)]
        status = "diverged" if diverges else "finished"
        made.append(RunRecord(model, variation, seed, status, "", 8, {}, history, scores))  # type: ignore[arg-type]
    return made


def metrics(factors: dict[str, float], **options: Any) -> dict[str, Any]:
    config = configured(seeds=options.get("seeds", 4), epochs=8)
    rows = rows_of(records(factors, **options), config, REFERENCE["untrained"])
    return {**summarise(rows, config), **REFERENCE, "config": config.model_dump(mode="json")}


def pair(found: StabilityFindings, first: str, second: str) -> Row:
    return next(p for p in found.pairs if (p["first"], p["second"]) == (first, second))


def test_the_model_that_degrades_less_is_the_more_stable() -> None:
    found = stability(metrics(FRAIL_GAN))
    frail = pair(found, "gan", "wgan")
    assert (frail["verdict"], frail["degradation"]["verdict"]) == (Stability.SECOND, Less.SECOND)
    low, high = frail["degradation"]["interval"]
    assert 2 < low < frail["degradation"]["difference"] < high < 4
    assert pair(found, "gan_spectral", "wgan")["verdict"] is Stability.UNDECIDED
    others = stability(metrics({**dict.fromkeys(MODELS, 3.0), "gan": 1.1}))
    assert [p["second"] for p in others.of(Stability.FIRST)] == ["gan_spectral", "wgan", "wgan_penalty"]


@pytest.mark.parametrize(
    ("factors", "options"),
    [
        (dict.fromkeys(MODELS, 1.5), {}),  # equal
        ({**dict.fromkeys(MODELS, 0.5), "gan": 0.01}, {}),  # settings that improve are no instability
        (FRAIL_GAN, {"seeds": 1}),
    ],
)
def test_not_decided(factors: dict[str, float], options: dict[str, Any]) -> None:
    found = stability(metrics(factors, **options))
    assert len(found.of(Stability.UNDECIDED)) == 6
    if options:
        assert pair(found, "gan", "wgan")["degradation"]["interval"] is None


def test_a_model_that_has_little_to_lose_is_not_called_stable() -> None:
    """The WGAN degrades less, and its images are farther all the same."""
    config = configured(seeds=4)
    rows = rows_of(records(FRAIL_GAN), config, 170.0)
    rows["log_distance"] += 3.0 * (rows["model"] == "wgan")
    found = stability({**summarise(rows, config), **REFERENCE, "config": config.model_dump(mode="json")})
    assert pair(found, "gan", "wgan")["degradation"]["verdict"] is Less.SECOND
    assert pair(found, "gan", "wgan")["verdict"] is Stability.MIXED


def test_nothing_is_called_stable_before_it_has_learned() -> None:
    short = metrics(FRAIL_GAN)
    short["progress"]["wgan"] = 0.04
    found = stability(short)
    assert {p["short"] for p in found.of(Stability.TOO_SHORT)} == {("wgan",)}
    assert len(found.of(Stability.TOO_SHORT)) == 3
    assert pair(found, "gan", "gan_spectral")["verdict"] is Stability.SECOND


def test_runs_that_diverged_count_with_the_distance_of_an_untrained_generator() -> None:
    diverged = metrics(dict.fromkeys(MODELS, 1.1), diverging="gan")
    found = stability(diverged)
    assert pair(found, "gan", "wgan")["degradation"]["verdict"] is Less.SECOND
    assert found.runs == 4 * 4 * 3 and diverged["failures"]["gan"]["varied"]["diverged"] == 4
    expected = np.log(170 / (100 * 0.7**8)) / 2
    assert diverged["cells"]["gan"]["varied"]["degradation"]["mean"] == pytest.approx(expected, abs=0.1)


def test_every_measure_is_compared() -> None:
    found = stability(metrics(FRAIL_GAN))
    assert len(found.comparisons) == 6 * len(COMPARED)
    broken = metrics(FRAIL_GAN)
    broken["verdicts"]["failed"]["gan-wgan"] |= {"difference": None, "interval": None}
    assert Less.UNKNOWN in {c["verdict"] for c in stability(broken).comparisons}
