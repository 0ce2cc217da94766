import numpy as np
import pandas as pd
import pytest

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.metrics.detection import detection
from fashion_dgm.ood import detection_table
from fashion_dgm.ood.table import compare_with_primary, group_typicality
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


def score_table(**bits: np.ndarray) -> pd.DataFrame:
    """Likelihoods of sets by name."""
    parts = [
        pd.DataFrame({"dataset": name, "index": range(len(each)), "bits_per_dim": each, "likelihood": each})
        for name, each in bits.items()
    ]
    return pd.concat(parts).assign(model="RealNVP")


def table_of(scores: pd.DataFrame, partners: dict[str, np.ndarray] | None = None, **changes: object) -> pd.DataFrame:
    return detection_table(scores, "fashion_mnist", {"RealNVP": 0.0}, config(**changes), partners)[0]


def test_a_table_has_a_row_for_each_score_and_group_and_one_broken_set_leaves_the_others_alone() -> None:
    rng = np.random.default_rng(0)
    sets = {"fashion_mnist": rng.normal(0, 1, 53), "mnist": rng.normal(1, 1, 53)}
    alone = table_of(score_table(**sets), group_sizes=[2, 5])
    assert list(alone["group_size"]) == [1, 2, 5]
    assert list(alone["in_distribution_n"]) == list(alone["out_of_distribution_n"]) == [53, 26, 10]
    assert list(alone["tails"]) == ["one", "two", "two"]
    assert set(alone["fitted_on"]) == {"train"}
    assert ((alone["auroc_low"] <= alone["auroc"]) & (alone["auroc"] <= alone["auroc_high"])).all()
    both = table_of(score_table(**sets, broken=np.full(53, np.nan)), group_sizes=[2, 5])
    assert both[both["dataset"] == "broken"]["auroc"].isna().all()
    mnist = both[both["dataset"] == "mnist"].reset_index(drop=True)
    pd.testing.assert_frame_equal(mnist, alone, check_dtype=False)


def test_a_table_pairs_sets_that_were_made_from_in_distribution_images() -> None:
    rng = np.random.default_rng(0)
    before, made_from = rng.standard_normal(300), rng.permutation(400)[:200]
    originals = np.r_[before, rng.standard_normal(100)]
    after = 0.9 * originals[made_from] + np.sqrt(0.19) * rng.standard_normal(200) + 0.3
    scores = score_table(fashion_mnist=before, flip=after)
    paired, loose = (table_of(scores, made, bootstrap=400) for made in ({"flip": made_from}, None))
    both = int((made_from < 300).sum())
    assert list(paired["paired_n"]) == [both, both // 5] and list(loose["paired_n"]) == [0, 0]
    assert paired["auroc"][0] == pytest.approx(loose["auroc"][0])
    widths = [table["auroc_high"] - table["auroc_low"] for table in (paired, loose)]
    assert widths[0][0] < 0.8 * widths[1][0]


def test_groups_are_disjoint_and_their_typicality_is_that_of_the_mean() -> None:
    bits = np.arange(11.0)
    assert len(group_typicality(bits, 5.0, 2, 0)) == 5
    np.testing.assert_allclose(group_typicality(bits, 3.0, 11, 0), [2.0])
    # Each of 10 images is in just one group: the means add up to those of 10 different images.
    sums = 2 * group_typicality(bits[:10], 0.0, 2, 4)
    assert sums.sum() == bits[:10].sum()
    with pytest.raises(FashionDGMError, match="no group"):
        group_typicality(bits, 0.0, 12, 0)
