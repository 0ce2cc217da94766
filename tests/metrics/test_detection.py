import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.metrics.detection import _Curve, detection
from fashion_dgm.metrics.resampling import paired_auroc


def normal(n: int, mean: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 1, n)


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
    auroc, aupr, fpr95 = curve.areas(*weights)[0]
    truth = np.r_[np.zeros(60), np.ones(40)]
    scores = np.r_[inside[drawn_in], outside[drawn_out]]
    assert auroc == pytest.approx(roc_auc_score(truth, scores))
    assert aupr == pytest.approx(average_precision_score(truth, scores))
    fpr, tpr, _ = roc_curve(truth, scores, drop_intermediate=False)
    assert fpr95 == pytest.approx(fpr[np.argmax(tpr >= 0.95)])


def correlated(n: int, shift: float, seed: int, correlation: float = 0.9) -> tuple[np.ndarray, np.ndarray]:
    """Scores of images, and of the same images changed: standard normal, `shift` apart."""
    first, second = np.random.default_rng(seed).standard_normal((2, n))
    return first, correlation * first + np.sqrt(1 - correlation**2) * second + shift


def test_interval_of_paired_sets_covers_the_truth_as_often_as_it_says_and_is_no_wider_than_needed() -> None:
    # Scores of the same images correlate by 0.9; AUROC = Phi(0.3 / sqrt 2) = 0.5840. Of 100 trials at 90 %, below 80 hit
    # with probability 0.2 %, all 100 with 0.003 % if coverage is exact (binomial). Resampled each on its own, all hit.
    """docs/reading-the-numbers.md#auroc-and-aupr"""
    hits, widths, loose = 0, [], []
    for trial in range(100):
        sets = correlated(200, 0.3, trial)
        low, high = detection(*sets, 200, 0.9, trial, partners=np.arange(200)).auroc_interval
        hits += low <= 0.5840 <= high
        widths.append(high - low)
        low, high = detection(*sets, 200, 0.9, trial).auroc_interval
        loose.append(high - low)
    assert 80 <= hits < 100
    # In the limit the ratio is that of sd[F(y) + 1 - F(x - 0.3)] to that of independent x and y: 0.36.
    assert np.mean(widths) < 0.45 * np.mean(loose)


def test_images_are_paired_by_index_also_where_either_set_is_a_part() -> None:
    """The OOD images are some of the benchmark's, changed, in any order; of the benchmark, only the first are scored."""
    before, after = correlated(400, 0.3, 0)
    partners = np.random.default_rng(1).permutation(400)[:250]
    part = detection(before[:300], after[partners], 500, 0.9, 0, partners=partners)
    wrong = detection(before[:300], after[partners], 500, 0.9, 0, partners=np.random.default_rng(2).permutation(250))
    assert part.auroc == pytest.approx(
        roc_auc_score(np.repeat([0, 1], [300, 250]), np.r_[before[:300], after[partners]])
    )
    # The truth, from 2,000 new samples of images, of which the same parts are scored.
    drawn = [correlated(400, 0.3, seed) for seed in range(10, 2010)]
    aurocs = [
        (a[partners][:, None] > b[None, :300]).mean()  # 250 x 300
        for b, a in drawn
    ]
    # 3 standard errors of a standard deviation from 500 replicates are 10 %; the sample's own scatter adds some.
    assert part.auroc_replicates.std() == pytest.approx(np.std(aurocs), rel=0.2)
    assert wrong.auroc_replicates.std() > 1.3 * np.std(aurocs)


@pytest.mark.parametrize("partners", [np.arange(9), np.zeros(10, int)])
def test_partners_that_cannot_be_are_an_error(partners: np.ndarray) -> None:
    with pytest.raises(FashionDGMError, match="a partner of their own"):
        detection(normal(10, 0, 0), normal(10, 0, 1), 100, 0.9, 0, partners=partners)


def test_replicates_of_pairs_are_those_of_the_paired_bootstrap() -> None:
    before, after = correlated(150, 0.3, 3)
    found = detection(before, after, 2000, 0.95, 0, partners=np.arange(150))
    expected = paired_auroc(before, after, 2000, 0.95, 0)
    assert found.auroc == pytest.approx(expected.value)
    # Ends of intervals from 2,000 resamples scatter by about 5 % of the standard deviation.
    np.testing.assert_allclose(found.auroc_interval, expected.interval, atol=0.2 * np.std(found.auroc_replicates))
