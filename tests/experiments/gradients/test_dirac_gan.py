import numpy as np
import pytest

from fashion_dgm.config import DiracConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.experiments.gradients.dirac_gan import descend, dirac_gans

CONFIG = DiracConfig(start=(0.8, 0.0), step_size=0.1, steps=10, clip=0.6, gradient_penalty=0.3, r1=0.5)


@pytest.mark.parametrize("name", dirac_gans(CONFIG))
def test_small_steps_follow_the_field(name: str) -> None:
    model, start, h = dirac_gans(CONFIG)[name], (-0.5, 0.6), 1e-6
    moved = (descend(model, start, h, 1, simultaneous=True)[1] - start) / h
    np.testing.assert_allclose(moved, model.field(*start), atol=1e-5)


def test_alternating_steps_show_the_generator_the_updated_discriminator() -> None:
    model = dirac_gans(CONFIG)["wgan"]
    assert descend(model, (1.0, 0.0), 0.5, 1).tolist() == [[1.0, 0.0], [0.75, -0.5]]
    assert descend(model, (1.0, 0.0), 0.5, 1, simultaneous=True).tolist() == [[1.0, 0.0], [1.0, -0.5]]
    with pytest.raises(FashionDGMError, match="discriminator_steps"):
        descend(model, (1.0, 0.0), 0.5, 1, discriminator_steps=2, simultaneous=True)
