import copy
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fashion_dgm import reporting
from fashion_dgm.config import ReportConfig
from fashion_dgm.findings import conclude
from fashion_dgm.provenance import ORIGIN
from fashion_dgm.reporting.chapter import Chapter, render_chapter
from fashion_dgm.reporting.compose import marked
from fashion_dgm.reporting.figures import image_grid
from fashion_dgm.reporting.style import to_png
from tests.findings import (
    test_data,
    test_fid,
    test_flow,
    test_latents,
    test_likelihood,
    test_log_det,
    test_ood,
    test_stability,
    test_vanishing,
)
from tests.findings.test_ood import FLIP

Metrics = dict[str, Any]
CONFIG = ReportConfig(
    title="A report",
    grid_columns=10,
    animation_rows=6,
    animation_milliseconds=500,
    seed=0,
    reproduce=("kedro run",),
    links="../..",
)


@pytest.fixture(scope="session")
def png() -> bytes:
    return to_png(image_grid(np.zeros((2, 1, 4, 4), np.uint8), columns=2))


@pytest.fixture
def metrics(run: Metrics) -> Metrics:
    """What a run of every pipeline gives, to be changed."""
    return copy.deepcopy(run)


@pytest.fixture(scope="session")
def run() -> Metrics:
    models = {"MixtureFlow": _scores(0.05, 0.97), "RealNVP": _scores(0.1, 0.995)}
    ood = test_ood.metrics(models) | {"notes": {"mnist": "3.0% are copies"}, "failed": {"mine": "a_b.png is *damaged*"}}
    return {
        "data": test_data.splits(),
        "ood_sets": test_data.ood_sets(),
        "flow": test_flow.REAL_NVP | {ORIGIN: {"parameters": {"train_flow": {"epochs": 1}}}},
        "mixture_flow": test_flow.REAL_NVP | {"parameters": 800_000, "test_bits_per_dim": 3.0},
        "residual_flow": test_flow.residual(),
        "flow_discrete_likelihood": test_flow.bound(1.2, **{"1": 3.0, "16": 2.9}),
        "log_det_study": test_log_det.study(
            trained=test_log_det.trained(("1 term", 0.0123, 3.0, 0.02), ("2 + Poisson", 0.0, 0.0, None))
        ),
        "latents": test_latents.study(**{"T = 0.5": {"likelier_than": 0.998}, "all 0": {"likelier_than": 0.9}}),
        "ood": ood,
        "mnist_ood": _reverse(),
        "likelihood": test_likelihood.metrics(),
        "gan": _adversarial(
            {"probability_real": 0.7, "probability_fake": 0.3}
            | _diagnostics("accuracy", (0.8, 0.79, 0.9), (0.9, 0.88, 0.95))
            | _diagnostics("loss_discriminator", (0.7, 0.72), (0.5, 0.52))
        ),
        "wgan": _adversarial(
            {"wasserstein_estimate": 0.4, "clipped_fraction": 0.3}
            | _diagnostics("wasserstein_estimate", (0.41, 0.4), (0.39, 0.38))
        ),
        "fid": _distances(),
        "vanishing_gradients": test_vanishing.metrics(test_vanishing.AS_PREDICTED),
        "stability": test_stability.metrics(test_stability.FRAIL_GAN, diverging="wgan"),
    }


@pytest.fixture(scope="session")
def figures(png: bytes) -> dict[str, bytes]:
    """A file for each figure of the templates."""
    folder = Path(reporting.__file__).parent / "chapters"
    names = {name for path in folder.iterdir() for name in re.findall(r"^::: figure (\w+)$", path.read_text(), re.M)}
    strips = (f"{model}_{kind}" for model in ("gan", "wgan") for kind in ("strip", "animation"))
    flows = (f"{model}_{kind}" for model in ("mixture_flow", "nice_flow") for kind in ("curve", "samples"))
    return dict.fromkeys(sorted({*names, *strips, *flows}), png)


def written(anchor: str, metrics: Metrics, figures: Mapping[str, bytes]) -> Chapter:
    """A chapter of the report of a run."""
    return marked(render_chapter(anchor, conclude(metrics), figures), metrics)


