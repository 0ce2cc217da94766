import io
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from inspect import isfunction
from typing import Any

import matplotlib
import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from fashion_dgm.data.images import FASHION_CLASSES
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.experiments.stability.measures import COMPARED
from fashion_dgm.findings.criteria import Less
from fashion_dgm.findings.flow import with_benchmark
from fashion_dgm.findings.literature import LITERATURE
from fashion_dgm.findings.published import published
from fashion_dgm.findings.stability import stability
from fashion_dgm.reporting import figures
from fashion_dgm.reporting.figures.axes import LABEL_GAP
from fashion_dgm.reporting.figures.images import COLUMNS, CaptionedRow, captioned_rows
from fashion_dgm.reporting.style import DPI, VERMILLION, WIDTH, to_png
from tests.findings.test_stability import REFERENCE
from tests.reporting import drawings
from tests.reporting.drawings import (
    CLASSES,
    EVERY_FIGURE,
    FLOW_COLUMNS,
    aurocs,
    decoded,
    distances,
    gan_history,
    history,
    images,
    log_det_tables,
    scores,
    wgan_history,
)


def pixels(figure: Figure) -> np.ndarray:
    return matplotlib.image.imread(io.BytesIO(to_png(figure)))[:, :, :3]


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text)]


def captions(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.texts]


@pytest.mark.parametrize("name", EVERY_FIGURE)
def test_same_input_gives_the_same_bytes_whatever_the_users_settings(name: str) -> None:
    figure = EVERY_FIGURE[name]()
    assert figure.get_figwidth() <= WIDTH + 1e-9
    mine = {"font.size": 20, "lines.linewidth": 9, "savefig.bbox": "tight", "xtick.direction": "in", "axes.grid": False}
    with matplotlib.rc_context(mine):
        again = to_png(EVERY_FIGURE[name](), dpi=20)
        assert matplotlib.rcParams["font.size"] == 20
    assert to_png(figure, dpi=20) == again


def test_every_figure_is_drawn() -> None:
    """That of published results needs findings and has a test of its own."""
    names = {name for name, value in vars(figures).items() if isfunction(value)}
    assert names - set(EVERY_FIGURE) == {"published_comparison"}


def test_pyplot_is_never_imported() -> None:
    code = "import sys, fashion_dgm.reporting.figures; assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            figures.gan_curves({"gan": gan_history(3), "wgan": wgan_history(3)}),
            figures.gan_curves({"wgan": wgan_history(3), "gan": gan_history(3)}),
        ),
        (
            figures.flow_samples({0.7: images(2), 1.0: images(3)}, 3),
            figures.flow_samples({1.0: images(3), 0.7: images(2)}, 3),
        ),
        (figures.snapshot_strip({1: images(2), 9: images(2)}), figures.snapshot_strip({9: images(2), 1: images(2)})),
        (
            figures.fid_curves(distances(3), {"classifier": 1.0, "inception": 3.0}),
            figures.fid_curves(distances(3).iloc[::-1], {"inception": 3.0, "classifier": 1.0}),
        ),
    ],
    ids=["gan_curves", "flow_samples", "snapshot_strip", "fid_curves"],
)
def test_order_of_the_input_does_not_matter(one: Figure, other: Figure) -> None:
    assert to_png(one, dpi=50) == to_png(other, dpi=50)


# Images


def test_every_image_pixel_is_a_square_of_its_own_grey() -> None:
    image = np.arange(0, 250, 10, dtype=np.uint8).reshape(1, 1, 5, 5)
    drawn = pixels(figures.image_grid(np.repeat(image, 12, axis=0), columns=12))
    height = drawn.shape[0]
    scale = height // 5
    assert height == 5 * scale
    np.testing.assert_array_equal(np.round(drawn[::scale, : 5 * scale : scale, 0] * 255), image[0, 0])
    blocks = drawn[:, : 5 * scale].reshape(5, scale, 5, scale, 3)
    assert np.ptp(blocks, axis=(1, 3)).max() == 0


