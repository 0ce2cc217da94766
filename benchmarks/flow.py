"""RealNVP against `normflows`: the training step and sampling."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from benchmarks.inputs import block, training_batch
from benchmarks.reference_flow import NormflowsStep
from benchmarks.results import Row, compared, measured
from benchmarks.timing import interleave, wait_for
from fashion_dgm.flows.training import FlowStep
from fashion_dgm.training.device import resolve_precision

__all__ = ["run"]

GOAL = 2.0


def run(device: torch.device, quick: bool) -> list[Row]:
    """Times the sizes of `quick` and of `base`."""
    return [row for env in ("quick", "base") for row in _size(env, device, quick)]


def _size(env: str, device: torch.device, quick: bool) -> list[Row]:
    config = block("train_flow", env, device=str(device), ema_decay=None)
    model = config.model
    size = (
        f"{env}, {model.scales} x ({model.checkerboard_couplings} + {model.channel_couplings}) couplings, "
        f"{model.residual_blocks} x {model.hidden_channels}"
    )
    images, _ = training_batch(config.batch_size, device)
    default = resolve_precision(config.precision, device)
    precisions = {"default": default} | ({} if default == torch.float32 else {"float32": torch.float32})
    # One step of `base` takes seconds on two cores.
    count = 5 if device.type != "cpu" or env == "quick" else 1
    rounds = 1 if quick else 3

    torch.manual_seed(0)
    ours = {name: FlowStep(config, device, precision) for name, precision in precisions.items()}
    theirs = {form: NormflowsStep(config, device, form) for form in ("packed", "masked")}
    contestants = {name: _repeated(step.step, images, count) for name, step in ours.items()}
    contestants |= {form: _repeated(step.step, images, count) for form, step in theirs.items()}
    timed = interleave(contestants, rounds, synchronize=wait_for(device))
    rows = [
        compared(
            f"step, {size}, {_precision(precisions[name])}; normflows {form}",
            timed,
            name,
            form,
            items=count * len(images),
            at_least=GOAL,
        )
        for form in theirs
        for name in ours
    ]

    flow = ours["float32" if "float32" in ours else "default"].flow
    # What is drawn for the report is drawn in float32; bfloat16 is what a user's own autocast gives.
    amount = (len(images), count, device.type)
    drawers = {name: _sampler(flow.sample, *amount, precision) for name, precision in precisions.items()}
    drawers |= {form: _sampler(step.model.sample, *amount, torch.float32) for form, step in theirs.items()}
    timed = interleave(drawers, rounds, synchronize=wait_for(device))
    rows += [
        compared(
            f"samples, {size}, {_precision(precision)}; normflows {form}",
            timed,
            name,
            form,
            items=count * len(images),
            at_least=GOAL if precision == torch.float32 else None,
        )
        for form in theirs
        for name, precision in precisions.items()
    ]
    rows.append(measured(f"parameters, {size}; ours", _parameters(flow), ""))
    rows += [measured(f"parameters, {size}; normflows {form}", _parameters(theirs[form].model), "") for form in theirs]
    return rows


def _repeated(step: Callable[[torch.Tensor], Any], images: torch.Tensor, count: int) -> Callable[[], object]:
    return lambda: [step(images) for _ in range(count)]


def _sampler(
    sample: Callable[[int], Any], images: int, count: int, kind: str, precision: torch.dtype
) -> Callable[[], object]:
    @torch.no_grad()
    def draw() -> None:
        with torch.autocast(kind, torch.bfloat16, enabled=precision == torch.bfloat16):
            for _ in range(count):
                sample(images)

    return draw


def _parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def _precision(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
