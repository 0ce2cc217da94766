"""What a user reads of wrong parameters."""

from typing import Any

import pytest
from kedro.pipeline import Node, Pipeline

from fashion_dgm.cli.messages import parameter_message
from fashion_dgm.config import WGANConfig
from tests.small import ADVERSARIAL, CLIP, PENALTY, RMSPROP, SPECTRAL

WGAN: dict[str, Any] = {**ADVERSARIAL, "optimizer": RMSPROP, "n_critic": 5, "lipschitz": CLIP}


def train(config: WGANConfig) -> None: ...


def message(value: Any) -> str | None:
    pipeline = Pipeline([Node(train, "params:train_wgan", None, name="train")])
    return parameter_message({"train_wgan": value}, {"train_wgan": pipeline})


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"epochs": 0}, ".epochs is 0: Input should be greater than 0"),
        ({"misspelt": 1}, ".misspelt is 1: there is no such parameter"),
        ({"epoch": 2}, ".epoch is 2: there is no such parameter; did you mean epochs?"),
        ({"records": {"least_share": 0.1}}, ".records.least_share is 0.1: renamed to least_fraction"),
        ({"speed": {"compile": "fast"}}, ".speed.compile is 'fast': Input should be 'none',"),
        ({"optimizer": {"name": "adamx"}}, ".optimizer: Input tag 'adamx' found"),
        ({"optimizer": {"name": "adamw"}}, ".optimizer.learning_rate is missing"),
        (
            {"optimizer": {"name": "adamw", "learning_rate": 0}},
            ".optimizer.learning_rate is 0: Input should be greater",
        ),
        ({"optimizer": RMSPROP | {"betas": [0, 1]}}, ".optimizer.betas is [0, 1]: rmsprop has no such parameter; null"),
        ({"lipschitz": SPECTRAL | {"bound": 1}}, ".lipschitz.bound is 1: spectral_norm has no such parameter; null"),
        ({"lipschitz": {"name": "clip", "bounds": 0.1}}, ".lipschitz.bound is missing"),
        (
            {"lipschitz": CLIP | {"bounds": 2}},
            ".lipschitz.bounds is 2: there is no such parameter; did you mean bound?",
        ),
        ({"lipschitz": PENALTY}, ": a gradient penalty needs the critic's gradient at one image"),
    ],
)
def test_each_wrong_parameter_has_a_line_under_its_full_name(changes: dict[str, Any], line: str) -> None:
    assert f"\n  train_wgan{line}" in str(message(WGAN | changes))


def test_all_wrong_parameters_are_listed_and_right_ones_are_not() -> None:
    both = {"epochs": 0, "lipschitz": SPECTRAL | {"bound": 1}}
    assert len(str(message(WGAN | both)).splitlines()) == 3
    assert message(WGAN) is None
    assert "train_wgan is 3: Input should be a valid dictionary" in str(message(3))
