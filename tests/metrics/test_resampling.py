import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.metrics.resampling import mean_estimate, paired_auroc, spearman


def test_spearman_is_scipys_ties_included() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 20, 200).astype(float)
    y = x + 10 * rng.standard_normal(200)
    found = spearman(x, y, 2000, 0.95, 0)
    assert found.value == pytest.approx(stats.spearmanr(x, y).statistic)
    # The standard error of Fisher's z of a rank correlation (Bonett and Wright, 2000).
    error = np.sqrt((1 + found.value**2 / 2) / 197)
    np.testing.assert_allclose(found.interval, np.tanh(np.arctanh(found.value) + error * np.r_[-1.96, 1.96]), atol=0.04)


def test_constant_side_has_no_correlation() -> None:
    assert np.isnan(spearman(np.ones(5), np.arange(5.0), 10, 0.9, 0).value)
    with pytest.raises(FashionDGMError, match="3 pairs"):
        spearman(np.ones(2), np.ones(2), 10, 0.9, 0)


def test_interval_of_a_mean_is_as_wide_as_its_standard_error_says() -> None:
    values = np.random.default_rng(0).standard_normal(400)
    found = mean_estimate(values, 4000, 0.95, np.random.default_rng(1))
    assert found.value == pytest.approx(values.mean())
    # Ends of intervals from 4,000 resamples scatter by 3 % of the standard error.
    expected = values.mean() + np.array([-1.96, 1.96]) * values.std() / 20
    np.testing.assert_allclose(found.interval, expected, atol=0.15 * values.std() / 20)


def test_paired_auroc_is_sklearns_and_its_interval_uses_the_pairing() -> None:
    rng = np.random.default_rng(0)
    before = rng.standard_normal(150)
    after = before + 0.3
    found = paired_auroc(before, after, 300, 0.95, 0)
    labels = np.repeat([0, 1], 150)
    assert found.value == pytest.approx(roc_auc_score(labels, np.concatenate([before, after])))
    assert found.interval[0] < found.value < found.interval[1]
    assert found.interval[1] - found.interval[0] < 0.05  # unpaired, it would be about 0.13
    assert paired_auroc(before, before, 50, 0.95, 0).value == 0.5
    with pytest.raises(FashionDGMError, match="a score each"):
        paired_auroc(before, after[:-1], 50, 0.95, 0)
