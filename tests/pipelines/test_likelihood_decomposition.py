from types import SimpleNamespace
from typing import cast
from unittest.mock import Mock

import pytest

from fashion_dgm.config import LikelihoodDecompositionConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.pipelines.likelihood_decomposition.nodes import check_second_order
from tests.conftest import made_up_images


def test_a_set_of_one_image_has_no_moments_and_is_refused() -> None:
    config = cast(LikelihoodDecompositionConfig, SimpleNamespace(ood_set="one"))
    with pytest.raises(FashionDGMError, match=r"one has one image; .* needs at least 2"):
        check_second_order(Mock(), made_up_images(20, 0), {"one": made_up_images(1, 1)}, config)
