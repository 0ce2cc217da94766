import math

import pytest
import torch
from torch import Tensor, nn

from fashion_dgm.metrics.modes import class_entropy, class_fractions, missing_classes


class Reader(nn.Module):
    """Reads the class from the brightness of the first pixel: class 3 has 0.3."""

    def forward(self, x: Tensor) -> Tensor:
        return -(10 * x[:, :, 0, 0] - torch.arange(10)).abs()


def images(labels: list[int]) -> Tensor:
    return (torch.tensor(labels) / 10).view(-1, 1, 1, 1).expand(-1, 1, 28, 28)


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_fractions_count_each_class(batch_size: int) -> None:
    fractions = class_fractions(Reader(), images([0, 0, 0, 9, 4, 4, 0, 9]), batch_size)  # type: ignore[arg-type]
    expected = torch.zeros(10, dtype=torch.float64)
    expected[[0, 4, 9]] = torch.tensor([0.5, 0.25, 0.25], dtype=torch.float64)
    torch.testing.assert_close(fractions, expected)
    assert missing_classes(fractions, 0.01) == 7
    assert missing_classes(fractions, 0.3) == 9


def test_entropy_by_hand() -> None:
    one = torch.zeros(10, dtype=torch.float64)
    one[3] = 1
    assert class_entropy(one) == 0
    assert class_entropy(torch.full((10,), 0.1, dtype=torch.float64)) == pytest.approx(1)
    half = torch.tensor([0.5, 0.5] + [0.0] * 8, dtype=torch.float64)
    assert class_entropy(half) == pytest.approx(math.log(2) / math.log(10))
