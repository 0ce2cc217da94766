"""What a user reads of wrong parameters."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from fashion_dgm.cli.messages import parameter_message
from fashion_dgm.config import WGANConfig

WGAN: dict[str, Any] = {
    "epochs": 1,
    "batch_size": 16,
    "seed": 0,
    "device": "cpu",
    "precision": "float32",
    "latent_dim": 10,
    "width": 4,
    "snapshot_every": 1,
    "optimizer": {"name": "rmsprop", "learning_rate": 1e-3},
    "n_critic": 5,
    "lipschitz": {"name": "clip", "bound": 0.01},
}


def message(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        WGANConfig(**{**WGAN, **changes})
    # As Kedro writes it.
    return parameter_message(f"Parameter validation failed:\n- Parameter 'train_wgan': Failed: {caught.value}")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"epochs": 0}, "train_wgan.epochs is 0: Input should be greater than 0"),
        ({"misspelt": 1}, "train_wgan.misspelt is 1: there is no such parameter"),
        ({"records": {"least_share": 0.1}}, "train_wgan.records.least_share is 0.1: renamed to least_fraction"),
        (
            {"optimizer": {"name": "rmsprop", "learning_rate": 1e-3, "betas": [0.5, 0.9]}},
            "train_wgan.optimizer.betas is [0.5, 0.9]: rmsprop has no such parameter; null takes away what another "
            "configuration gave",
        ),
        (
            {"lipschitz": {"name": "spectral_norm", "bound": 0.01}},
            "train_wgan.lipschitz.bound is 0.01: spectral_norm has no such parameter; null takes away what another "
            "configuration gave",
        ),
        ({"lipschitz": {"name": "clip", "bound": -1}}, "train_wgan.lipschitz.bound is -1: Input should be greater"),
        (
            {"lipschitz": {"name": "gradient_penalty", "weight": 0}},
            "train_wgan.lipschitz.weight is 0: Input should be greater",
        ),
        (
            {"lipschitz": {"name": "gradient_penalty", "weight": 10}},
            "train_wgan: a gradient penalty needs the critic's gradient at one image",
        ),
    ],
)
def test_each_wrong_parameter_has_a_line_under_its_full_name(changes: dict[str, Any], line: str) -> None:
    assert f"\n  {line}" in message(**changes)


def test_parameters_named_after_two_wrong_blocks() -> None:
    both = {"epochs": 0, "lipschitz": {"name": "spectral_norm", "bound": 0.01}}
    assert len(message(**both).splitlines()) == 3
