from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure

from fashion_dgm.config import RealNVPConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.experiments.latent_space.decoded import DecodedSamples
from fashion_dgm.experiments.likelihood import trace
from fashion_dgm.flows import RealNVP
from fashion_dgm.reporting import figures
from fashion_dgm.reporting.figures.captioned import COLUMNS, CaptionedRow, captioned_rows
from fashion_dgm.reporting.style import DPI, WIDTH, to_png

RNG = np.random.default_rng(0)


def samples(experiment: str, variant: str, level: float | None = None, n: int = 12) -> DecodedSamples:
    images = RNG.integers(0, 256, (n, 1, 28, 28)).astype(np.uint8)
    bits, norm = RNG.uniform(1, 5, n), RNG.uniform(0, 2, n)
    return DecodedSamples(experiment, variant, images, bits, norm, norm, level)


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.texts]


def test_each_image_stands_over_its_own_number() -> None:
    sample = samples("temperature", "T = 0.5", 0.5)
    figure = figures.latent_temperatures([sample])
    shown = words(figure)
    assert shown[0].startswith("T = 0.5")
    assert shown[1:] == [f"{bits:.2f}" for bits in sample.bits_per_dim[:COLUMNS]]
    assert figure.get_size_inches()[0] == pytest.approx(WIDTH)
    across = [text.get_position()[0] for text in figure.texts[1:]]
    assert across == sorted(across) and np.ptp(np.diff(across)) < 1e-9


def test_pixels_are_drawn_as_they_are() -> None:
    image = np.zeros((1, 1, 28, 28))
    image[0, 0, :14] = 1
    (drawn,) = captioned_rows([CaptionedRow(image, "half")]).axes[0].images
    pixels = np.asarray(drawn.get_array())
    assert pixels.shape == (140, 140, 3)
    assert (pixels[:70] == 1).all() and (pixels[70:] == 0).all()


def test_rows_that_cannot_be_laid_out_are_refused() -> None:
    image = np.zeros((10, 1, 4, 4))
    with pytest.raises(FashionDGMError, match="at most 9"):
        CaptionedRow(image)
    with pytest.raises(FashionDGMError, match="as many captions"):
        CaptionedRow(image[:2], above=("one",))
    with pytest.raises(FashionDGMError, match="no rows"):
        captioned_rows([])


def test_latent_figures_show_every_kind_and_true_minus_signs() -> None:
    every = [
        samples("truncation", "cut", 1.0),
        *(samples("constant", f"all {value}", value, 1) for value in (-1.0, 0.0)),
        *(samples("active", f"{k} active", k) for k in (784, 1)),
        *(samples("radius", f"radius {r}", r) for r in np.linspace(0, 2, 15)),
        *(samples("swap", f"scale {k}", k) for k in (1, 2)),
        *(samples("silent", f"scale {k}", k) for k in (1, 2)),
        *(samples(path, f"t = {t}", t) for path in figures.PATH_NAMES for t in (0.0, 0.5, 1.0)),
        samples("in_distribution", "as it is"),
        samples("ood", "as it is"),
        samples("ood", "encoded and decoded"),
        *(samples("mixture", f"scale {k}", k) for k in (1, 2)),
        *(samples("noise", f"s = {s}", s) for s in (0.0, 1.0)),
    ]
    shown = words(figures.latent_off_typical(every))
    assert "\u22121" in shown and "784" in shown
    assert len([word for word in shown if word.startswith(("Truncated", "Constant", "Sparse", "The direction"))]) == 4
    assert len([w for w in words(figures.latent_scales(every)) if w.startswith(("Garments", "With", "Drawn"))]) == 5
    assert words(figures.latent_interpolations(every)).count("Along the sphere") == 2
    assert "MNIST, encoded and decoded" in words(figures.latent_ood(every, "MNIST"))
    rows = [
        {"experiment": path, "level": t, "bits_per_dim": 3.0, "bits_per_dim_interval": [2.9, 3.1], "norm": 1.0}
        for path in figures.PATH_NAMES
        for t in (0.0, 0.5, 1.0)
    ]
    assert len(figures.latent_paths(rows, (2.0, 4.0)).axes[1].lines) == 4


