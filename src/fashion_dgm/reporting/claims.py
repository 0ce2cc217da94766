"""What the report's chapters rest on: for each claim where it is derived or explained, the test that holds it, the code.

Paths are those of the repository, anchors those of headings in pages and of functions and classes in code. The pages and
the docstrings of the tests lead back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["CLAIMS", "Claim"]


class Claim(NamedTuple):
    """A statement, and where it is explained, tested and computed: `path#anchor` each."""

    text: str
    page: str
    test: str
    code: str


def _theory(page: str, anchor: str, text: str, test: str, code: str) -> Claim:
    tests = f"tests/theory/test_{page.replace('-', '_')}.py"
    return Claim(text, f"docs/theory/{page}.md#{anchor}", f"{tests}#{test}", f"src/fashion_dgm/{code}")


def _measured(section: str, text: str, test: str, code: str) -> Claim:
    return Claim(text, f"docs/{section}", f"tests/{test}", f"src/fashion_dgm/{code}")


CLAIMS: Mapping[str, tuple[Claim, ...]] = {
    "data": (
        _measured(
            "how-to/data.md#the-split",
            "No image is in two parts of the split, and each class keeps its share",
            "data/test_split.py#test_parts_are_disjoint_complete_sorted_and_of_exact_size",
            "data/split.py#stratified_split",
        ),
        _measured(
            "how-to/data.md#checksums",
            "A raw file that is not the published one is refused",
            "data/test_sources.py#test_a_wrong_file_in_the_folder_is_refused_and_left_untouched",
            "data/sources/fetching.py#fetch",
        ),
    ),
    "flow": (
        _theory(
            "change-of-variables",
            "the-density-of-an-image",
            "An invertible map gives an exact density",
            "test_density_integrates_to_one",
            "flows/likelihood.py#bits_per_dim_of",
        ),
        _theory(
            "change-of-variables",
            "a-coupling-has-a-triangular-jacobian",
            "A coupling has a triangular Jacobian",
            "test_jacobian_of_a_coupling_is_triangular",
            "flows/coupling.py#AffineCoupling",
        ),
        _theory(
            "bits-per-dim",
            "bitsdim-bound-the-code-length",
            "Bits/dim bound the length of a code",
            "test_bits_bound_the_code_from_above",
            "flows/preprocessing.py#to_bits_per_dim",
        ),
    ),
    "mixture-flow": (
        _theory(
            "change-of-variables",
            "mixture-couplings-are-nonlinear",
            "A mixture coupling has a triangular Jacobian, too",
            "test_jacobian_of_a_mixture_coupling_is_triangular",
            "flows/mixture_coupling.py#MixtureCoupling",
        ),
    ),
    "residual-flow": (
        _theory(
            "log-det-estimation",
            "residual-layers-are-invertible",
            "A residual layer of a contraction is invertible, by fixed point",
            "test_fixed_point_converges_within_its_bound",
            "flows/residual_flow.py#InvertibleResidual",
        ),
        _theory(
            "log-det-estimation",
            "the-gradient-is-a-neumann-series",
            "The gradient of its log-determinant is a Neumann series",
            "test_the_gradient_is_a_neumann_series",
            "flows/log_det_series.py#neumann_log_det",
        ),
    ),
    "log-det": (
        _theory(
            "log-det-estimation",
            "the-log-determinant-is-a-series-of-traces",
            "The log-determinant is a series of traces, and cutting it off a bias",
            "test_trace_series_converges_within_its_bound",
            "experiments/log_det/moments.py#truncation_bound",
        ),
        _theory(
            "log-det-estimation",
            "variance-of-hutchinsons-estimator",
            "Probes of ±1 have the smallest variance",
            "test_hutchinson_variance",
            "flows/log_det_series.py#draw_probes",
        ),
        _theory(
            "log-det-estimation",
            "russian-roulette-removes-the-bias",
            "Russian roulette removes the bias",
            "test_roulette_is_unbiased_where_truncation_is_not",
            "flows/series_weights.py#Roulette",
        ),
        _theory(
            "log-det-estimation",
            "the-roulettes-variance-can-be-infinite",
            "The roulette's variance can be infinite",
            "test_spectral_radius_decides_on_the_variance_of_the_log_determinant",
            "experiments/log_det/moments.py#TermMoments",
        ),
    ),
    "latents": (
        _theory(
            "likelihood-ood",
            "typical-is-not-most-likely",
            "Typical is not most likely",
            "test_samples_lie_far_below_the_mode",
            "experiments/latent_space/experiments.py#off_typical",
        ),
        _theory(
            "change-of-variables",
            "a-coupling-is-inverted-without-inverting-its-networks",
            "A coupling is inverted without inverting its networks",
            "test_two_couplings_are_inverted_though_not_triangular",
            "flows/coupling.py#AffineCoupling",
        ),
    ),
    "ood": (
        _theory(
            "likelihood-ood",
            "when-ood-inputs-are-more-likely",
            "Even under a perfect model strangers can be more likely",
            "test_a_perfect_model_finds_calmer_strangers_more_likely",
            "metrics/detection.py#detection",
        ),
        _measured(
            "reading-the-numbers.md#auroc-and-aupr",
            "The interval of an AUROC covers the truth as often as it says",
            "metrics/test_detection.py#test_interval_covers_the_truth_as_often_as_it_says",
            "metrics/detection.py#detection",
        ),
        _measured(
            "reading-the-numbers.md#ood-scores",
            "Scores are fitted to training images alone",
            "ood/test_scores.py#test_nothing_but_training_images_can_be_fitted_to",
            "ood/scorer.py#Scorer",
        ),
    ),
    "likelihood": (
        _measured(
            "reading-the-numbers.md#likelihood-decomposition",
            "The terms sum to the bits of the likelihood",
            "experiments/likelihood/test_decomposition.py#test_parts_sum_to_the_bits_of_the_likelihood",
            "experiments/likelihood/decomposition.py#decompose",
        ),
        _theory(
            "likelihood-ood",
            "the-second-order-argument",
            "The second-order argument, and where it is exact",
            "test_second_order_is_exact_for_affine_flows",
            "experiments/likelihood/second_order.py#second_order_gap",
        ),
        _theory(
            "likelihood-ood",
            "densities-depend-on-coordinates",
            "A density ranks nothing by itself",
            "test_coordinates_decide_the_ranking",
            "experiments/likelihood/decomposition.py#decompose",
        ),
    ),
    "gan": (
        _theory(
            "gan",
            "the-optimal-discriminator",
            "The optimal discriminator is a ratio of densities",
            "test_training_finds_the_density_ratio",
            "gans/objectives.py#discriminator_loss",
        ),
        _theory(
            "gan",
            "jensenshannon-at-the-optimum",
            "At that optimum the loss is a Jensen\u2013Shannon divergence",
            "test_optimal_loss_is_two_log_two_minus_two_js",
            "gans/objectives.py#discriminator_loss",
        ),
        _theory(
            "gan",
            "with-batchnorm-it-is-a-bound-for-batches",
            "With BatchNorm a discriminator's loss bounds the divergence of batches, not of images",
            "test_with_batchnorm_the_bound_is_of_batches",
            "gans/networks.py#Discriminator",
        ),
        _theory(
            "wasserstein",
            "the-estimate-is-only-as-good-as-the-critic",
            "An estimate of the Wasserstein distance is as good as its critic",
            "test_estimates_and_distances_of_the_published_runs",
            "gans/objectives.py#wasserstein_estimate",
        ),
        _theory(
            "wasserstein",
            "the-lipschitz-constraint-is-necessary",
            "A critic bounds the Wasserstein distance up to its slope",
            "test_critic_loss_scales_with_the_critic_and_is_bounded_by_its_slope",
            "gans/objectives.py#wasserstein_estimate",
        ),
        _theory(
            "wasserstein",
            "clipping-biases-the-critic",
            "Clipping biases the critic",
            "test_clipping_biases_the_critic",
            "gans/lipschitz.py#clip_weights",
        ),
        _theory(
            "wasserstein",
            "the-gradient-penalty-is-not-exact-either",
            "The gradient penalty is softer and not exact either",
            "test_penalty_finds_the_direction_and_overshoots_the_slope",
            "gans/objectives.py#gradient_penalty",
        ),
        _theory(
            "convergence",
            "simultaneous-steps-spiral-outwards-alternating-steps-circle",
            "Gradient descent on these losses may circle the solution for ever",
            "test_alternating_steps_circle",
            "experiments/gradients/dirac_gan.py#descend",
        ),
        _theory(
            "convergence",
            "wgan-gp-does-not-converge-to-the-solution",
            "WGAN-GP with finitely many critic steps need not converge",
            "test_wgan_gp_is_driven_from_the_solution",
            "experiments/gradients/dirac_gan.py#penalty_limit",
        ),
        _theory(
            "convergence",
            "the-r1-penalty-makes-the-solution-attractive",
            "A penalty on the slope at real images (R1) makes the solution attractive",
            "test_r1_converges",
            "experiments/gradients/dirac_gan.py#dirac_gans",
        ),
    ),
    "fid": (
        _theory(
            "frechet",
            "normal-distributions-attain-the-bound",
            "The Fréchet distance bounds the transport between distributions with these moments",
            "test_linear_map_reaches_the_bound",
            "metrics/frechet.py#frechet_distance",
        ),
        _theory(
            "frechet",
            "the-bias-falls-as-one-over-n",
            "Its estimate is too high, by a bias that falls as 1/N",
            "test_leading_bias_of_a_perfect_generator",
            "metrics/frechet.py#frechet_distance",
        ),
        _measured(
            "reading-the-numbers.md#best-and-last-epoch",
            "The best epoch is chosen on other images than it is judged on",
            "evaluation/test_scoring.py#test_best_is_chosen_on_one_split_and_read_off_the_other",
            "evaluation/scoring.py#best_and_last",
        ),
        _measured(
            "reading-the-numbers.md#floors",
            "The floor is of images that no feature network has learnt from",
            "evaluation/test_scoring.py#test_floor_is_of_images_that_the_feature_network_has_not_seen",
            "evaluation/scoring.py#Scores",
        ),
        _measured(
            "reading-the-numbers.md#infinite-n",
            "Intervals of distances at infinite N cover as often as they say",
            "metrics/test_extrapolation.py#test_intervals_cover_as_they_say_whichever_side_is_small",
            "metrics/extrapolation.py#extrapolated_distance",
        ),
    ),
    "vanishing": (
        _theory(
            "vanishing-gradients",
            "the-saturating-loss-has-vanishing-gradients",
            "The saturating loss stops where it is needed",
            "test_generator_gradient_dies_with_the_saturating_loss_only",
            "gans/objectives.py#saturating_generator_loss",
        ),
        _theory(
            "vanishing-gradients",
            "the-gradient-vanishes-near-the-optimal-discriminator",
            "A discriminator near the optimum, in values and slopes, leaves no saturating gradient",
            "test_a_discriminator_near_the_optimum_leaves_no_gradient",
            "gans/objectives.py#saturating_generator_loss",
        ),
        _theory(
            "vanishing-gradients",
            "the-non-saturating-gradient-can-have-infinite-variance",
            "Under white noise the non-saturating gradient has no variance that a batch could reduce",
            "test_under_white_noise_a_batchs_gradient_is_a_cauchy_variable",
            "experiments/gradients/generator_gradients.py#gradient_statistics",
        ),
        _theory(
            "vanishing-gradients",
            "disjoint-supports",
            "Of disjoint distributions Jensen\u2013Shannon says nothing",
            "test_js_of_disjoint_supports_is_log_two_at_any_distance",
            "experiments/gradients/shifted_uniforms.py#closed_form",
        ),
        _theory(
            "vanishing-gradients",
            "the-wasserstein-distance-measures-the-shift",
            "The Wasserstein distance sees how far",
            "test_wasserstein_of_a_shift_is_its_length",
            "experiments/gradients/shifted_uniforms.py#closed_form",
        ),
    ),
    "stability": (
        _measured(
            "stability.md#measures-of-a-run",
            "Oscillation leaves out the trend",
            "experiments/stability/test_series.py#test_a_smooth_decay_is_a_trend_and_not_an_oscillation",
            "experiments/stability/series.py#oscillation",
        ),
        _measured(
            "stability.md#comparison-of-models",
            "Intervals cover about as often as they say, although runs of one seed have much in common",
            "experiments/stability/test_verdict.py#test_interval_covers_about_as_often_as_it_says",
            "experiments/stability/verdict.py#compare",
        ),
    ),
    "published": (
        _measured(
            "reading-the-numbers.md#data-splits",
            "Every published figure stands with its source, and no classifier distance beside FID",
            "reporting/test_comparison.py#test_classifier_distances_never_stand_beside_fid",
            "reporting/published.py#DistanceFigure",
        ),
    ),
}
