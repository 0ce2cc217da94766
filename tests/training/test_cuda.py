"""What only a GPU can show; `python -m pytest -m cuda tests/training` needs neither Kedro nor MLflow."""

import io
import math
import os
import signal
from pathlib import Path
from typing import Any

# cuBLAS reads it when it starts, and adds in a fixed order.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import pytest
import torch
from torch import Tensor

from fashion_dgm.config import DistributedConfig
from fashion_dgm.training.distributed.job_directory import JobDirectory
from fashion_dgm.training.distributed.launch import attend
from fashion_dgm.training.epoch import EpochProgress
from fashion_dgm.training.interruption import Interrupted
from tests.small import CPU, STEPS, batch, make_step, run_steps
from tests.training import crew, victims
from tests.training.helpers import NoisyStep, config, run, same, step_with

CUDA = torch.device("cuda")
LOSSES = {"gan": "loss_discriminator", "wgan": "loss_discriminator", "realnvp": "bits_per_dim"}

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU"),
]
families = pytest.mark.parametrize("family", victims.FAMILIES)


@pytest.fixture(autouse=True)
def fixed_order():
    """Kernels that add in a fixed order, where there are any."""
    torch.use_deterministic_algorithms(True, warn_only=True)
    yield
    torch.use_deterministic_algorithms(False)


def losses(step: Any, count: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for metrics in run_steps(step, range(count), step.device):
        found |= {name: float(value) for name, value in metrics.items()}
    return found


@families
def test_run_that_goes_on_ends_bit_for_bit_where_an_uninterrupted_one_does(family: str, tmp_path: Path) -> None:
    victims.run(family, tmp_path / "resumed", device="cuda", epochs=2)
    resumed = victims.run(family, tmp_path / "resumed", device="cuda", epochs=3)
    whole = victims.run(family, tmp_path / "whole", device="cuda", epochs=3)
    torch.testing.assert_close(resumed, whole, rtol=0, atol=0)


def test_run_interrupted_in_an_epoch_takes_the_devices_random_state_back(tmp_path: Path) -> None:
    def stop(step: NoisyStep, images: Tensor) -> None:
        if step.steps == 8:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted, match="after step 3 of 5 in epoch 2"):
        run(tmp_path / "stopped", make=step_with(stop), device="cuda")
    resumed = run(tmp_path / "stopped", device="cuda")
    assert same(resumed, run(tmp_path / "whole", device="cuda"))


@pytest.mark.parametrize(("origin", "target"), [(CUDA, CPU), (CPU, CUDA)])
@families
def test_state_moves_between_devices(family: str, origin: torch.device, target: torch.device) -> None:
    first, second = (make_step(STEPS[family], device=device) for device in (origin, target))
    losses(first, 4)
    stream = io.BytesIO()
    torch.save(first.state_dict(), stream)
    stream.seek(0)
    second.load_state_dict(torch.load(stream, map_location="cpu", weights_only=True))
    for name, network in first.networks().items():
        moved = second.networks()[name].state_dict()
        torch.testing.assert_close(moved, network.state_dict(), check_device=False, rtol=0, atol=0)
        assert all(tensor.device.type == target.type for tensor in moved.values())
    assert all(map(math.isfinite, losses(second, 4).values()))


@pytest.mark.parametrize("family", ["gan", "realnvp"])
def test_float32_is_the_same_on_both_devices(family: str) -> None:
    cpu, gpu = (make_step(STEPS[family], device=device) for device in (CPU, CUDA))
    images, latents = batch()[0], torch.randn(16, 8)

    @torch.no_grad()
    def output(step: Any) -> Tensor:
        if family == "gan":
            return step.generator(latents.to(step.device))
        return step.flow.bits_per_dim(images.to(step.device), torch.Generator().manual_seed(0))

    one, other = output(cpu), output(gpu)
    torch.testing.assert_close(other.cpu(), one, rtol=1e-4, atol=1e-4)


@families
def test_bfloat16_computes_nearly_the_same_and_keeps_weights_in_float32(family: str) -> None:
    exact, rounded = (make_step(STEPS[family], precision, CUDA) for precision in (torch.float32, torch.bfloat16))
    expected, found = losses(exact, 1), losses(rounded, 1)
    for name in ("bits_per_dim", "cross_entropy", "loss_discriminator"):
        if name in expected:
            assert found[name] == pytest.approx(expected[name], rel=0.05, abs=0.02)
    tensors = [*rounded.networks().values()]
    assert {p.dtype for network in tensors for p in network.parameters()} == {torch.float32}
    assert {p.grad.dtype for network in tensors for p in network.parameters() if p.grad is not None} == {torch.float32}


@families
def test_a_step_never_waits_for_the_device(family: str) -> None:
    step, images, progress = make_step(STEPS[family], device=CUDA), batch(device=CUDA), EpochProgress()
    # Some things are set up by the first steps.
    for _ in range(6):
        progress.add(step.step(*images))
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(6):
            progress.add(step.step(*images))
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("family", LOSSES)
def test_cuda_graphs_train_as_eager_kernels_do(family: str, tmp_path: Path) -> None:
    eager = victims.run(family, tmp_path / "eager", device="cuda", epochs=2)
    speed = {"compile": "reduce-overhead"}
    graphs = victims.run(family, tmp_path / "graphs", device="cuda", epochs=2, speed=speed)
    name = LOSSES[family]
    assert [row[name] for row in graphs["history"]] == pytest.approx([row[name] for row in eager["history"]], rel=0.05)


def test_one_process_exchanges_tensors_through_nccl(tmp_path: Path) -> None:
    directory = JobDirectory(tmp_path)
    directory.put_job(crew.reduce, {"config": config(device="cuda")})
    attend(directory, DistributedConfig(), hosts=True)
    assert directory.result() == {"device": "cuda", "backend": "nccl", "sum": [1.0, 1.0]}
