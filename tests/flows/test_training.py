import logging
from pathlib import Path
from typing import Any

import pytest
import torch

from fashion_dgm.config import NamedFlowConfig, RealNVPConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows import RealNVP
from fashion_dgm.flows.families import code_of, flow_types, make_flow, typed_config
from fashion_dgm.flows.training import FittedFlow, fit_flow
from fashion_dgm.training.store import StateStore
from tests.conftest import made_up_images
from tests.small import COUPLINGS, flow_config

MODEL = {**COUPLINGS, "scales": 1, "checkerboard_couplings": 1, "channel_couplings": 0, "hidden_channels": 2}


def fit(folder: Path, epochs: int, kept_epochs: int) -> FittedFlow:
    config = flow_config(epochs=epochs, model=MODEL, evaluation_images=4)
    data, test = made_up_images(32, seed=0), made_up_images(8, seed=1)
    return fit_flow(data, test, config, StateStore(folder), lambda row, seconds: None, kept_epochs)


@pytest.mark.parametrize(("before", "after"), [(4, 5), (3, 5), (2, 3), (1, 4)])
def test_an_extended_run_keeps_as_many_epochs_as_an_uninterrupted_one(before, after, tmp_path) -> None:
    """The last epoch of a run is one before the last of its extension: the ensemble of WAIC must not lose it."""
    fit(tmp_path / "extended", before, kept_epochs=2)
    extended, whole = fit(tmp_path / "extended", after, 2), fit(tmp_path / "whole", after, 2)
    assert set(extended.earlier) == set(whole.earlier) == {after - 2, after - 1}
    for epoch, checkpoint in whole.earlier.items():
        for name, weights in checkpoint.weights.items():
            assert torch.equal(extended.earlier[epoch].weights[name], weights)


def test_too_few_epochs_to_keep_are_announced(tmp_path, caplog) -> None:
    with caplog.at_level(logging.WARNING):
        assert set(fit(tmp_path, 2, kept_epochs=3).earlier) == {1}
    assert "kept_epochs is 3, but of 2 epochs only 1 come before the last" in caplog.text


@pytest.mark.parametrize(("epochs", "kept_epochs"), [(2, 0), (1, 0), (1, 3)])
def test_no_epoch_before_the_last_is_no_error(epochs, kept_epochs, tmp_path) -> None:
    assert fit(tmp_path, epochs, kept_epochs).earlier == {}


def test_a_flow_is_found_by_name_with_the_parameters_of_its_class() -> None:
    named = NamedFlowConfig(name="RealNVP", **MODEL)
    flow = make_flow(named)
    assert type(flow) is RealNVP and flow.config == RealNVPConfig(**MODEL)
    assert code_of(named) == "fashion_dgm.flows.coupling_flow:RealNVP"
    assert {"RealNVP", "MixtureFlow", "ResidualFlow"} <= set(flow_types())


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"name": "RealNVPP"}, "there is no flow RealNVPP; there are: .*RealNVP"), ({"components": 3}, "components")],
)
def test_what_is_no_flow_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(FashionDGMError, match=words):
        typed_config(NamedFlowConfig.model_validate({"name": "RealNVP", **MODEL, **changes}))