def test_bytes_and_floats_are_drawn_alike() -> None:
    whole = np.random.default_rng(0).integers(0, 256, (3, 1, 28, 28)).astype(np.uint8)
    assert to_png(figures.image_grid(whole, 2)) == to_png(figures.image_grid(whole / 255.0, 2))


def test_pixels_that_are_not_finite_stand_out() -> None:
    broken = np.full((1, 1, 4, 4), np.nan)
    np.testing.assert_allclose(pixels(figures.image_grid(broken, 1))[2, 2], to_rgb(VERMILLION), atol=1 / 255)


def test_a_class_without_images_has_an_empty_row() -> None:
    drawn = pixels(figures.class_examples(np.zeros((1, 1, 8, 8), np.uint8), np.array([0]), ("a", "b"), per_class=30))
    middle, right = drawn.shape[0] // 2, slice(DPI, None)
    assert drawn[:middle, right].min() == 0
    assert drawn[middle:, right].min() == 1


@pytest.mark.parametrize(("epochs", "rows"), [(1, 1), (8, 8), (9, 8), (100, 8)])
def test_strip_shows_first_and_last_epoch_and_no_more_than_fit(epochs: int, rows: int) -> None:
    figure = figures.snapshot_strip({epoch: images(3) for epoch in range(1, epochs + 1)})
    labels = [text.get_text() for text in figure.texts]
    assert len(labels) == rows == len(set(labels))
    assert labels[0] == "epoch 1"
    assert labels[-1] == f"epoch {epochs}"


