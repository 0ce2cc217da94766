from __future__ import annotations

import pytest

from fashion_dgm.config import LogDetStudyConfig


@pytest.fixture(scope="session")
def config() -> LogDetStudyConfig:
    return LogDetStudyConfig(
        kinds=("dense", "convolutional", "contracting"),
        dimensions=(4, 9),
        lipschitz=(0.5, 0.8),
        focus=0.8,
        draws=2_000,
        terms=200,
        truncations=(1, 4),
        exact_terms=(0, 2),
        geometric=(0.2,),
        poisson=(2.0,),
        probes=(1, 4, 16),
        budgets=(10, 100),
        confidence=0.999,
        trained_images=1,
        trained_draws=200,
        trained_terms=20,
        seed=0,
        device="cpu",
    )
