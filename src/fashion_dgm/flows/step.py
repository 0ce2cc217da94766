"""One training step of a flow."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from fashion_dgm.config import CouplingFlowTrainingConfig, ResidualFlowTrainingConfig
from fashion_dgm.flows.families import make_flow
from fashion_dgm.flows.flow import Flow
from fashion_dgm.training.distributed.ranks import average_gradients
from fashion_dgm.training.ema import EMA
from fashion_dgm.training.optimizers import make_optimizer, set_learning_rate
from fashion_dgm.training.speed import accelerate

__all__ = ["FlowStep"]


class FlowStep:
    """One step of maximum likelihood: down the mean bits per dimension of a batch, gradients clipped by their norm.

    Arguments:
        config: model, optimizer, and the norm to which the gradient of the bits per dimension is clipped.
        device: where the flow lives.
        precision: float32, or bfloat16 for the networks in the couplings; log-determinants are float32 either way.

    The weights come from torch's default generator, seeded by the caller; so does the noise of the steps.
    """

    def __init__(
        self,
        config: CouplingFlowTrainingConfig | ResidualFlowTrainingConfig,
        device: torch.device,
        precision: torch.dtype,
    ) -> None:
        self.config, self.device, self.precision = config, device, precision
        # Drawn on the CPU, so that a seed gives the same weights on every device.
        self.flow = accelerate(make_flow(config.model), config.speed, device)
        self.optimizer = make_optimizer(config.optimizer, self.flow.parameters(), config.speed.fused_optimizer)
        self.ema = None if config.ema_decay is None else EMA(self.flow, config.ema_decay)
        self.steps = 0

    @property
    def judged(self) -> Flow:
        """The flow to evaluate and to keep: the moving average, where there is one."""
        if self.ema is None:
            return self.flow
        self.ema.average.constrain()
        return self.ema.average

    def step(self, images: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        """Learns from a batch; nothing here waits for the device.

        Arguments:
            images: uint8 in 0..255, `(B, 1, 28, 28)`, on the device.
            labels: not used.

        Returns:
            Scalars on the device: `bits_per_dim`, the mean over the batch before the step, and `gradient_norm`, before
            clipping.

        Raises:
            FashionDGMError: if images are not uint8 or have another shape.
        """
        self.flow.train()
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == torch.bfloat16):
            loss = self.flow.bits_per_dim(images).mean()
        loss.backward()
        average_gradients(self.flow.parameters())
        norm = nn.utils.clip_grad_norm_(self.flow.parameters(), self.config.max_gradient_norm)
        config = self.config
        set_learning_rate(self.optimizer, config.optimizer.learning_rate, config.schedule, self.steps)
        self.optimizer.step()
        self.flow.constrain()
        self.steps += 1
        if self.ema is not None:
            self.ema.update()
        return {"bits_per_dim": loss.detach(), "gradient_norm": norm}

    def networks(self) -> dict[str, nn.Module]:
        """Returns the flow under the name `flow`."""
        return {"flow": self.flow}

    def state_dict(self) -> dict[str, Any]:
        """Returns the state of flow, optimizer and average: references, to be saved before the next step."""
        state = {"flow": self.flow.state_dict(), "optimizer": self.optimizer.state_dict(), "steps": self.steps}
        return state if self.ema is None else {**state, "ema": self.ema.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes back what `state_dict` gave."""
        self.flow.load_state_dict(state["flow"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.steps = state["steps"]
        if self.ema is not None:
            self.ema.load_state_dict(state["ema"])