def _scores(likelihood: float, combined: float) -> Metrics:
    """A flow's detection of three sets, with every part of the ablation."""
    parts = {"coded_length": 0.7, "nearest_edges": 0.991, "combined_without_flow": 0.994}
    values = {"likelihood": likelihood, "combined": combined, "dose": 0.949, "nearest_features": 0.9, **parts}
    made = test_ood.model(**{name: {"mnist": value, FLIP: 0.8, "black": 0.0} for name, value in values.items()})
    verdicts = {"likelihood": {"mnist": "better", FLIP: "worse"}, "nearest_features": {FLIP: "worse"}}
    made["comparisons"] = {
        score: {name: {"verdict": verdict} for name, verdict in of_set.items()} for score, of_set in verdicts.items()
    }
    return made | {"groups": {"10": {"mnist": test_ood.auroc(0.99)}}}


def _reverse() -> Metrics:
    names = ("likelihood", "combined", "combined_without_flow")
    models = {
        name: test_ood.model(**{score: {"fashion_mnist": 0.97} for score in names})
        for name in ("MixtureFlow", "RealNVP")
    }
    models["MixtureFlow"]["in_distribution"] |= {"images": 60}
    origin = {"parameters": {"train_flow": {"epochs": 3}}, "mismatches": ["other images"]}
    return test_ood.metrics(models, inside="mnist") | {ORIGIN: origin}


def _adversarial(own: Metrics) -> Metrics:
    sizes = {"epochs": 1, "parameters_generator": 1_000, "parameters_discriminator": 900}
    losses = {"loss_discriminator": 1.2, "loss_generator": 0.9, "score_real": 1.0, "score_fake": -1.0}
    norms = {"gradient_norm_discriminator": 2.0, "gradient_norm_generator": 1.0, "score_gap_error_running_stats": 0.02}
    samples = {"class_entropy": 0.98, "missing_classes": 0.0, "copying_probability": 0.49}
    samples |= {"nearest_distance_fake": 6.1, "nearest_distance_held_out": 6.0}
    records = {"records": {"samples": 1000, "neighbours": 200, "least_fraction": 0.01}}
    return (
        sizes | losses | norms | samples | records | _diagnostics("score", (0.31, 0.3, -0.1), (0.4, 0.39, -0.2)) | own
    )


def _diagnostics(quantity: str, running: tuple[float, ...], batch: tuple[float, ...]) -> Metrics:
    return {
        f"{quantity}_{kind}_{statistics}": value
        for statistics, values in (("running_stats", running), ("batch_stats", batch))
        for kind, value in zip(("seen", "held_out", "generated"), values, strict=False)
    }


def _distances() -> Metrics:
    best = {
        ("gan", "classifier"): 20.0,
        ("wgan", "classifier"): 10.0,
        ("gan", "efficientnet"): 31.0,
        ("wgan", "efficientnet"): 32.0,
        ("gan", "inception"): 40.0,
        ("wgan", "inception"): 30.0,
    }
    rows = [test_fid.distances(model, value, space) for (model, space), value in best.items()]
    sets = (
        test_fid.measured("gan", "best"),
        test_fid.measured(
            "RealNVP", "flow", temperature=0.7, distance_benchmark=31.0, distance_infinite=30.0, recall=0.5
        ),
        test_fid.measured("mine", "external", kid=None, density=0.5),
        test_fid.measured("gan", "best", feature_space="efficientnet", distance_benchmark=31.0, distance_infinite=30.0),
        test_fid.measured(
            "RealNVP",
            "flow",
            feature_space="efficientnet",
            temperature=0.7,
            distance_benchmark=20.0,
            distance_infinite=19.0,
        ),
        test_fid.measured(
            "mine", "external", feature_space="efficientnet", distance_benchmark=33.0, distance_infinite=32.0
        ),
    )
    scored = test_fid.scored(*rows, sets=sets)
    spaces = {
        "classifier": {"dimension": 64, "layer": "penultimate", "accuracy": 0.91, "weights_sha256": "ab" * 32},
        "efficientnet": {"dimension": 1280, "layer": "pool of images at 96x96", "weights_sha256": "ef" * 32},
        "inception": {"dimension": 2048, "layer": "pool", "weights_sha256": "cd" * 32},
    }
    notes = {"warnings": ["N = 2000 is small."], "conversions": {"mine": "colour to grey", "other": "none"}}
    failures = [{"model": "gan", "epoch": 3, "reason": "it has diverged"}]
    floors = {"floor": {"classifier": 1.1, "efficientnet": 2.1, "inception": 3.1}}
    return scored | floors | notes | {"feature_spaces": spaces, "failures": failures}