def test_bars_of_a_gap_end_at_its_sum() -> None:
    parts = {"logit": -2.0, "actnorm": 0.0, "coupling_1": 0.5, "latents_1": 0.25}
    gap = {
        "difference": sum(parts.values()),
        "difference_interval": [-1.3, -1.2],
        "parts": {name: {"difference": value} for name, value in parts.items()},
    }
    (axes,) = figures.likelihood_gap({"mnist": gap}).axes
    widths = [bar.get_width() for bar in axes.patches]
    assert sum(widths) == pytest.approx(gap["difference"])
    assert len(widths) == 3  # ActNorm, which does nothing, is left out
    left = min(min(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches)
    right = max(max(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches)
    assert (left, right) == pytest.approx((-2.0, 0.75))
    with pytest.raises(FashionDGMError, match="no sets"):
        figures.likelihood_gap({})


def test_layers_begin_after_the_first_actnorm_and_skip_what_only_permutes() -> None:
    kinds = ["logit", "actnorm", "coupling", "actnorm", "coupling", "squeeze", "coupling"]
    rows = [
        {
            "label": f"{kind} 1.{i}",
            "kind": kind,
            "scale": 1,
            "inside": 9.0 - i,
            "outside": 8.0 - i,
            "gap": -1.0,
            "gap_se": 0.1,
        }
        for i, kind in enumerate(kinds)
    ]
    upper, lower = figures.likelihood_by_layer(rows, "fashion_mnist", "mnist").axes
    assert upper.lines[0].get_ydata().tolist() == [8.0, 7.0, 5.0, 3.0]
    assert [label.get_text() for label in lower.get_xticklabels()] == ["start", "1.2", "1.4", "1.6"]


def test_complexity_and_perturbations_can_be_drawn() -> None:
    table = pd.DataFrame(
        {
            "dataset": np.repeat(["fashion_mnist", *(f"set_{i}" for i in range(9))], 20),
            "png_bits": RNG.uniform(1, 8, 200),
            "bits_per_dim": RNG.uniform(1, 8, 200),
        }
    )
    figure = figures.likelihood_complexity(table, "fashion_mnist", (2.0, 1.0))
    x, y = figure.axes[0].lines[0].get_data()
    np.testing.assert_allclose(y, 1 + 2 * x)
    styles = {(c.get_facecolor().tobytes(), c.get_paths()[0].vertices.tobytes()) for c in figure.axes[0].collections}
    assert len(styles) == 10  # no two sets look alike
    rows = [
        {
            "level": v,
            "changed": v != 1,
            "difference": v,
            "difference_interval": [v, v],
            "auroc": 0.5,
            "auroc_interval": [0.4, 0.6],
        }
        for v in (0.0, 1.0)
    ]
    assert len(figures.perturbation_curves({"brightness": rows, "blur": rows}).axes) == 4
    examples = [("blur", level, np.zeros((1, 28, 28), np.uint8), 3.0) for level in (0.0, 1.0)]
    assert "1" in words(figures.perturbation_examples(examples))


def test_layer_trace_shows_the_image_the_logit_and_every_coupling() -> None:
    config = RealNVPConfig(
        scales=2, checkerboard_couplings=3, channel_couplings=2, hidden_channels=4, residual_blocks=0, logit_alpha=1e-6
    )
    image = RNG.integers(0, 256, (1, 1, 8, 8)).astype(np.uint8)
    with torch.no_grad():
        way = trace(RealNVP(config, (1, 8, 8)), torch.rand(1, 1, 8, 8))
    figure = figures.layer_trace({"MNIST": (image, way)})
    labels = [*(f"1.{i}" for i in range(1, 6)), *(f"2.{i}" for i in range(1, 6))]
    assert words(figure)[1:] == ["image", "logit", *labels]
    assert to_png(figure, dpi=DPI // 4)
