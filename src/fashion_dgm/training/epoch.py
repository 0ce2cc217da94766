"""How far an epoch has come."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import torch
from torch import Tensor

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.training.distributed.ranks import gathered

__all__ = ["DivergenceError", "EpochProgress", "EpochRow"]

EpochRow = dict[str, float]


class DivergenceError(FashionDGMError):
    """A metric became NaN or infinite."""


@dataclass
class EpochProgress:
    """Sums of the metrics of an epoch's steps so far; they stay on the device until someone asks.

    Arguments:
        done: steps taken.
        totals: sum of each metric.
        counts: in how many steps each metric was reported.
        first_bad: the first step with a NaN or infinite metric, counted from 1; infinite if there is none.
        random_state: of each kind of device, where the epoch was interrupted.
    """

    done: int = 0
    totals: dict[str, Tensor] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    first_bad: Tensor | None = None
    random_state: dict[str, Tensor] | None = None

    def add(self, metrics: Mapping[str, Tensor]) -> None:
        """Takes in the scalar metrics of one step."""
        for name, value in metrics.items():
            self.totals[name] = self.totals[name] + value if name in self.totals else value.clone()
            self.counts[name] = self.counts.get(name, 0) + 1
        self.done += 1
        finite = torch.stack([value.isfinite() for value in metrics.values()]).all()
        step = torch.where(finite, math.inf, float(self.done))
        self.first_bad = step if self.first_bad is None else torch.minimum(self.first_bad, step)

    def means(self) -> EpochRow:
        """Returns the mean of each metric over the steps that reported it, on this rank."""
        return {name: float(total) / self.counts[name] for name, total in self.totals.items()}

    def means_of_all(self) -> EpochRow:
        """Returns the mean of each metric over all ranks, on every rank."""
        rows = gathered(self.means())
        return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}

    def state(self) -> dict[str, Any]:
        """Returns what `restored` takes back, on the CPU."""
        state = {**vars(self), "totals": {name: total.cpu() for name, total in self.totals.items()}}
        return state if self.first_bad is None else {**state, "first_bad": self.first_bad.cpu()}

    @classmethod
    def restored(cls, state: Mapping[str, Any], device: torch.device) -> Self:
        """Takes back what `state` gave."""
        progress = cls(**state)
        progress.totals = {name: total.to(device) for name, total in progress.totals.items()}
        progress.first_bad = None if progress.first_bad is None else progress.first_bad.to(device)
        return progress

    def check_finite(self, epoch: int, steps: int) -> None:
        """Stops a run that has diverged.

        Raises:
            DivergenceError: if a metric of any step so far was NaN or infinite.
        """
        first = min(gathered(math.inf if self.first_bad is None else float(self.first_bad)))
        if math.isinf(first):
            return
        bad = [name for name, value in self.means_of_all().items() if not math.isfinite(value)]
        good = f"The last good state, of epoch {epoch - 1}, is kept" if epoch > 1 else "No epoch was completed before"
        raise DivergenceError(
            f"{', '.join(bad)} became NaN or infinite in epoch {epoch}, first at step {int(first)} of {steps}. {good}. "
            "Lower the learning rate or set precision: float32, and run the same command again."
        )
