"""Verdicts on both sides of every threshold."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fashion_dgm.findings import criteria

NAN = math.nan
VERDICTS: dict[Callable[..., Any], dict[Any, list[tuple[Any, ...]]]] = {
    criteria.side: {
        "ABOVE": [(0.95, (0.94, 0.96), 0.89, 0.005)],
        "AROUND": [(0.999, (0.998, 1.0), 1.0, 0.005), (0.9951, None, 1.0, 0.005)],  # the reference is rounded
        "BELOW": [(0.98, (0.97, 0.99), 1.0, 0.005)],
        "UNKNOWN": [(0.9, (0.8, NAN), 0.5), (None, None, 1.0)],
    },
    criteria.balance: {
        "CERTAIN": [(0.95, 0.05)],
        "CLEAR": [(0.75, 0.25)],
        "MODERATE": [(0.6, 0.4)],
        "EVEN": [(0.5, 0.5)],
        "DECEIVED": [(0.4, 0.6)],
        "UNKNOWN": [(NAN, 0.5), (0.5, None)],
    },
    criteria.constraint: {
        "MOSTLY_CLIPPED": [(0.51, None)],
        "PARTLY_CLIPPED": [(0.5, None)],
        "HARDLY_CLIPPED": [(0.1, None)],
        "PENALTY_MET": [(None, 1.1)],
        "PENALTY_NOT_MET": [(None, 1.3)],
        "UNKNOWN": [(None, None)],
    },
    criteria.generator_gradient: {
        "SOUND": [(1.0,), (None,)],
        "VANISHED": [(0.0001,)],
        "NOT_FINITE": [(NAN,)],
    },
    criteria.variety: {
        "COLLAPSED": [(5, 0.6)],
        "INCOMPLETE": [(1, 0.94)],
        "UNEVEN": [(0, 0.94)],
        "EVEN": [(0, 0.95)],
        "UNKNOWN": [(NAN, 0.9)],
    },
    criteria.copying: {
        "NEARER": [(0.7, 100)],
        "FARTHER": [(0.3, 100)],
        "UNKNOWN": [(0.5, None)],
    },
    criteria.overfitting: {
        "NONE": [(0.8, 0.79, 0.01, 1.0)],
        "REVERSED": [(0.7, 0.8, 0.01, 1.0)],
        "SLIGHT": [(0.8, 0.76, 0.01, 1.0)],
        "CLEAR": [(0.9, 0.7, 0.01, 1.0)],
        "UNKNOWN": [(NAN, 0.7, 0.01, 1.0)],
    },
    criteria.flow_overfitting: {
        "CLEAR": [(3.0, 3.3)],
        "SLIGHT": [(3.0, 3.05)],
        "NONE": [(3.0, 3.01), (3.01, 3.0)],
        "REVERSED": [(3.1, 3.0)],
        "UNKNOWN": [(NAN, 3.0)],
    },
    criteria.inverse: {
        "ACCURATE": [(1e-05,)],
        "APPROXIMATE": [(0.1,)],
        "UNKNOWN": [(math.inf,), (None,)],
    },
    criteria.weakness: {
        "QUALITY": [(0.5, 0.8)],
        "VARIETY": [(0.8, 0.5)],
        "BOTH": [(0.5, 0.51)],
        "CONCENTRATED": [(1.4, 0.5)],
        "NOT_CLEAR": [(1.0, 0.5), (0.5, 1.0)],
        "UNKNOWN": [(None, 0.5)],
    },
    criteria.change: {
        "FALLS": [(-0.5, 0.1)],
        "GROWS": [(0.5, None)],
        "NOT_CLEAR": [(0.29, 0.0), (-0.5, 0.3)],
        "UNKNOWN": [(NAN, 0.1), (None, None)],
    },
    criteria.detection: {
        "MISLED": [(0.1, (0.09, 0.11)), (0.49, None)],
        "CHANCE": [(0.49, (0.47, 0.51))],
        "SOMETIMES": [(0.6, (0.58, 0.62))],
        "MOSTLY": [(0.75, (0.73, 0.77))],
        "ALMOST_ALWAYS": [(0.95, (0.94, 0.96))],
        "UNKNOWN": [(NAN, None), (None, None)],
    },
    # By the digits that are printed.
    criteria.is_solved: {
        True: [(0.9896,)],
        False: [(0.9894,)],
    },
    criteria.is_weak: {
        True: [(0.8994,)],
        False: [(0.8996,)],
    },
    criteria.complexity: {
        "SUFFICIENT": [((0.9, None),)],
        "INSUFFICIENT": [((0.2, 1.3),)],
        "UNKNOWN": [((None, NAN),)],
    },
    criteria.polynomial: {
        "WRONG_SIGN": [(-11.0, 1.6, 0.1)],
        "CORRECT": [(-0.9, -0.7, 0.1)],
        "WRONG_SIZE": [(11.0, 1.0, 0.1)],
        "NO_GAP": [(11.0, 0.1, 0.1)],
        "UNKNOWN": [(NAN, 0.1, 0.1)],
    },
}
"""By criterion and verdict, the values that lead to it."""

CASES = [(conclude, values, verdict) for conclude, of in VERDICTS.items() for verdict in of for values in of[verdict]]


@pytest.mark.parametrize(
    ("conclude", "values", "verdict"), CASES, ids=lambda value: getattr(value, "__name__", str(value))
)
def test_verdict(conclude: Callable[..., Any], values: tuple[Any, ...], verdict: Any) -> None:
    found = conclude(*values)
    assert getattr(found, "name", found) == verdict


@pytest.mark.parametrize(("value", "is_one"), [(1, True), (0.5, True), (NAN, False), (None, False), (True, False)])
def test_is_number(value: object, is_one: bool) -> None:
    assert criteria.is_number(value) is is_one


def test_copying_rarely_finds_a_difference_where_there_is_none() -> None:
    rng, images = np.random.default_rng(0), 100
    pairs = (rng.normal(size=(2, images)) for _ in range(500))
    found = [criteria.copying(float((a[:, None] < b).mean()), images) for a, b in pairs]
    assert found.count(criteria.Copying.EVEN) / len(found) > 0.99


def test_accuracy_error_is_that_of_binomial_counts() -> None:
    rng, images = np.random.default_rng(0), 400
    differences = (rng.binomial(images, 0.8, 20_000) - rng.binomial(images, 0.6, 20_000)) / images
    assert criteria.accuracy_error(0.8, 0.6, images) == pytest.approx(differences.std(), rel=0.03)
