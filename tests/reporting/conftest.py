from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from fashion_dgm.reporting.figures import image_grid
from fashion_dgm.reporting.style import to_png


def detected(auroc: float | None, spread: float = 0.002) -> dict[str, Any]:
    """A score's detection of a set."""
    names = ("auroc", "aupr", "fpr95")
    if auroc is None:
        return dict.fromkeys(names)
    return dict.fromkeys(names, auroc) | {f"{name}_interval": [auroc - spread, auroc + spread] for name in names}


def definition(label: str, **more: Any) -> dict[str, Any]:
    """What a score is."""
    return {"label": label, "paper": "A paper", "tails": "one", "uses_flow": True, "uses_labels": False, **more}


def with_nothing_finite(value: Any) -> Any:
    """Returns the value with NaN in the place of every float."""
    if isinstance(value, dict):
        return {key: with_nothing_finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_nothing_finite(item) for item in value]
    return math.nan if isinstance(value, float) else value


@pytest.fixture(scope="session")
def png() -> bytes:
    return to_png(image_grid(np.zeros((2, 1, 4, 4), np.uint8), columns=2))


@pytest.fixture
def metrics() -> dict[str, Any]:
    """What every chapter takes, as a run gives it."""
    return {
        "data": {
            "pool": "train",
            "seed": 0,
            "splits": {
                "train": {"images": 48_000, "per_class": [4_800] * 10, "sha256": "0f" * 32},
                "test": {"images": 12_000, "per_class": [1_200] * 10, "sha256": "1e" * 32},
                "benchmark": {"images": 10_000, "per_class": [1_000] * 10, "sha256": "2d" * 32},
            },
        },
        "ood_sets": _ood_sets(),
        "flow": {
            "epochs": 1,
            "parameters": 1_234_567,
            "train_bits_per_dim": 3.10,
            "test_bits_per_dim": 3.11,
            "reconstruction_error": 2e-5,
        },
        "ood": {
            "score": "bits per dimension, one-sided: high means out of distribution",
            "in_distribution": {
                "name": "fashion_mnist",
                "images": 10_000,
                "bits_per_dim": 3.1,
                "bits_per_dim_sd": 0.25,
            },
            "sets": {
                "mnist": {
                    "images": 10_000,
                    "bits_per_dim": 2.0,
                    "bits_per_dim_sd": 0.2,
                    "auroc": 0.1,
                    "auroc_interval": [0.09, 0.11],
                    "aupr": 0.32,
                    "aupr_interval": [0.31, 0.33],
                }
            },
            "model": "RealNVP",
            "models": {
                "RealNVP": {
                    "in_distribution": {"images": 10_000, "bits_per_dim": 3.1, "bits_per_dim_sd": 0.25},
                    "results": {"likelihood": {"mnist": detected(0.1)}, "combined": {"mnist": detected(0.995)}},
                    "groups": {},
                    "comparisons": {},
                    "missing": {},
                }
            },
            "primary_score": "combined",
            "definitions": {name: definition(name) for name in ("likelihood", "combined")},
            "notes": {},
            "failed": {},
            "comparisons": 4,
            "least_difference": 0.01,
            "confidence": 0.95,
            "bootstrap": 1000,
            "fit_images": 5000,
            "reference_images": 43_000,
        },
        "gan": {
            "gan": {
                "epochs": 1,
                "parameters_generator": 1_000,
                "parameters_discriminator": 900,
                "loss_discriminator": 1.2,
                "loss_generator": 0.9,
                "score_real": 1.0,
                "score_fake": -1.0,
                "probability_real": 0.7,
                "probability_fake": 0.3,
                "gradient_norm_discriminator": 2.0,
                "gradient_norm_generator": 1.0,
                **_diagnostics("accuracy", (0.8, 0.79, 0.9), (0.9, 0.88, 0.95)),
                **_diagnostics("loss_discriminator", (0.7, 0.72), (0.5, 0.52)),
                **_records(),
            },
            "wgan": {
                "epochs": 1,
                "parameters_generator": 1_000,
                "parameters_discriminator": 900,
                "loss_discriminator": -0.4,
                "loss_generator": 0.1,
                "score_real": 0.3,
                "score_fake": -0.1,
                "wasserstein_estimate": 0.4,
                "clipped_fraction": 0.3,
                "gradient_norm_discriminator": 2.0,
                "gradient_norm_generator": 1.0,
                **_diagnostics("wasserstein_estimate", (0.41, 0.4), (0.39, 0.38)),
                **_records(),
            },
        },
        "fid": {
            "rows": [
                _distances("gan", "classifier", best=20.0),
                _distances("wgan", "classifier", best=10.0),
                _distances("gan", "inception", best=40.0),
                _distances("wgan", "inception", best=30.0),
            ],
            "floor": {"classifier": 1.1, "inception": 3.1},
            "samples": 2000,
            "feature_spaces": {
                "classifier": {
                    "label": "Fréchet classifier distance",
                    "dimension": 64,
                    "layer": "penultimate",
                    "accuracy": 0.91,
                    "weights_sha256": "ab" * 32,
                },
                "inception": {"label": "FID", "dimension": 2048, "layer": "pool", "weights_sha256": "cd" * 32},
            },
            "missing": [],
            "warnings": [],
        },
    }


def _ood_sets() -> dict[str, Any]:
    used = {
        "status": "used",
        "conversion": "none",
        "in_train": 0.0,
        "in_benchmark": 0.0,
        "note": "",
        "sha256": "4b" * 32,
    }
    made = {
        "mnist": {"kind": "published", "origin": "MNIST, official test images", "images": 10_000, "distinct": 10_000},
        "black": {"kind": "synthetic", "origin": "every pixel 0", "images": 256, "distinct": 1},
        "mine": {"kind": "own", "origin": "pictures/mine", "images": 30, "distinct": 30},
    }
    absent = {
        "kmnist": {"kind": "published", "origin": "KMNIST", "status": "missing", "reason": "no network. Put it there"},
        "damaged": {"kind": "own", "origin": "pictures/damaged", "status": "skipped", "reason": "a.png is damaged"},
    }
    sets = {**{name: {**used, **entry} for name, entry in made.items()}, **absent}
    sets["mine"] |= {"conversion": "colour to grey", "note": "50.0% of the images are exact copies of images of train"}
    return {"seed": 0, "max_images": 10_000, "sets": sets}


def _diagnostics(quantity: str, running: tuple[float, ...], batch: tuple[float, ...]) -> dict[str, float]:
    return {
        f"{quantity}_{kind}_{statistics}": value
        for statistics, values in (("running_stats", running), ("batch_stats", batch))
        for kind, value in zip(("seen", "held_out", "generated"), values, strict=False)
    }


def _records() -> dict[str, Any]:
    return {
        **_diagnostics("score", (0.31, 0.3, -0.1), (0.4, 0.39, -0.2)),
        "score_gap_error_running_stats": 0.02,
        "class_entropy": 0.98,
        "missing_classes": 0.0,
        "nearest_distance_fake": 6.1,
        "nearest_distance_held_out": 6.0,
        "copying_probability": 0.49,
        "records": {"samples": 1000, "neighbours": 200, "least_fraction": 0.01},
    }


def _distances(model: str, space: str, best: float) -> dict[str, Any]:
    return {
        "model": model,
        "feature_space": space,
        "best_epoch": 1,
        "best_on_test": best,
        "best_on_benchmark": best,
        "last_epoch": 1,
        "last_on_test": best,
        "last_on_benchmark": best,
    }
