"""One test a property, over the steps of every family."""

import copy
import io
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from fashion_dgm.config import ResidualFlowTrainingConfig
from tests.small import STEPS, make_step, run_steps

FAMILIES = pytest.mark.parametrize("config", STEPS.values(), ids=STEPS)
PRECISIONS = pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])


@FAMILIES
@PRECISIONS
def test_a_saved_step_goes_on_bit_for_bit(config: Any, precision: torch.dtype) -> None:
    step = make_step(config, precision)
    run_steps(step, range(3))
    file = io.BytesIO()
    torch.save(step.state_dict(), file)
    expected = run_steps(step, range(3, 9))
    file.seek(0)
    resumed = make_step(config, precision, seed=99)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    torch.testing.assert_close(run_steps(resumed, range(3, 9)), expected, rtol=0, atol=0)
    for name, network in step.networks().items():
        torch.testing.assert_close(resumed.networks()[name].state_dict(), network.state_dict(), rtol=0, atol=0)


@FAMILIES
def test_metrics_are_detached_finite_float32_scalars(config: Any) -> None:
    for metrics in run_steps(make_step(config, torch.bfloat16), range(4)):
        for name, value in metrics.items():
            assert value.shape == () and value.dtype == torch.float32, name
            assert not value.requires_grad and value.isfinite(), name


@FAMILIES
def test_bfloat16_is_near_float32_and_weights_stay_in_it(config: Any) -> None:
    (exact,), (rounded,) = (
        run_steps(step := make_step(config, precision), range(1)) for precision in (torch.float32, torch.bfloat16)
    )
    for name in {"bits_per_dim", "cross_entropy", "loss_discriminator", "score_real", "score_fake"} & exact.keys():
        torch.testing.assert_close(rounded[name], exact[name], rtol=0.05, atol=0.02)
    # A Residual Flow computes in float32 whatever is asked for.
    assert all(torch.equal(rounded[name], exact[name]) for name in exact) == isinstance(
        config, ResidualFlowTrainingConfig
    )
    assert {p.dtype for network in step.networks().values() for p in network.parameters()} == {torch.float32}


class NoReads(TorchDispatchMode):
    """Fails where a value of a tensor is read by Python, which on an accelerator waits for all work before it."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert func is not torch.ops.aten._local_scalar_dense.default, "a step reads a tensor"
        return func(*args, **(kwargs or {}))


# A residual flow reads how many terms its roulette has, of a number that is drawn on the CPU.
@pytest.mark.parametrize("family", [name for name in STEPS if name != "residual_flow"])
@PRECISIONS
def test_no_step_waits_for_the_device(family: str, precision: torch.dtype) -> None:
    step = make_step(STEPS[family], precision)
    run_steps(step, range(3))
    state = copy.deepcopy(step.state_dict())
    with NoReads():
        run_steps(step, range(3))
    step.load_state_dict(state)
    with NoReads():
        run_steps(step, range(1))
    with pytest.raises(AssertionError, match="reads a tensor"), NoReads():
        bool(torch.tensor(True))
