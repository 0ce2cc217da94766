from typing import Any

from fashion_dgm.config import OODConfig


def config(**changes: Any) -> OODConfig:
    values = {
        "models": "trained",
        "max_images": 100,
        "benchmark_images": 100,
        "batch_size": 50,
        "scores": ["likelihood", "combined"],
        "primary_score": "likelihood",
        "fit_images": 60,
        "reference_images": None,
        "neighbour": 2,
        "coders": ["png"],
        "dose_statistics": ["bits_per_dim", "log_prior"],
        "combined_statistics": ["bits_per_dim", "log_prior", "coded_bits_per_dim"],
        "components": 1,
        "least_difference": 0.01,
        "group_sizes": [5],
        "residual_flow_images": 30,
        "bootstrap": 100,
        "confidence": 0.9,
        "samples": 1,
        "temperatures": [1.0],
        "seed": 0,
        "device": "cpu",
    }
    return OODConfig(**{**values, **changes})
