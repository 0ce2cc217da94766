import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.metrics.detection import _Curve, detection


def normal(n: int, mean: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 1, n)


def test_perfect_and_reversed_detectors() -> None:
    low, high = np.arange(50.0), np.arange(100.0, 150.0)
    assert detection(low, high, 100, 0.95, 0).auroc == 1.0
    found = detection(high, low, 100, 0.95, 0)
    assert found.auroc == 0.0
    assert found.auroc_interval == (0.0, 0.0)


def test_auroc_is_the_probability_of_a_right_order() -> None:
    inside, outside = normal(80, 0, 0), normal(60, 0.7, 1)
    expected = (outside[:, None] > inside[None, :]).mean()
    assert detection(inside, outside, 100, 0.95, 0).auroc == pytest.approx(expected)


def test_interval_covers_the_truth_as_often_as_it_says() -> None:
    # Two normals one apart: AUROC = Phi(1 / sqrt 2) = 0.7602. Of 40 trials at 90 %, fewer than 31 hit by chance with
    # probability 0.4 % if coverage is exact (binomial).
    """docs/reading-the-numbers.md#auroc-and-aupr"""
    hits = 0
    for trial in range(40):
        low, high = detection(normal(150, 0, 2 * trial), normal(150, 1, 2 * trial + 1), 60, 0.9, trial).auroc_interval
        hits += low <= 0.7602 <= high
    assert 31 <= hits < 40


def test_reproducible_by_seed() -> None:
    sets = normal(40, 0, 0), normal(40, 0.5, 1)
    assert detection(*sets, 100, 0.95, 3) == detection(*sets, 100, 0.95, 3)
    assert detection(*sets, 100, 0.95, 3) != detection(*sets, 100, 0.95, 4)


@pytest.mark.parametrize("bad", [np.array([]), np.array([1.0, np.nan]), np.array([np.inf])])
def test_unusable_scores_are_an_error(bad: np.ndarray) -> None:
    with pytest.raises(FashionDGMError, match="out-of-distribution"):
        detection(np.ones(3), bad, 100, 0.95, 0)


@pytest.mark.parametrize("ties", [False, True])
def test_areas_are_those_of_scikit_learn(ties: bool) -> None:
    inside, outside = normal(300, 0, 0), normal(200, 1, 1)
    if ties:
        inside, outside = inside.round(1), outside.round(1)
    found = detection(inside, outside, 100, 0.95, 0)
    truth = np.r_[np.zeros(300), np.ones(200)]
    scores = np.r_[inside, outside]
    assert found.auroc == pytest.approx(roc_auc_score(truth, scores))
    assert found.aupr == pytest.approx(average_precision_score(truth, scores))
    fpr, tpr, _ = roc_curve(truth, scores, drop_intermediate=False)
    assert found.fpr95 == pytest.approx(fpr[np.argmax(tpr >= 0.95)])


@pytest.mark.parametrize("ties", [False, True])
def test_replicates_are_those_of_resampled_scores(ties: bool) -> None:
    inside, outside = normal(60, 0, 0), normal(40, 1, 1)
    if ties:
        inside, outside = inside.round(), outside.round()
    curve = _Curve(inside, outside)
    rng = np.random.default_rng(0)
    drawn_in, drawn_out = rng.integers(60, size=60), rng.integers(40, size=40)
    weights = np.bincount(drawn_in, minlength=60)[None], np.bincount(drawn_out, minlength=40)[None]
    auroc, aupr, _ = curve.areas(*weights)[0]
    truth = np.r_[np.zeros(60), np.ones(40)]
    scores = np.r_[inside[drawn_in], outside[drawn_out]]
    assert auroc == pytest.approx(roc_auc_score(truth, scores))
    assert aupr == pytest.approx(average_precision_score(truth, scores))
