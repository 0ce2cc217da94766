"""Runs side by side, through Ray."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from tests.experiments.stability.test_runs import planned, study

from fashion_dgm.experiments.stability.parallel import spread
from fashion_dgm.experiments.stability.runs import Study, conduct

__all__ = ["study"]


@pytest.fixture
def one_thread() -> Iterator[None]:
    """As many as Ray gives each of its runs: with more, sums are taken in another order and differ in their last digits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_side_by_side_is_as_one_after_another(study: Study, tmp_path: Path) -> None:
    made = planned(seeds=1)[:2]
    whole = conduct(replace(study, folder=tmp_path / "whole"), made)
    seen: list[int] = []
    found = conduct(study, made, partial(spread, at_a_time=2, gpus=0.0), lambda number, record: seen.append(number))
    assert found == whole
    assert seen == [1, 2]
