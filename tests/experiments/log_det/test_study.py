"""The study's measurements, and what is concluded from them."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError

from fashion_dgm.config import LogDetStudyConfig
from fashion_dgm.experiments.log_det import draws, summary
from fashion_dgm.experiments.log_det.blocks import random_block
from fashion_dgm.experiments.log_det.study import random_blocks, study
from fashion_dgm.flows import Geometric, Roulette, Truncation, log_det_series

CONFIG = LogDetStudyConfig(
    kinds=("dense", "convolutional", "contracting"),
    dimensions=(4, 9),
    lipschitz=(0.5, 0.8),
    focus=0.8,
    draws=2_000,
    terms=200,
    truncations=(1, 4),
    exact_terms=(0, 2),
    geometric=(0.2,),
    poisson=(2.0,),
    probes=(1, 4, 16),
    budgets=(10, 100),
    confidence=0.999,
    trained_images=1,
    trained_draws=200,
    trained_terms=20,
    seed=0,
    device="cpu",
)


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return study(random_blocks(CONFIG), CONFIG, CONFIG.draws, CONFIG.terms, lambda block: block.lipschitz == 0.8)


def test_estimates_are_those_of_the_code_that_trains_flows():
    block, roulette = random_block("dense", 9, 0.8, seed=0), Roulette(1, Geometric(0.4))
    lengths = draws.draw_lengths(roulette, 20, torch.Generator().manual_seed(1))
    terms = draws.draw_terms(block, 20, "rademacher", int(lengths.max()), torch.Generator().manual_seed(2))
    found = draws.estimates(roulette, terms, lengths)
    probes = draws.draw_probes(block.x, 20, "rademacher", torch.Generator().manual_seed(2))
    for i, length in enumerate(lengths):
        weights = [1 / roulette.at_least(k) for k in range(1, length + 1)]
        _, expected = log_det_series(block.g, block.x, probes[i : i + 1], weights)
        assert found[i] == pytest.approx(float(expected))
    assert (draws.draw_lengths(Truncation(3), 5, torch.Generator()) == 3).all()
    without_terms = draws.estimates(Roulette(0, Geometric(0.5)), np.ones((2, 3)), np.array([0, 1, 2]))
    assert without_terms.tolist() == [0, 1, 3]


def test_intervals_cover_as_often_as_they_say():
    """Of 2,000 intervals at 90%; false alarm: 1 in 10,000 (3.9 standard deviations of the binomial)."""
    samples = np.random.default_rng(0).normal(2.0, 3.0, size=(2_000, 500))
    for measure, truth in ((draws.mean_of, 2.0), (draws.variance_of, 9.0)):
        found = [measure(one, 0.9) for one in samples]
        covered = sum(one.low <= truth <= one.high for one in found)
        # Intervals of variances from 500 draws fall short by up to a percent.
        assert 1_800 - 3.9 * math.sqrt(180) - 20 < covered < 1_800 + 3.9 * math.sqrt(180)


def test_what_is_measured_agrees_with_theory(tables):
    """All comparisons of a kind are tested at once; false alarm: 1 in 1,000 for each (Bonferroni)."""
    found = summary.summarise(
        tables["blocks"], tables["truncation"], tables["estimators"], 0.999, set(tables["probes"]["block"])
    )
    assert found["variance"]["agrees"]
    assert found["variance"]["comparisons"] == 2 * 12
    assert found["unbiased"]["finite"]["agrees"]
    assert found["unbiased"]["truncation"]["agrees"]
    assert found["unbiased"]["truncation"]["biased"] > 3
    assert found["unbiased"]["infinite"]["comparisons"] >= 24
    assert found["trained"] is None
    assert [block["kind"] for block in found["focus"]] == ["dense"] * 2 + ["convolutional"] * 2 + ["contracting"] * 2
    # A wrong estimator would be found out.
    estimators = tables["estimators"].copy()
    estimators.loc[estimators["family"] == "geometric", "bias"] += 0.5
    found = summary.summarise(tables["blocks"], tables["truncation"], estimators, 0.999, set())
    assert not found["unbiased"]["finite"]["agrees"]


def test_measured_errors_follow_theory_at_every_budget(tables):
    """False alarm: below 1 in 1,000 (each interval at 99.99997%, 5.1 standard errors, and infinite variances apart)."""
    rows = tables["budgets"][np.isfinite(tables["budgets"]["error_theory"]) & tables["budgets"]["error"].notna()]
    assert len(rows) > 20
    error = (rows["high"] - rows["low"]) / 2 / draws.quantile(0.999)
    assert ((rows["error"] - rows["error_theory"]).abs() < 5.1 * error).all()
    several = tables["probes"].groupby(["block", "probe"])["theory"]
    assert (several.max() / several.min()).round(9).eq(16).all()


def test_the_longest_truncation_of_a_trained_flow_has_its_error_and_bound():
    config = CONFIG.model_copy(update={"truncations": (1, 80), "trained_terms": 90})
    block = replace(random_block("dense", 4, 0.5, seed=0), name="layer 1, image 0", kind="trained")
    tables = study([block], config, config.trained_draws, config.trained_terms, lambda _: True)
    found = summary.summarise(tables["blocks"], tables["truncation"], tables["estimators"], 0.95, {block.name})
    rows = {row["estimator"]: row for row in found["trained"]["estimators"]}
    assert abs(rows["80 terms"]["bias"]) < abs(rows["1 term"]["bias"])
    assert rows["80 terms"]["bound"] < 1e-12 < rows["1 term"]["bound"]


def test_break_even_is_where_both_err_alike():
    cost, roulette, truncation, bias = 4.0, 9.0, 2.0, 0.3
    budget = summary.break_even(cost, roulette, truncation, bias)
    assert budget is not None
    assert bias**2 + truncation * cost / budget == pytest.approx(roulette * cost / budget)
    assert summary.break_even(cost, 1.0, 2.0, 0.3) == 0
    assert summary.break_even(cost, math.inf, 2.0, 0.3) is None
    assert summary.break_even(cost, 9.0, 2.0, 0.0) is None


def test_terms_needed_look_past_an_error_that_crosses_zero():
    errors = pd.DataFrame({"terms": [1, 2, 3, 4], "error": [0.5, 0.001, -0.02, 0.004]})
    assert summary.terms_needed(errors, 0.01) == 4
    assert summary.terms_needed(errors, 1.0) == 1
    assert summary.terms_needed(errors, 0.001) is None
    n = summary.terms_by_bound(64, 0.5, 0.01)
    assert summary.truncation_bound(64, 0.5, n) < 0.01 <= summary.truncation_bound(64, 0.5, n - 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"focus": 0.7}, "focus must be one of"),
        ({"dimensions": (10,)}, "squares"),
        ({"truncations": (30,)}, "no truncation"),
    ],
)
def test_impossible_studies_are_refused(change, message):
    with pytest.raises(ValidationError, match=message):
        LogDetStudyConfig(**{**CONFIG.model_dump(), **change})
