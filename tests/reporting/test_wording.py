import math

import pytest

from fashion_dgm.reporting import wording


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1234.5678, 2, "1,234.57"),
        (-0.5, 1, "\u22120.5"),
        (-0.001, 2, "0.00"),
        (None, 2, "n/a"),
        (math.nan, 2, "n/a"),
        (math.inf, 2, "n/a"),
    ],
)
def test_number(value: float | None, digits: int, text: str) -> None:
    assert wording.number(value, digits) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0540123, "0.0540"),
        (-2.5612, "\u22122.56"),
        (123456.0, "123,456"),
        (0.9996, "1.00"),
        (2.4e-5, "2.40\u00a0\u00d7\u00a010⁻⁵"),
        (-1.5e7, "\u22121.50\u00a0\u00d7\u00a010⁷"),
        (math.nan, "n/a"),
        (None, "n/a"),
    ],
)
def test_significant(value: float | None, text: str) -> None:
    assert wording.significant(value) == text


@pytest.mark.parametrize(
    ("words", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_listing(words: list[str], text: str) -> None:
    assert wording.listing(words) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mnist", "MNIST"),
        ("fashion_mnist", "FashionMNIST"),
        ("fashion_mnist_upside_down", "FashionMNIST, upside down"),
        ("my_folder", "my folder"),
    ],
)
def test_dataset_name(name: str, text: str) -> None:
    assert wording.dataset_name(name) == text


def test_a_sign_is_never_that_of_zero() -> None:
    assert [wording.signed(value) for value in (0.001, -0.001, 0.126, -0.126)] == [
        "0.00",
        "0.00",
        "+0.13",
        "\N{MINUS SIGN}0.13",
    ]


def test_counts_percentages_intervals_and_plurals() -> None:
    assert wording.count(60_000) == "60,000"
    assert wording.count(None) == "n/a"
    assert wording.percent(0.123, 1) == "12.3%"
    assert wording.percent(None) == "n/a"
    assert wording.interval((0.1, 0.2)) == "[0.100, 0.200]"
    assert wording.interval(None) == ""
    assert wording.plural(1, "epoch") == "1\u00a0epoch"
    assert wording.plural(2, "epoch") == "2\u00a0epochs"
