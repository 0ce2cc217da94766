"""Normalizing flows and GANs on FashionMNIST: models, training, evaluation and the pipelines around them."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fashion_dgm.catalog.models import load_model

__all__ = ["__version__", "load_model"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Late, or whoever wants a part of the package would wait for all of it.
    if name == "load_model":
        from fashion_dgm.catalog.models import load_model

        return load_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