@pytest.mark.parametrize(
    "draw",
    [
        lambda: figures.image_grid(np.zeros((0, 1, 28, 28)), 2),
        lambda: figures.image_grid(np.zeros((2, 28, 28)), 2),
        lambda: figures.image_grid(images(), 0),
        lambda: figures.class_examples(images(3), np.array([0, 1]), CLASSES, per_class=2),
        lambda: figures.flow_samples({}, 2),
        lambda: figures.snapshot_strip({}),
        lambda: figures.gan_curves({}),
        lambda: figures.flow_curve(history(0, *FLOW_COLUMNS)),
        lambda: figures.fid_curves(distances(0), {}),
        lambda: figures.ood_histogram(scores({"mnist": 2.0}), "fashion_mnist", {}),
        lambda: figures.ood_histogram(scores({"fashion_mnist": np.nan}), "fashion_mnist", {}),
        lambda: figures.auroc_matrix(aurocs(0, 0, 0)[:0], {}, "likelihood"),
        lambda: figures.likelihood_gap({}),
        lambda: figures.log_det_truncation(log_det_tables()["truncation"].iloc[:0]),
        *(partial(draw, drawings.GRADIENTS.iloc[:0]) for draw in (figures.gradient_norms, figures.gradient_variance)),
        lambda: figures.uniform_curves(drawings.UNIFORMS.iloc[:0]),
        lambda: figures.stability_curves([], REFERENCE),
        lambda: CaptionedRow(images(10)),
        lambda: CaptionedRow(images(2), above=("one",)),
        lambda: captioned_rows([]),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_a_reason(draw: Callable[[], Figure]) -> None:
    with pytest.raises(FashionDGMError):
        draw()


# Curves


@pytest.mark.parametrize(
    "figure",
    [
        figures.flow_curve(history(3, *FLOW_COLUMNS).assign(bits_per_dim=np.nan, test_bits_per_dim=np.nan)),
        figures.flow_curve(history(3, "bits_per_dim")),
        figures.gan_curves(
            {
                "wgan": wgan_history(2).assign(
                    wasserstein_estimate=np.inf, wasserstein_estimate_held_out_batch_stats=np.inf
                )
            }
        ),
        figures.fid_curves(distances(3).assign(distance=np.nan), {}),
    ],
)
def test_a_curve_without_finite_values_says_so(figure: Figure) -> None:
    assert "not recorded" in words(figure)
    assert to_png(figure, dpi=50)


def test_epochs_without_a_value_are_bridged() -> None:
    table = history(5, *FLOW_COLUMNS)
    table.loc[[1, 3], "test_bits_per_dim"] = np.nan
    held_out = figures.flow_curve(table).axes[0].lines[1]
    assert list(held_out.get_xdata()) == [1, 3, 5]


def test_losses_of_different_objectives_share_no_axis() -> None:
    figure = figures.gan_curves({"gan": gan_history(3), "wgan": wgan_history(3).assign(loss_discriminator=-100.0)})
    gan, wgan = (next(axes for axes in figure.axes if axes.get_title("left").startswith(n)) for n in ("GAN", "WGAN"))
    assert gan.get_ylim()[0] > -1 > wgan.get_ylim()[0]
    assert "y axes are not shared" in "\n".join(words(figure))


def panels(figure: Figure) -> dict[str, Axes]:
    return {axes.get_title("left").split(",")[0]: axes for axes in figure.axes}


def test_only_inception_features_are_called_fid() -> None:
    figure = figures.fid_curves(distances(3), {})
    assert set(panels(figure)) == {"Fréchet classifier distance", "FID (Inception)"}


def test_sets_are_compared_within_each_feature_space() -> None:
    found = {"GAN": {"classifier": 5.0, "efficientnet": 40.0}, "mine": {"classifier": 10.0, "efficientnet": 20.0}}
    figure = figures.feature_spaces(found, {"classifier": 1.0})
    (axes,) = figure.axes
    gan, mine, floor = (list(line.get_ydata()) for line in axes.lines)
    assert (gan, mine, floor) == ([0.5, 1.0], [1.0, 0.5], [0.1])
    assert {"GAN: 40.00", "mine: 20.00", "floor", "5.00", "10.00", "1.00"} <= set(words(figure))
    assert [label.get_text() for label in axes.get_xticklabels()] == [
        "Fréchet classifier distance",
        "Fréchet EfficientNet distance",
    ]
    assert "not recorded" in words(figures.feature_spaces({}, {"classifier": 1.0}))


def test_best_epoch_is_circled_and_the_floor_drawn() -> None:
    table = distances(6, ("classifier",))
    panel = panels(figures.fid_curves(table, {"classifier": 1.25}))["Fréchet classifier distance"]
    circled = {line.get_xdata()[0] for line in panel.lines if line.get_markersize() == 10}
    best = table.loc[table.groupby("model")["distance"].idxmin(), "epoch"]
    assert circled == set(best)
    assert any(list(line.get_ydata()) == [1.25, 1.25] for line in panel.lines)
    assert "floor 1.25" in words(panel.figure)


def test_samples_from_elsewhere_are_level_lines() -> None:
    external = {"classifier": {"mine": 7.5}}
    panel = panels(figures.fid_curves(distances(6, ("classifier",)), {}, external))["Fréchet classifier distance"]
    assert any(list(line.get_ydata()) == [7.5, 7.5] for line in panel.lines)
    assert "mine 7.5" in words(panel.figure)
    alone = figures.fid_curves(distances(6).iloc[:0], {"classifier": 1.0}, external, 2000)
    assert "mine 7.5" in words(alone) and "N = 2,000" in "\n".join(words(alone))


def test_labels_at_the_ends_keep_apart() -> None:
    table = history(3, *FLOW_COLUMNS).assign(bits_per_dim=2.0, test_bits_per_dim=2.0)
    figure = figures.flow_curve(table)
    heights = sorted(text.get_position()[1] for text in figure.axes[0].texts)
    assert heights[1] - heights[0] > 0.08


def test_labels_move_no_further_than_they_must() -> None:
    found = {name: {"classifier": value} for name, value in (("one", 5.0), ("two", 5.0), ("far", 10.0))}
    axes = figures.feature_spaces(found, {}).axes[0]
    low, high = axes.get_ylim()
    heights = {text.get_text().split(":")[0]: text.get_position()[1] for text in axes.texts}
    assert heights["far"] == pytest.approx((1 - low) / (high - low))
    assert abs(heights["one"] - heights["two"]) == pytest.approx(LABEL_GAP)
    assert (heights["one"] + heights["two"]) / 2 == pytest.approx((0.5 - low) / (high - low))


# Distributions


def test_rows_name_every_set_with_its_count_and_auroc_likeliest_first() -> None:
    table = scores({"kmnist": 4.0, "fashion_mnist": 3.0, "mnist": 2.0})
    figure = figures.ood_histogram(table, "fashion_mnist", {"mnist": "0.10 [0.09, 0.11]"})
    assert [axes.get_ylabel() for axes in figure.axes] == [
        f"{name}\nn = 200" for name in ("MNIST", "FashionMNIST", "KMNIST")
    ]
    assert "0.10 [0.09, 0.11]" in {text.get_text() for text in figure.axes[0].texts}
    assert "in-distribution" in {text.get_text() for text in figure.axes[1].texts}


def test_densities_have_the_shape_of_the_scores_and_the_in_distribution_ones_behind() -> None:
    table = scores({"fashion_mnist": 3.0, "mnist": 2.0}, 10_000)
    top = figures.ood_histogram(table, "fashion_mnist", {}).axes[0]
    means = []
    for stairs in top.patches[::2]:
        heights, edges, _ = stairs.get_data()
        assert heights.max() == 1
        means.append(float(heights @ (edges[1:] + edges[:-1]) / 2 / heights.sum()))
    assert means == pytest.approx([3.0, 2.0], abs=0.02)


def test_each_set_has_a_row_of_images_from_all_of_it() -> None:
    sets = {
        "grey_levels": np.repeat(np.arange(256, dtype=np.uint8), 784).reshape(256, 1, 28, 28),
        "one_image": np.full((1, 1, 28, 28), 7, dtype=np.uint8),
        "a_rather_long_name_of_a_users_own": np.zeros((50, 1, 28, 28), dtype=np.uint8),
    }
    figure = figures.ood_set_examples(sets, columns=3)
    assert [text.get_text() for text in figure.texts] == ["grey levels", "one image", "a rather long name of…"]
    mosaic = figure.axes[0].get_images()[0].get_array()
    assert (mosaic[10, [10, 40, 70]] * 255).round().mean(axis=1).tolist() == [0, 128, 255]
    # The ground shows where a set has no more images, and between white ones.
    assert len(set(mosaic[40, 70].tolist())) > 1 and len(set(mosaic[10, 31].tolist())) > 1


def test_far_and_equal_scores_can_be_drawn() -> None:
    far = pd.concat([scores({"fashion_mnist": 3.0}), pd.DataFrame({"dataset": ["noise"], "bits_per_dim": [np.inf]})])
    same = pd.DataFrame({"dataset": ["fashion_mnist"] * 3, "bits_per_dim": [2.0] * 3})
    assert to_png(figures.ood_histogram(far, "fashion_mnist", {}), dpi=50)
    assert to_png(figures.ood_histogram(same, "fashion_mnist", {}), dpi=50)


def test_png_carries_nothing_but_the_picture() -> None:
    png = to_png(figures.image_grid(images(1), 1))
    assert b"Software" not in png
    assert b"matplotlib" not in png.lower()
    assert int.from_bytes(png[16:20], "big") == 2 * DPI


# Generated images


def test_bars_are_the_class_fractions_of_the_last_epoch() -> None:
    gan, wgan = gan_history(4), wgan_history(3)
    figure = figures.sample_records({"gan": gan, "wgan": wgan}, FASHION_CLASSES)
    bars = figure.axes[0].containers
    for container, table in zip(bars, (gan, wgan), strict=True):
        expected = [table[f"class_fraction_{label}"].iloc[-1] for label in range(10)]
        np.testing.assert_allclose([bar.get_height() for bar in container], expected)


def test_model_without_records_leaves_its_place_empty() -> None:
    bare = gan_history(3)[["epoch", "loss_generator"]]
    figure = figures.sample_records({"gan": bare, "wgan": wgan_history(3)}, FASHION_CLASSES)
    assert all(bar.get_height() == 0 for bar in figure.axes[0].containers[0])


def test_more_models_than_colours_can_be_drawn() -> None:
    many = {f"model_{number}": gan_history(2) for number in range(9)}
    assert len(figures.sample_records(many, FASHION_CLASSES).axes[0].containers) == 9


def test_the_critics_gradient_norm_takes_the_place_of_clipped_weights() -> None:
    penalised = wgan_history(3).drop(columns="clipped_fraction").assign(critic_gradient_norm=1.0)
    assert "Gradient norm of the critic" in words(figures.gan_curves({"wgan_gp": penalised}))
    assert "Weights at the bound" in words(figures.gan_curves({"wgan": wgan_history(3)}))


# OOD scores


def test_matrix_writes_every_result_rounded_as_in_tables() -> None:
    labels = {"likelihood": "L", "typicality": "T"}
    axes = figures.auroc_matrix(aurocs(0.12345, 0.9999, 1.0), labels, "likelihood").axes[0]
    assert [t.get_text() for t in axes.texts] == [".123", "1.000", "1.000", "–"]  # noqa: RUF001
    assert [t.get_text() for t in axes.get_yticklabels()] == ["L", "T, groups of 5"]
    assert axes.get_yticklabels()[0].get_fontweight() == "bold"


def test_scores_beyond_the_axis_are_in_its_last_bar() -> None:
    rng = np.random.default_rng(0)
    far = pd.DataFrame(
        {"dataset": ["fashion_mnist"] * 500 + ["noise"] * 20, "combined": np.r_[rng.exponential(1, 500), [1e6] * 20]}
    )
    figure = figures.score_histogram(far, "combined", "fashion_mnist", {"noise": "1.000"})
    _low, high = figure.axes[0].get_xlim()
    assert high < 50
    heights, edges, _ = figure.axes[1].patches[-1].get_data()
    assert heights.max() == 1 and edges[-1] < high


# Captioned images


def test_each_image_stands_over_its_own_number() -> None:
    sample = decoded("temperature", "T = 0.5", 0.5)
    figure = figures.latent_temperatures([sample])
    heading, *shown = captions(figure)
    assert heading.startswith("T = 0.5") and shown == [f"{bits:.2f}" for bits in sample.bits_per_dim[:COLUMNS]]
    across = [text.get_position()[0] for text in figure.texts[1:]]
    assert across == sorted(across) and np.ptp(np.diff(across)) < 1e-9


def test_pixels_are_drawn_as_they_are() -> None:
    image = np.zeros((1, 1, 28, 28))
    image[0, 0, :14] = 1
    (drawn,) = captioned_rows([CaptionedRow(image, "half")]).axes[0].images
    found = np.asarray(drawn.get_array())
    assert found.shape == (140, 140, 3)
    assert (found[:70] == 1).all() and (found[70:] == 0).all()


def test_latent_figures_show_every_kind_and_true_minus_signs() -> None:
    every = drawings.LATENTS
    off_typical = captions(figures.latent_off_typical(every))
    assert {"\u22121", "784"} <= set(off_typical)
    for shown, count, starts in (
        (off_typical, 4, ("Truncated", "Constant", "Sparse", "The direction")),
        (captions(figures.latent_scales(every)), 5, ("Garments", "With", "Drawn")),
        (captions(figures.latent_interpolations(every)), 2, ("Along the sphere",)),
    ):
        assert sum(text.startswith(starts) for text in shown) == count
    assert "MNIST, encoded and decoded" in captions(figures.latent_ood(every, "MNIST"))


def test_layer_trace_shows_the_image_the_logit_and_every_coupling() -> None:
    labels = [f"{scale}.{i}" for scale in (1, 2) for i in range(1, 5)]
    assert captions(figures.layer_trace(drawings.TRACES))[1:] == ["image", "logit", *labels]


# Likelihood


def test_bars_of_a_gap_end_at_its_sum() -> None:
    (axes,) = figures.likelihood_gap({"mnist": drawings.gap()}).axes
    ends = np.array([(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches])
    assert len(ends) == 3  # ActNorm, which does nothing, is left out
    assert np.diff(ends).sum() == pytest.approx(drawings.gap()["difference"])
    assert (ends.min(), ends.max()) == pytest.approx((-2.0, 0.75))


def test_layers_begin_after_the_first_actnorm_and_skip_what_only_permutes() -> None:
    upper, lower = figures.likelihood_by_layer(drawings.layers(), "fashion_mnist", "mnist").axes
    assert upper.lines[0].get_ydata().tolist() == [8.0, 7.0, 5.0, 3.0]
    assert [label.get_text() for label in lower.get_xticklabels()] == ["start", "1.2", "1.4", "1.6"]


def test_no_two_sets_look_alike() -> None:
    axes = EVERY_FIGURE["likelihood_complexity"]().axes[0]
    x, y = axes.lines[0].get_data()
    np.testing.assert_allclose(y, 1 + 2 * x)
    styles = {(c.get_facecolor().tobytes(), c.get_paths()[0].vertices.tobytes()) for c in axes.collections}
    assert len(styles) == 10


# Log-determinants


def test_order_of_rows_does_not_decide_the_order_of_panels() -> None:
    figure = figures.log_det_truncation(log_det_tables()["truncation"].iloc[::-1])
    assert list(panels(figure)) == ["dense", "convolutional", "contracting", "trained flow"]


def test_infinite_errors_are_left_out_of_budgets() -> None:
    labels = [text.get_text() for text in EVERY_FIGURE["roulette_budget"]().legends[0].get_texts()]
    assert "2 + geometric, stop 0.1" in labels and "2 + Poisson, mean 2" not in labels


def test_infinite_variances_are_hollow() -> None:
    lines = EVERY_FIGURE["roulette_bias"]().axes[0].lines
    markers = {line.get_markerfacecolor() for line in lines if line.get_marker() == "o" and len(line.get_xdata())}
    assert "white" in markers and len(markers) > 1


# Comparisons


def test_every_compared_measure_is_drawn() -> None:
    comparisons = stability(drawings.STUDY).comparisons
    drawn = figures.stability_verdict(comparisons)
    assert len(drawn.axes) == len(COMPARED)
    assert words(drawn).count("not decided") == sum(one["verdict"] is Less.UNDECIDED for one in comparisons)


def test_results_stand_among_published_ones_the_best_on_top(metrics: dict[str, Any]) -> None:
    found = published(with_benchmark(metrics))
    assert to_png(figures.published_comparison(found)) == to_png(figures.published_comparison(found))
    likelihood, mnist, *_ = figures.published_comparison(found).axes
    assert likelihood.get_title(loc="left").startswith("Bits/dim") and mnist.get_title(loc="left") == "AUROC on MNIST"
    labels = [text.get_text() for text in mnist.get_yticklabels()]
    assert labels[:2] == ["DoSE", "this run: COMBINED, RealNVP"]
    assert labels[-1] == "this run: LIKELIHOOD, mixture flow"
    for model in ("flow", "mixture_flow", "residual_flow"):
        metrics[model]["benchmark_bits_per_dim"] = np.nan
    axes = figures.published_comparison(published(metrics)).axes[0]
    assert len(axes.get_yticklabels()) == len(LITERATURE.likelihood)


@pytest.mark.parametrize("count", [1, 12, 20])
def test_strip_has_a_column_for_each_sample(count: int) -> None:
    figure = figures.snapshot_strip({1: images(count), 2: images(count)})
    height, width = figure.axes[0].images[0].get_array().shape[:2]
    gap = height - 2 * 28
    assert width == count * 28 + (count - 1) * gap
