"""The reverse direction: flows trained on MNIST, FashionMNIST among the OOD sets."""

from fashion_dgm.pipelines.ood_reverse.pipeline import create_pipeline

__all__ = ["create_pipeline"]
