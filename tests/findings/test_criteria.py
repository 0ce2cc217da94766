"""Verdicts on both sides of every threshold."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fashion_dgm.findings import criteria
from fashion_dgm.findings.criteria import (
    Balance,
    Change,
    Complexity,
    Constraint,
    Copying,
    Detection,
    Gradient,
    Inverse,
    Overfitting,
    Polynomial,
    Side,
    Variety,
    Weakness,
)

NAN = math.nan
VERDICTS: dict[Callable[..., Any], dict[tuple[Any, ...], Any]] = {
    criteria.side: {
        (0.95, (0.94, 0.96), 0.89, 0.005): Side.ABOVE,
        (0.999, (0.998, 1.0), 1.0, 0.005): Side.AROUND,
        (0.98, (0.97, 0.99), 1.0, 0.005): Side.BELOW,
        (0.9951, None, 1.0, 0.005): Side.AROUND,  # the reference is rounded
        (0.9, (0.8, NAN), 0.5): Side.UNKNOWN,
        (None, None, 1.0): Side.UNKNOWN,
    },
    criteria.balance: {
        (0.95, 0.05): Balance.CERTAIN,
        (0.75, 0.25): Balance.CLEAR,
        (0.6, 0.4): Balance.MODERATE,
        (0.5, 0.5): Balance.EVEN,
        (0.4, 0.6): Balance.DECEIVED,
        (NAN, 0.5): Balance.UNKNOWN,
        (0.5, None): Balance.UNKNOWN,
    },
    criteria.constraint: {
        (0.51, None): Constraint.MOSTLY_CLIPPED,
        (0.5, None): Constraint.PARTLY_CLIPPED,
        (0.1, None): Constraint.HARDLY_CLIPPED,
        (None, 1.1): Constraint.PENALTY_MET,
        (None, 1.3): Constraint.PENALTY_NOT_MET,
        (None, None): Constraint.UNKNOWN,
    },
    criteria.generator_gradient: {
        (1.0,): Gradient.SOUND,
        (1e-4,): Gradient.VANISHED,
        (NAN,): Gradient.NOT_FINITE,
        (None,): Gradient.SOUND,
    },
    criteria.variety: {
        (5, 0.6): Variety.COLLAPSED,
        (1, 0.94): Variety.INCOMPLETE,
        (0, 0.94): Variety.UNEVEN,
        (0, 0.95): Variety.EVEN,
        (NAN, 0.9): Variety.UNKNOWN,
    },
    criteria.copying: {
        (0.7, 100): Copying.NEARER,
        (0.3, 100): Copying.FARTHER,
        (0.5, None): Copying.UNKNOWN,
    },
    criteria.overfitting: {
        (0.80, 0.79, 0.01, 1.0): Overfitting.NONE,
        (0.70, 0.80, 0.01, 1.0): Overfitting.REVERSED,
        (0.80, 0.76, 0.01, 1.0): Overfitting.SLIGHT,
        (0.90, 0.70, 0.01, 1.0): Overfitting.CLEAR,
        (NAN, 0.70, 0.01, 1.0): Overfitting.UNKNOWN,
    },
    criteria.flow_overfitting: {
        (3.00, 3.30): Overfitting.CLEAR,
        (3.00, 3.05): Overfitting.SLIGHT,
        (3.00, 3.01): Overfitting.NONE,
        (3.01, 3.00): Overfitting.NONE,
        (3.10, 3.00): Overfitting.REVERSED,
        (NAN, 3.00): Overfitting.UNKNOWN,
    },
    criteria.inverse: {
        (1e-5,): Inverse.ACCURATE,
        (0.1,): Inverse.APPROXIMATE,
        (math.inf,): Inverse.UNKNOWN,
        (None,): Inverse.UNKNOWN,
    },
    criteria.weakness: {
        (0.5, 0.8): Weakness.QUALITY,
        (0.8, 0.5): Weakness.VARIETY,
        (0.5, 0.51): Weakness.BOTH,
        (1.4, 0.5): Weakness.CONCENTRATED,
        (1.0, 0.5): Weakness.NOT_CLEAR,
        (0.5, 1.0): Weakness.NOT_CLEAR,
        (None, 0.5): Weakness.UNKNOWN,
    },
    criteria.change: {
        (-0.5, 0.1): Change.FALLS,
        (0.5, None): Change.GROWS,
        (0.29, 0.0): Change.NOT_CLEAR,
        (-0.5, 0.3): Change.NOT_CLEAR,
        (NAN, 0.1): Change.UNKNOWN,
        (None, None): Change.UNKNOWN,
    },
    criteria.detection: {
        (0.10, (0.09, 0.11)): Detection.MISLED,
        (0.49, (0.47, 0.51)): Detection.CHANCE,
        (0.49, None): Detection.MISLED,
        (0.60, (0.58, 0.62)): Detection.SOMETIMES,
        (0.75, (0.73, 0.77)): Detection.MOSTLY,
        (0.95, (0.94, 0.96)): Detection.ALMOST_ALWAYS,
        (NAN, None): Detection.UNKNOWN,
        (None, None): Detection.UNKNOWN,
    },
    # By the digits that are printed.
    criteria.is_solved: {(0.9896,): True, (0.9894,): False},
    criteria.is_weak: {(0.8994,): True, (0.8996,): False},
    criteria.complexity: {
        ((0.9, None),): Complexity.SUFFICIENT,
        ((0.2, 1.3),): Complexity.INSUFFICIENT,
        ((None, NAN),): Complexity.UNKNOWN,
    },
    criteria.polynomial: {
        (-11.0, 1.6, 0.1): Polynomial.WRONG_SIGN,
        (-0.9, -0.7, 0.1): Polynomial.CORRECT,
        (11.0, 1.0, 0.1): Polynomial.WRONG_SIZE,
        (11.0, 0.1, 0.1): Polynomial.NO_GAP,
        (NAN, 0.1, 0.1): Polynomial.UNKNOWN,
    },
}
CASES = [(conclude, values) for conclude, verdicts in VERDICTS.items() for values in verdicts]


@pytest.mark.parametrize(("conclude", "values"), CASES, ids=lambda value: getattr(value, "__name__", str(value)))
def test_verdict(conclude: Callable[..., Any], values: tuple[Any, ...]) -> None:
    assert conclude(*values) is VERDICTS[conclude][values]


@pytest.mark.parametrize(("value", "is_one"), [(1, True), (0.5, True), (NAN, False), (None, False), (True, False)])
def test_is_number(value: object, is_one: bool) -> None:
    assert criteria.is_number(value) is is_one


def test_copying_rarely_finds_a_difference_where_there_is_none() -> None:
    rng, images = np.random.default_rng(0), 100
    pairs = (rng.normal(size=(2, images)) for _ in range(500))
    found = [criteria.copying(float((a[:, None] < b).mean()), images) for a, b in pairs]
    assert found.count(Copying.EVEN) / len(found) > 0.99


def test_accuracy_error_is_that_of_binomial_counts() -> None:
    rng, images = np.random.default_rng(0), 400
    differences = (rng.binomial(images, 0.8, 20_000) - rng.binomial(images, 0.6, 20_000)) / images
    assert criteria.accuracy_error(0.8, 0.6, images) == pytest.approx(differences.std(), rel=0.03)
