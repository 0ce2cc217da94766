import math
from typing import Any

import numpy as np
import pytest
from scipy import stats
from tests.experiments.stability.test_runs import configured

from fashion_dgm.experiments.stability.grid import AS_ASSIGNED, MODELS
from fashion_dgm.experiments.stability.measures import RunRecord, Score
from fashion_dgm.experiments.stability.summary import PAIRS, compare, rows_of, summarise

UNTRAINED = 170.0


def run(variation: str, seed: int, distance: float | None, model: str = "gan") -> RunRecord:
    """A run with one score, or one that diverged at once."""
    scores = [] if distance is None else [Score(1, distance, (0.1,) * 10)]
    return RunRecord(model, variation, seed, "finished" if scores else "diverged", "", 5, {}, [], scores)


def test_only_getting_worse_is_a_degradation_and_a_diverged_run_counts_as_untrained() -> None:
    runs = [run(AS_ASSIGNED, 0, 10), run("fast", 0, 20), run("bare", 0, 5), run("wild", 0, None), run("fast", 1, 7)]
    rows = rows_of([*runs, run(AS_ASSIGNED, 1, 100, "wgan")], configured(), UNTRAINED)
    expected = [math.nan, math.log(2), 0, math.log(17), math.nan, math.nan]
    assert list(rows["degradation"]) == pytest.approx(expected, nan_ok=True)


def test_summary_names_every_pair_and_averages_over_variations_first() -> None:
    rng, config = np.random.default_rng(0), configured(seeds=4)
    runs = [
        run(variation, seed, 100 * math.exp(rng.normal()), model)
        for seed in range(4)
        for variation in (AS_ASSIGNED, "variation_1", "variation_2")
        for model in MODELS
    ]
    rows = rows_of([*runs, run("variation_3", 0, None)], config, UNTRAINED)
    found = summarise(rows, config)
    for verdicts in found["verdicts"].values():
        assert list(verdicts) == [f"{first}-{second}" for first, second in PAIRS]
    varied = rows[rows["variation"] != AS_ASSIGNED]
    logs = [
        [varied.loc[(varied["model"] == model) & (varied["seed"] == seed), "log_distance"].mean() for seed in range(4)]
        for model in ("gan", "wgan")
    ]
    expected = stats.ttest_rel(*logs).confidence_interval(1 - (1 - config.confidence) / 6)
    assert found["verdicts"]["log_distance"]["gan-wgan"]["interval"] == pytest.approx([expected.low, expected.high])
    cell = found["cells"]["gan"]["varied"]["log_distance"]
    assert cell == {"mean": pytest.approx(np.mean(logs[0])), "sd": pytest.approx(np.std(logs[0], ddof=1)), "runs": 4}
    # No run has enough epochs for an oscillation.
    assert found["cells"]["gan"]["varied"]["distance_oscillation"] == {"mean": None, "sd": None, "runs": 0}
    assert found["failures"]["gan"]["varied"] == {"runs": 9, "diverged": 1, "collapsed": 0}


def test_a_clear_lead_is_decided_either_way_by_the_paired_t_test() -> None:
    rng = np.random.default_rng(0)
    base = 10 * rng.normal(size=4)  # what models have in common is removed
    calm, wild = ({seed: base[seed] + mean + 0.1 * rng.normal() for seed in range(4)} for mean in (1.0, 2.0))
    found, turned = compare(calm, wild, 0.9), compare(wild, calm, 0.9)
    assert (found["outcome"], turned["outcome"]) == ("first", "second")
    expected = stats.ttest_rel([*calm.values()], [*wild.values()]).confidence_interval(0.9)
    assert found["interval"] == pytest.approx([expected.low, expected.high])
    assert found["difference"] == pytest.approx(-turned["difference"]) == pytest.approx(np.mean(expected))
    assert (found["pairs"], found["left_out"]) == (4, 0)


def test_interval_covers_about_as_often_as_it_says() -> None:
    # Of 1,000 intervals of level 0.95, 950 +- 7 hold the truth. Treating runs of one seed as independent, as the rule
    # before did, leaves out 19 % at a seed effect as large as the noise.
    """docs/stability.md#comparison-of-models"""
    covered = 0
    for trial in range(1000):
        rng = np.random.default_rng(trial)
        # Weights and order of images are shared by the runs of a seed; models respond to them each in its own way.
        runs = rng.normal(size=(2, 8, 1)) + rng.normal(size=(2, 8, 3))  # models x seeds x variations
        first, second = (dict(enumerate(means)) for means in runs.mean(2))
        low, high = compare(first, second, 0.95)["interval"]
        covered += low <= 0 <= high
    assert abs(covered - 950) < 35


@pytest.mark.parametrize(
    ("first", "second", "difference", "pairs", "left_out"),
    [
        # Seeds that agree to the digit decide nothing.
        (dict.fromkeys(range(8), 1.0), dict.fromkeys(range(8), 1.0), 0, 8, 0),
        (dict.fromkeys(range(8), 1.0), dict.fromkeys(range(8), 0.0), 1, 8, 0),
        # One seed has a difference and no verdict.
        ({0: 1.0}, {0: 5.0}, -4, 1, 0),
        ({0: math.nan}, {0: 5.0}, None, 0, 1),
        # A value that is missing leaves its seed out.
        ({0: 1.0, 1: math.nan, 2: 2.0, 7: 5.0}, {0: 3.0, 1: 1.0, 2: 4.0}, -2, 2, 1),
    ],
)
def test_what_cannot_be_decided(first: Any, second: Any, difference: float, pairs: int, left_out: int) -> None:
    found = compare(first, second, 0.95)
    assert (found["difference"], found["pairs"], found["left_out"]) == (difference, pairs, left_out)
    assert (found["outcome"], found["interval"]) == ("undecided", None)
