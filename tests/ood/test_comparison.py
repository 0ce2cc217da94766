from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fashion_dgm.metrics.detection import detection
from fashion_dgm.ood import detection_table
from fashion_dgm.ood.comparison import compare_with_primary
from tests.ood.helpers import config

SCORES = [f"score_{number}" for number in range(8)]


def of_scores(seed: int, gain: float, n: int = 150) -> pd.DataFrame:
    """The primary score and eight others of the same images, which correlate by 0.9, and detect less by `gain`."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((2, n, 1))
    values = np.sqrt(0.9) * common + np.sqrt(0.1) * rng.standard_normal((2, n, 1 + len(SCORES)))
    values[1] += 1
    values[1, :, 0] += gain
    found = {
        ("flow", "set", name): detection(*values[..., column], 100, 0.9, seed)
        for column, name in enumerate(["primary", *SCORES])
    }
    return compare_with_primary(found, "primary", 0.9, 0.001)


def test_a_verdict_on_equal_scores_is_as_rare_as_all_intervals_together_say() -> None:
    # At 90 % for eight comparisons together, at most 10 % of tables hold a verdict; 13 or more of 60 have a probability of
    # 0.8 % then (binomial). Without correction 25 or more are expected (a table each errs with about 40 %).
    wrong = sum((of_scores(seed, 0.0)["verdict"] != "undecided").any() for seed in range(60))
    assert wrong < 13


def test_paired_differences_decide_where_single_intervals_overlap() -> None:
    """A gain of 0.25 is 0.06 in AUROC, less than the intervals of 150 images a side are wide."""
    rows = [of_scores(seed, 0.25) for seed in range(10)]
    assert np.mean([(table["verdict"] == "better").mean() for table in rows]) > 0.8


def test_a_table_pairs_sets_that_were_made_from_in_distribution_images() -> None:
    rng = np.random.default_rng(0)
    before, made_from = rng.standard_normal(300), rng.permutation(400)[:200]
    originals = np.r_[before, rng.standard_normal(100)]
    after = 0.9 * originals[made_from] + np.sqrt(0.19) * rng.standard_normal(200) + 0.3
    scores = pd.concat(
        [
            pd.DataFrame({"dataset": name, "index": range(len(bits)), "bits_per_dim": bits, "likelihood": bits})
            for name, bits in (("fashion_mnist", before), ("flip", after))
        ]
    ).assign(model="RealNVP")
    chosen = config(group_sizes=[5], bootstrap=400)
    paired, _ = detection_table(scores, "fashion_mnist", {"RealNVP": 0.0}, chosen, {"flip": made_from})
    loose, _ = detection_table(scores, "fashion_mnist", {"RealNVP": 0.0}, chosen)
    both = int((made_from < 300).sum())
    assert list(paired["paired_n"]) == [both, both // 5] and list(loose["paired_n"]) == [0, 0]
    assert paired["auroc"][0] == pytest.approx(loose["auroc"][0])
    widths = [table["auroc_high"] - table["auroc_low"] for table in (paired, loose)]
    assert widths[0][0] < 0.8 * widths[1][0]
