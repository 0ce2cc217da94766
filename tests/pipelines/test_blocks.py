"""Models that parameters name."""

import os
import subprocess
import sys

import pytest

from fashion_dgm.pipelines.blocks import adversarial_models


@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_models_come_in_one_order_whatever_the_hashes_of_the_process(seed: str) -> None:
    code = "from fashion_dgm.pipelines.blocks import adversarial_models; print(*adversarial_models())"
    environment = os.environ | {"PYTHONHASHSEED": seed}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == list(adversarial_models()) == ["gan", "wgan", "wgan_gp"]
