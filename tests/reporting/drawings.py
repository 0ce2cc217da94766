"""Every figure of the report, drawn from made-up inputs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from fashion_dgm.config import DiracConfig
from fashion_dgm.data.images import FASHION_CLASSES
from fashion_dgm.experiments.gradients.shifted_uniforms import estimate
from fashion_dgm.experiments.gradients.vanishing import measurement_steps
from fashion_dgm.experiments.latent_space.experiments import DecodedSamples
from fashion_dgm.experiments.likelihood import trace
from fashion_dgm.findings.stability import stability
from fashion_dgm.reporting import figures
from tests.findings.test_likelihood import level
from tests.findings.test_stability import FRAIL_GAN, REFERENCE, metrics, records
from tests.small import make_flow

RNG = np.random.default_rng(0)
CLASSES = ("Trouser", "Dress", "Bag")


def images(n: int = 5) -> np.ndarray:
    return np.random.default_rng(0).random((n, 1, 28, 28))


def whole_images(n: int, side: int = 28) -> np.ndarray:
    return RNG.integers(0, 256, (n, 1, side, side)).astype(np.uint8)


# Curves by epoch

NETWORKS = ("loss_discriminator", "loss_generator", "score_real", "score_fake")
NORMS = ("gradient_norm_discriminator", "gradient_norm_generator")
RECORDS = (*(f"class_fraction_{label}" for label in range(10)), "class_entropy", "copying_probability")
FLOW_COLUMNS = ("bits_per_dim", "test_bits_per_dim", "gradient_norm")


def history(epochs: int, *columns: str) -> pd.DataFrame:
    values = np.random.default_rng(1).random((epochs, len(columns))) + 0.1
    return pd.DataFrame(values, columns=list(columns)).assign(epoch=range(1, epochs + 1))


def gan_history(epochs: int) -> pd.DataFrame:
    fractions = ("probability_real", "probability_fake", "accuracy_real", "accuracy_fake")
    return history(epochs, *NETWORKS, *NORMS, *RECORDS, *fractions)


def wgan_history(epochs: int) -> pd.DataFrame:
    estimates = ("wasserstein_estimate", "wasserstein_estimate_held_out_batch_stats")
    return history(epochs, *NETWORKS, *NORMS, *RECORDS, *estimates, "clipped_fraction")


def distances(epochs: int, spaces: tuple[str, ...] = ("classifier", "inception")) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    return pd.DataFrame(
        {"model": model, "epoch": epoch, "feature_space": space, "distance": 50 * rng.random() + 5, "samples": 2000}
        for space in spaces
        for model in ("wgan", "gan")
        for epoch in range(1, epochs + 1)
    )


def by_epoch(epochs: int) -> dict[str, Callable[[], Figure]]:
    models = {"wgan": wgan_history(epochs), "gan": gan_history(epochs)}
    floors = {"classifier": 1.0, "inception": 3.0}
    return {
        "flow_curve": lambda: figures.flow_curve(history(epochs, *FLOW_COLUMNS)),
        "gan_curves": lambda: figures.gan_curves(models),
        "sample_records": lambda: figures.sample_records(models, FASHION_CLASSES),
        "snapshot_strip": lambda: figures.snapshot_strip({epoch: images() for epoch in range(1, epochs + 1)}),
        "fid_curves": lambda: figures.fid_curves(distances(epochs), floors),
        "feature_spaces": lambda: figures.feature_spaces(
            {"GAN": floors, "RealNVP, T = 0.7": {**floors, "inception": 90.0}}, floors
        ),
    }


# OOD detection


def scores(means: dict[str, float], n: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    return pd.concat(
        [pd.DataFrame({"dataset": name, "bits_per_dim": rng.normal(mean, 0.2, n)}) for name, mean in means.items()]
    )


def aurocs(*values: float) -> pd.DataFrame:
    columns = {"dataset": ["mnist", "black", "mnist"], "score": ["likelihood", "likelihood", "typicality"]}
    return pd.DataFrame(columns | {"model": "RealNVP", "group_size": [1, 1, 5], "auroc": values})


# Latents and likelihood


def decoded(experiment: str, variant: str, level: float | None = None, n: int = 12) -> DecodedSamples:
    bits, norm = RNG.uniform(1, 5, n), RNG.uniform(0, 2, n)
    return DecodedSamples(experiment, variant, whole_images(n), bits, norm, norm, level)


def every_latent() -> list[DecodedSamples]:
    levels = {
        "temperature": (0.5, 1.0),
        "truncation": (1.0,),
        "active": (784, 1),
        "radius": np.linspace(0, 2, 15),
        **dict.fromkeys(("swap", "silent", "mixture"), (1, 2)),
        **dict.fromkeys(figures.PATH_NAMES, (0.0, 0.5, 1.0)),
        "noise": (0.0, 1.0),
    }
    return [
        *(decoded(experiment, f"{value:g}", value) for experiment, values in levels.items() for value in values),
        *(decoded("constant", f"all {value}", value, 1) for value in (-1.0, 0.0)),
        *(decoded(name, "as it is") for name in ("in_distribution", "ood")),
        decoded("ood", "encoded and decoded"),
    ]


def paths() -> list[dict[str, Any]]:
    row = {"bits_per_dim": 3.0, "bits_per_dim_interval": [2.9, 3.1], "norm": 1.0}
    return [row | {"experiment": path, "level": t} for path in figures.PATH_NAMES for t in (0.0, 0.5, 1.0)]


def gap() -> dict[str, Any]:
    parts = {"logit": -2.0, "actnorm": 0.0, "coupling_1": 0.5, "latents_1": 0.25}
    terms = {name: {"difference": value} for name, value in parts.items()}
    return {"difference": sum(parts.values()), "difference_interval": [-1.3, -1.2], "parts": terms}


def layers() -> list[dict[str, Any]]:
    kinds = ["logit", "actnorm", "coupling", "actnorm", "coupling", "squeeze", "coupling"]
    row = {"scale": 1, "gap": -1.0, "gap_se": 0.1}
    return [
        row | {"label": f"{kind} 1.{i}", "kind": kind, "inside": 9.0 - i, "outside": 8.0 - i}
        for i, kind in enumerate(kinds)
    ]


def complexity() -> pd.DataFrame:
    sets = np.repeat(["fashion_mnist", *(f"set_{i}" for i in range(9))], 20)
    return pd.DataFrame({"dataset": sets, "png_bits": RNG.uniform(1, 8, 200), "bits_per_dim": RNG.uniform(1, 8, 200)})


def traces() -> dict[str, Any]:
    with torch.no_grad():
        return {"MNIST": (whole_images(1, 8), trace(make_flow().float(), torch.rand(1, 1, 8, 8)))}


# Log-determinants

KINDS = ("dense", "convolutional", "contracting", "trained")
ESTIMATORS = {
    "1 term": ("truncation", 1, 1.0),
    "5 terms": ("truncation", 5, 5.0),
    "2 + geometric, stop 0.1": ("geometric", 2, 12.0),
    "2 + geometric, stop 0.5": ("geometric", 2, 4.0),
    "2 + Poisson, mean 2": ("poisson", 2, 4.0),
}


def log_det_tables(kinds: tuple[str, ...] = KINDS) -> dict[str, pd.DataFrame]:
    """The tables of the study, of one block a kind."""
    blocks = pd.DataFrame({"kind": kinds, "block": kinds, "dimension": 64, "lipschitz": 0.9})

    def each(**columns: Any) -> pd.DataFrame:
        return blocks.merge(pd.DataFrame(columns), how="cross")

    family, exact, cost = zip(*ESTIMATORS.values(), strict=True)
    estimators = each(estimator=list(ESTIMATORS), family=family, exact_terms=exact, expected_terms=cost)
    estimators = estimators.assign(bias=0.1 * estimators["exact_terms"], bias_error=0.02, bias_theory=0.0, variance=2.0)
    estimators["variance_theory"] = np.where(estimators["family"] == "poisson", np.inf, 2.0)
    n = np.arange(1, 41)
    drawn = each(probe=["rademacher", "gaussian"] * 3, probes=[1, 1, 4, 4, 16, 16])
    variances = {"variance": 1.1, "low": 0.5, "high": 2, "theory": 1}
    budgets = estimators.merge(pd.DataFrame({"budget": [10, 100]}), how="cross")
    tails = pd.concat(each(estimator=name, chance=0.5**n, variance=1.5**n) for name in list(ESTIMATORS)[2:])
    return {
        "truncation": each(terms=n, error=(-0.4) ** n, bound=64 * 0.9**n),
        "probes": drawn.assign(**{name: value / drawn["probes"] for name, value in variances.items()}),
        "blocks": blocks.assign(ratio=0.7, ratio_error=0.05, ratio_theory=0.72),
        "estimators": estimators,
        "costs": each(exact_terms=2, expected_terms=[5, 10, 40], variance=[20.0, 10.0, 2.5]),
        "tails": tails,
        "budgets": budgets.assign(
            error_theory=budgets["variance_theory"] / budgets["budget"], error=2.1 / budgets["budget"]
        ),
    }


def of_log_det(kinds: tuple[str, ...]) -> dict[str, Callable[[], Figure]]:
    t = log_det_tables(kinds)
    return {
        "log_det_truncation": lambda: figures.log_det_truncation(t["truncation"]),
        "log_det_probes": lambda: figures.log_det_probes(t["probes"], t["blocks"]),
        "roulette_bias": lambda: figures.roulette_bias(t["estimators"]),
        "roulette_variance": lambda: figures.roulette_variance(t["costs"], t["estimators"], t["tails"], 4000),
        "roulette_budget": lambda: figures.roulette_budget(t["budgets"]),
    }


# Adversarial training


def gradients() -> pd.DataFrame:
    steps = measurement_steps(100)
    table = pd.MultiIndex.from_product(
        [(0, 6), (0, 1), ("saturating", "non_saturating", "wasserstein"), steps],
        names=["epoch", "seed", "loss", "step"],
    ).to_frame(index=False)
    norm = 10 ** RNG.normal(size=len(table))
    return table.assign(norm=norm, signal=norm / 2, variance=norm**2)


def uniforms() -> pd.DataFrame:
    shifts = [(shift, i) for shift in (0.0, 0.5, 2.0) for i in range(2)]
    return pd.DataFrame({"shift": shift, "repetition": i, **estimate(shift, 500, 20, RNG)} for shift, i in shifts)


DIRAC = DiracConfig(start=(0.8, 0), step_size=0.1, steps=30, clip=0.6, gradient_penalty=0.3, r1=0.5)
STUDY = metrics(FRAIL_GAN, seeds=1, diverging="gan")
RUNS = [record.to_json() for record in records(FRAIL_GAN, seeds=1, diverging="gan")]
LATENTS, TRACES, GRADIENTS, UNIFORMS, COMPLEXITY = every_latent(), traces(), gradients(), uniforms(), complexity()
PERTURBATIONS = {name: [level(0.0, 0.4, 0.1), level(1.0, 0.5, 0.0, changed=False)] for name in ("brightness", "blur")}

EVERY_FIGURE: dict[str, Callable[[], Figure]] = {
    "image_grid": lambda: figures.image_grid(images(), columns=3),
    "class_examples": lambda: figures.class_examples(images(), np.array([0, 1, 1, 2, 0]), CLASSES, per_class=2),
    "flow_samples": lambda: figures.flow_samples({1.0: images(), 0.7: images()}, columns=5),
    **by_epoch(3),
    **{f"{name}, many epochs": draw for name, draw in by_epoch(100).items()},
    "ood_histogram": lambda: figures.ood_histogram(
        scores({"fashion_mnist": 3.0, "mnist": 2.0}), "fashion_mnist", {"mnist": "0.10"}
    ),
    "score_histogram": lambda: figures.score_histogram(
        scores({"fashion_mnist": 3.0, "mnist": 2.0}), "bits_per_dim", "fashion_mnist", {"mnist": "0.10"}
    ),
    "auroc_matrix": lambda: figures.auroc_matrix(aurocs(0.1, 1.0, 0.5), {"likelihood": "L", "typicality": "T"}, "L"),
    "ood_set_examples": lambda: figures.ood_set_examples({"fashion_mnist": images(), "mnist": images(1)}),
    "latent_temperatures": lambda: figures.latent_temperatures(LATENTS),
    "latent_off_typical": lambda: figures.latent_off_typical(LATENTS),
    "latent_scales": lambda: figures.latent_scales(LATENTS),
    "latent_interpolations": lambda: figures.latent_interpolations(LATENTS),
    "latent_ood": lambda: figures.latent_ood(LATENTS, "MNIST"),
    "latent_paths": lambda: figures.latent_paths(paths(), (2.0, 4.0)),
    "likelihood_gap": lambda: figures.likelihood_gap({"mnist": gap()}),
    "likelihood_by_layer": lambda: figures.likelihood_by_layer(layers(), "fashion_mnist", "mnist"),
    "likelihood_complexity": lambda: figures.likelihood_complexity(COMPLEXITY, "fashion_mnist", (2.0, 1.0)),
    "perturbation_examples": lambda: figures.perturbation_examples(
        [("blur", level, np.zeros((1, 28, 28), np.uint8), 3.0) for level in (0.0, 1.0)]
    ),
    "perturbation_curves": lambda: figures.perturbation_curves(PERTURBATIONS),
    "layer_trace": lambda: figures.layer_trace(TRACES),
    **of_log_det(KINDS),
    **{f"{name}, one kind": draw for name, draw in of_log_det(KINDS[:1]).items()},
    "gradient_norms": lambda: figures.gradient_norms(GRADIENTS),
    "gradient_variance": lambda: figures.gradient_variance(GRADIENTS),
    "uniform_curves": lambda: figures.uniform_curves(UNIFORMS),
    "dirac_portraits": lambda: figures.dirac_portraits(DIRAC),
    "stability_curves": lambda: figures.stability_curves(RUNS, REFERENCE),
    "stability_measures": lambda: figures.stability_measures(STUDY["cells"]),
    "stability_verdict": lambda: figures.stability_verdict(stability(STUDY).comparisons),
}
