"""The figures of the report: pure functions of arrays and tables that return matplotlib figures.

None of them touches pyplot, so none leaves a figure open or needs a display. Values that are not finite are left out of
curves and shown in vermillion in images.

References:
    Okabe and Ito, Color Universal Design (2008): the palette.
    Tufte, The Visual Display of Quantitative Information (1983): labels next to the data, small multiples.
"""

from fashion_dgm.reporting.figures.fid import fid_curves
from fashion_dgm.reporting.figures.gradients import dirac_portraits, gradient_norms, gradient_variance, uniform_curves
from fashion_dgm.reporting.figures.images import (
    class_examples,
    flow_samples,
    image_grid,
    ood_set_examples,
    snapshot_strip,
)
from fashion_dgm.reporting.figures.latents import (
    PATH_NAMES,
    latent_interpolations,
    latent_off_typical,
    latent_ood,
    latent_paths,
    latent_scales,
    latent_temperatures,
)
from fashion_dgm.reporting.figures.likelihood import (
    layer_trace,
    likelihood_by_layer,
    likelihood_complexity,
    likelihood_gap,
    perturbation_curves,
    perturbation_examples,
)
from fashion_dgm.reporting.figures.log_det import log_det_probes, log_det_truncation
from fashion_dgm.reporting.figures.ood import auroc_matrix, ood_histogram, score_histogram
from fashion_dgm.reporting.figures.published import published_comparison
from fashion_dgm.reporting.figures.roulette import roulette_bias, roulette_budget, roulette_variance
from fashion_dgm.reporting.figures.stability import stability_curves, stability_measures, stability_verdict
from fashion_dgm.reporting.figures.training import flow_curve, gan_curves, sample_records

__all__ = [
    "PATH_NAMES",
    "auroc_matrix",
    "class_examples",
    "dirac_portraits",
    "fid_curves",
    "flow_curve",
    "flow_samples",
    "gan_curves",
    "gradient_norms",
    "gradient_variance",
    "image_grid",
    "latent_interpolations",
    "latent_off_typical",
    "latent_ood",
    "latent_paths",
    "latent_scales",
    "latent_temperatures",
    "layer_trace",
    "likelihood_by_layer",
    "likelihood_complexity",
    "likelihood_gap",
    "log_det_probes",
    "log_det_truncation",
    "ood_histogram",
    "ood_set_examples",
    "perturbation_curves",
    "perturbation_examples",
    "published_comparison",
    "roulette_bias",
    "roulette_budget",
    "roulette_variance",
    "sample_records",
    "score_histogram",
    "snapshot_strip",
    "stability_curves",
    "stability_measures",
    "stability_verdict",
    "uniform_curves",
]
