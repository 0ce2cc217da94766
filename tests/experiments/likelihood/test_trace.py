import pytest
import torch
from tests.small import make_flow
from torch import Tensor

from fashion_dgm.experiments.likelihood import trace
from fashion_dgm.flows import Bijection, Chain, Logit, Squeeze

KINDS = [{}, {"components": 2}, {"scales": 1}, {"scales": 3, "position": True}]


class Doubling(Bijection):
    """A layer that the tracer has never heard of."""

    def forward(self, x: Tensor, probes: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        return 2 * x, x.new_full((len(x),), x[0].numel()) * torch.tensor(2.0).log()

    def inverse(self, y: Tensor) -> Tensor:
        return y / 2


@pytest.mark.parametrize("kind", KINDS)
def test_terms_sum_to_the_log_density(kind) -> None:
    flow = make_flow(**kind)
    x = torch.rand(5, 1, 8, 8, dtype=torch.float64)
    found = trace(flow, x)
    z, log_det = flow(x)
    torch.testing.assert_close(found.log_prob, flow.log_prob(x), rtol=1e-12, atol=0)
    torch.testing.assert_close(found.log_det, log_det, rtol=1e-12, atol=0)
    assert torch.equal(torch.cat(found.latents, dim=1), z)
    picture = found.layers[-1].picture.flatten(1).sort(1).values
    torch.testing.assert_close(picture, z.sort(1).values)
    # Scales count from the image to the latents.
    scales = [layer.scale for layer in found.layers]
    assert scales == sorted(scales) and set(scales) == set(range(len(found.latents) + 1))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "components" not in kind])
def test_pictures_keep_every_value_at_its_pixel(kind) -> None:
    # Affine couplings and ActNorm begin as the identity: but for the order of values, all layers after the logit do nothing.
    flow = make_flow(size=0.0, **kind)
    x = torch.rand(3, 1, 8, 8, dtype=torch.float64)
    logits, _ = Logit(1e-6)(x)
    layers = trace(flow, x).layers
    assert {layer.kind for layer in layers} == {"logit", "actnorm", "coupling", "squeeze"}
    for layer in layers:
        torch.testing.assert_close(layer.picture, logits)


def test_any_bijection_is_a_layer() -> None:
    x = torch.rand(4, 1, 2, 2, dtype=torch.float64)
    found = trace(Chain(Doubling(), Squeeze(), Doubling()), x)
    assert [layer.kind for layer in found.layers] == ["doubling", "squeeze", "doubling"]
    torch.testing.assert_close(found.layers[-1].picture, 4 * x)
    torch.testing.assert_close(found.log_det, torch.full((4,), 8 * torch.tensor(2.0).log().item(), dtype=torch.float64))
