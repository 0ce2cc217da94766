"""Networks of the theory's tests start from the same weights each time."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Seeds torch's global generator, from which new layers draw their weights."""
    torch.manual_seed(0)
