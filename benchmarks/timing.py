"""Contestants timed in turns, so that whatever slows the machine for a while slows all of them."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

__all__ = ["Comparison", "Contestant", "interleave", "wait_for"]

Contestant = Callable[[], object]


@dataclass(frozen=True)
class Comparison:
    """Seconds of each contestant, one value a round; values of one index were taken right after one another."""

    seconds: Mapping[str, tuple[float, ...]]

    def median(self, name: str) -> float:
        """Returns the median seconds of a contestant."""
        return statistics.median(self.seconds[name])

    def speedup(self, name: str, reference: str) -> tuple[float, float, float]:
        """Returns how many times faster `name` was: the ratio of medians, and the least and greatest within a round."""
        rounds = [slow / fast for fast, slow in zip(self.seconds[name], self.seconds[reference], strict=True)]
        return self.median(reference) / self.median(name), min(rounds), max(rounds)


def interleave(
    contestants: Mapping[str, Contestant],
    rounds: int,
    *,
    warmup: int = 1,
    synchronize: Callable[[], None] = lambda: None,
    clock: Callable[[], float] = time.perf_counter,
) -> Comparison:
    """Times contestants in turns, A B A B, in one process.

    Arguments:
        contestants: functions by name, called in this order in every round.
        rounds: how many times each is timed.
        warmup: how many rounds go before that are not timed.
        synchronize: waits for work that a contestant has only queued.
        clock: gives seconds.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(warmup + rounds):
        for name, run in contestants.items():
            # One contestant's garbage is not to be collected on another's time.
            gc.collect()
            synchronize()
            started = clock()
            run()
            synchronize()
            if turn >= warmup:
                seconds[name].append(clock() - started)
    return Comparison({name: tuple(values) for name, values in seconds.items()})


def wait_for(device: torch.device) -> Callable[[], None]:
    """Returns a function that waits until `device` has done all that was queued."""
    if device.type == "cuda":
        return lambda: torch.cuda.synchronize(device)
    return torch.mps.synchronize if device.type == "mps" else lambda: None
