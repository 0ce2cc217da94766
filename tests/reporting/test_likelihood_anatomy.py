from __future__ import annotations

import math
import re
from typing import Any

import pytest

from fashion_dgm.reporting import chapters
from fashion_dgm.reporting.report import BlockChapter, ReportContent, TableBlock, TextBlock, build_report

FIGURES = (
    "likelihood_gap",
    "likelihood_by_layer",
    "way_through_the_flow",
    "likelihood_complexity",
    "perturbation_examples",
    "perturbation_curves",
)
MEASURES = ("png_bits", "total_variation", "black_share")


def term(difference: float, total: float) -> dict[str, Any]:
    return {
        "difference": difference,
        "difference_interval": [difference - 0.02, difference + 0.02],
        "share": difference / total if total else None,
        "share_interval": [difference / total - 0.01, difference / total + 0.01] if total else None,
    }


def gap(**parts: float) -> dict[str, Any]:
    total = sum(parts.values())
    return {
        "difference": total,
        "difference_interval": [total - 0.1, total + 0.1],
        "parts": {name: term(value, total) for name, value in parts.items()},
    }


def image_set(bits: float, neighbours: float) -> dict[str, Any]:
    return {
        "images": 500,
        "bits_per_dim": bits,
        "norm": 1.0,
        "neighbours": neighbours,
        "neighbours_interval": [neighbours - 0.01, neighbours + 0.01],
        "complexity": dict.fromkeys(MEASURES, 1.0),
        "spearman": {name: {"value": 0.9, "value_interval": [0.88, 0.92]} for name in MEASURES},
    }


def line(predicted: float, share: float | None) -> dict[str, Any]:
    bounds = None if share is None else [share - 0.1, share + 0.1]
    interval = [predicted - 0.1, predicted + 0.1]
    return {
        "slope": 1.0,
        "intercept": 0.0,
        "predicted": predicted,
        "predicted_interval": interval,
        "share": share,
        "share_interval": bounds,
    }


def layers(*gaps: float) -> list[dict[str, Any]]:
    kinds = ["logit", "actnorm", *["coupling"] * (len(gaps) - 2)]
    return [
        {
            "label": f"{kind} 1.{i}",
            "kind": kind,
            "scale": 1,
            "inside": 6.0 - i,
            "outside": 6.0 - i + value,
            "gap": value,
            "gap_se": 0.02,
        }
        for i, (kind, value) in enumerate(zip(kinds, gaps, strict=True))
    ]


def level(value: float, auroc: float, difference: float, changed: bool = True) -> dict[str, Any]:
    return {
        "level": value,
        "changed": changed,
        "bits_per_dim": 3.0 + difference,
        "difference": difference,
        "difference_interval": [difference - 0.01, difference + 0.01],
        "auroc": auroc,
        "auroc_interval": [auroc - 0.02, auroc + 0.02],
    }


@pytest.fixture
def metrics() -> dict[str, Any]:
    stranger = image_set(1.7, 0.05)
    stranger |= {
        "gap": gap(logit=-2.3, actnorm=0.0, coupling_1=0.6, latents_1=0.1),
        "line": dict.fromkeys(MEASURES, line(1.7, 1.0)),
    }
    return {
        "in_distribution": "fashion_mnist",
        "stranger": "mnist",
        "confidence": 0.95,
        "bootstrap": 200,
        "sets": {"fashion_mnist": image_set(3.3, 0.0), "mnist": stranger},
        "pooled": {name: {"value": 0.8, "value_interval": [0.78, 0.82]} for name in MEASURES},
        "layers": layers(7.0, -2.2, -2.0, -1.6),
        "perturbations": {
            "brightness": [
                level(0, 0.0, -3.0),
                level(0.5, 0.4, -0.2),
                level(1, 0.5, 0.0, changed=False),
                level(2, 0.2, -0.8),
            ],
            "spread": [level(0.5, 0.9, 2.0), level(1, 0.5, 0.0, changed=False)],
            "blur": [level(0, 0.5, 0.0, changed=False), level(2, 0.5, 0.0)],
        },
        "second_order": {
            "images": [60, 60],
            "moments": {
                "variance_inside": 67.9,
                "variance_outside": 52.9,
                "largest_mean_difference": 0.45,
                "eigenvalues": [-3.7, 18.1],
            },
            "gaps": {
                "pixels": {"measured": 1.6, "measured_se": 0.1, "polynomial": -11.0},
                "logits": {
                    "measured": -0.7,
                    "measured_se": 0.05,
                    "polynomial": -0.9,
                    "towards_mean": [
                        {"level": 0.0, "measured": 2.0, "measured_se": 0.1, "polynomial": 0.9},
                        {"level": 0.9, "measured": -0.11, "measured_se": 0.01, "polynomial": 0.22},
                        {"level": 1.0, "measured": 0.0, "measured_se": 0.0, "polynomial": 0.0},
                    ],
                },
            },
        },
    }


def chapter_of(metrics: dict[str, Any], png: bytes) -> BlockChapter:
    return chapters.likelihood_anatomy_chapter(metrics, dict.fromkeys(FIGURES, png))


def text_of(metrics: dict[str, Any], png: bytes) -> str:
    blocks = chapter_of(metrics, png).blocks
    return "\n".join(line for block in blocks if isinstance(block, TextBlock) for line in block.paragraphs)


def test_gap_is_shared_out_between_volume_and_latents(metrics, png) -> None:
    text = text_of(metrics, png)
    assert "MNIST needs 1.60 [1.50, 1.70] bits/dim fewer than FashionMNIST" in text
    assert "account for \u22121.70 of this, 106%; the latents for +0.10, \u22126%" in text
    assert "The latents point the other way" in text and "What misleads the flow is volume" in text
    assert "The largest single term is the logit: \u22122.30" in text


def test_finding_tells_what_the_gap_is_made_of(metrics, png) -> None:
    sentence = chapter_of(metrics, png).finding
    assert sentence.startswith("MNIST needs 1.60 [1.50, 1.70] bits/dim fewer than FashionMNIST.")
    assert "log-determinants" in sentence and "latents" in sentence


def test_latents_that_mislead_are_not_acquitted(metrics, png) -> None:
    metrics["sets"]["mnist"]["gap"] = gap(logit=-0.2, latents_1=-1.4)
    text = text_of(metrics, png)
    assert "the latents for \u22121.40, 88%" in text
    assert "point the other way" not in text
    assert "The largest single term is the latents, scale 1" in text


def test_dear_strangers_and_equal_ones(metrics, png) -> None:
    metrics["sets"]["mnist"]["gap"] = gap(logit=2.0, latents_1=-0.3)
    text = text_of(metrics, png)
    assert "bits/dim more than FashionMNIST" in text and "volume that makes MNIST dear" in text
    metrics["sets"]["mnist"]["gap"] = gap(logit=0.01, latents_1=0.01)
    text = text_of(metrics, png)
    assert "this run shows no gap to explain" in text and "largest single term" not in text


@pytest.mark.parametrize(
    ("gaps", "words"),
    [
        ((7.0, -2.2, -2.0, -1.6), "narrows the gap; it does not make it"),
        ((7.0, -1.0, -1.2, -1.6), "before the flow has looked at any neighbouring pixel"),
        ((7.0, -0.4, -1.2, -1.6), "arises in the couplings"),
        ((7.0, 0.4, -1.2, -1.6), "it is the couplings that make the gap"),
        ((7.0, 0.4, -1.2, -0.01), "no clear gap"),
    ],
)
def test_layers_are_blamed_for_what_they_do(metrics, png, gaps, words: str) -> None:
    metrics["layers"] = layers(*gaps)
    assert words in text_of(metrics, png)


@pytest.mark.parametrize(
    ("neighbours", "words"),
    [(0.05, "More of MNIST is left"), (-0.05, "Less of MNIST is left"), (0.0, "intervals overlap")],
)
def test_what_is_left_in_the_latents(metrics, png, neighbours: float, words: str) -> None:
    metrics["sets"]["mnist"] |= image_set(1.7, neighbours)
    assert words in text_of(metrics, png)


def test_complexity_accounts_for_the_gap_only_where_it_does(metrics, png) -> None:
    text = text_of(metrics, png)
    assert "That is 100% [90%, 110%] of the gap" in text and "it counts bits" in text
    metrics["sets"]["mnist"]["line"] = dict.fromkeys(MEASURES, line(3.0, 0.2))
    text = text_of(metrics, png)
    assert "it counts bits" not in text and "None of the measures by itself accounts for the gap" in text
    assert "Complexity is not all that counts" in text and "MNIST (1.70 against 3.00)" in text


def test_closest_measure_is_named_and_constants_are_left_out(metrics, png) -> None:
    spearman = metrics["sets"]["fashion_mnist"]["spearman"]
    spearman["black_share"] = {"value": -0.97, "value_interval": [-0.98, -0.96]}
    spearman["png_bits"] = {"value": None, "value_interval": None}
    assert "most closely with its share of black pixels: rank correlation \u22120.97" in text_of(metrics, png)
    metrics["sets"]["fashion_mnist"]["spearman"] = {name: {"value": None, "value_interval": None} for name in MEASURES}
    assert "No measure of complexity varies" in text_of(metrics, png)


def test_perturbations_are_told_by_their_strongest_clear_effects(metrics, png) -> None:
    text = text_of(metrics, png)
    assert "Multiplying the pixels by 2 makes images likelier (\u22120.80 bits/dim, AUROC 0.200" in text
    assert "Multiplying the pixels by 0" not in text
    assert "Multiplying the deviation from the mean image by 0.5 makes images less likely (+2.00" in text
    assert "Blur changes bits/dim by no more than the intervals allow for" in text


@pytest.mark.parametrize(
    ("differences", "words"),
    [
        ((-1.0, -0.5), "Here they are, at every level"),
        ((1.0, 0.5), "Here they are less likely, at every level"),
        ((1.0, -0.5), "Here they are at 1 of 2 levels, and less likely at 1"),
    ],
)
def test_spread_about_the_mean_image_is_compared_with_the_argument(metrics, png, differences, words: str) -> None:
    rows = [level(0.3 + 0.3 * i, 0.5 + 0.1 * d, d) for i, d in enumerate(differences)]
    metrics["perturbations"]["spread"] = [*rows, level(1, 0.5, 0.0, changed=False)]
    text = text_of(metrics, png)
    assert words in text
    assert "the logits of pixels by a = 0.9, without rounding, the log-density changes by \u22120.11 bits/dim" in text
    assert "the polynomial says +0.22" in text and "about the mean in pixels" not in text


def test_polynomial_is_judged_by_sign_and_size(metrics, png) -> None:
    text = text_of(metrics, png)
    assert (
        "below in mean log-density, while the log-density itself puts it 1.60 above: the polynomial has the wrong sign"
        in text
    )
    assert "puts it 0.70 below: the polynomial is of the right sign and size" in text
    assert "Measured in pixels, MNIST is the likelier set; measured in logits, it is the less likely one" in text
    metrics["second_order"]["gaps"] = {"pixels": {"measured": 0.1, "measured_se": 0.1, "polynomial": 11.0}}
    text = text_of(metrics, png)
    assert "within the noise of zero" in text and "only together with the coordinates" not in text
    metrics["second_order"]["gaps"] = {"pixels": {"measured": 1.0, "measured_se": 0.1, "polynomial": 11.0}}
    assert "the right sign, but 11.0 times the size" in text_of(metrics, png)


def test_variances_are_told_as_they_are(metrics, png) -> None:
    assert "vary less in sum" in text_of(metrics, png) and "but not less in every direction" in text_of(metrics, png)
    metrics["second_order"]["moments"] |= {"variance_outside": 90.0, "eigenvalues": [0.1, 3.0]}
    text = text_of(metrics, png)
    assert "vary more in sum" in text and "vary less in every direction, too" in text


def test_terms_stand_in_the_order_of_the_flow(metrics, png) -> None:
    # A JSON file sorts names.
    parts = metrics["sets"]["mnist"]["gap"]["parts"]
    metrics["sets"]["mnist"]["gap"]["parts"] = {name: parts[name] for name in sorted(parts)}
    table = next(block for block in chapter_of(metrics, png).blocks if isinstance(block, TableBlock))
    assert [cells[0] for cells in table.rows] == ["logit", "ActNorm", "couplings, scale 1", "latents, scale 1", "sum"]


def test_nothing_finite_leads_to_no_conclusion(metrics, png) -> None:
    def broken(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: item if key == "level" else broken(item) for key, item in value.items()}
        if isinstance(value, list):
            return [broken(item) for item in value]
        return math.nan if isinstance(value, float) else value

    chapter = chapter_of(broken(metrics), png)
    html = re.sub(r"base64,[^\"]*", "", build_report(ReportContent("t", (chapter,))))
    assert re.search(r"\b(nan|inf)\b", html, re.IGNORECASE) is None
    for conclusion in ("What misleads", "narrows the gap", "is left:", "counts bits", "makes images", "Here they"):
        assert conclusion not in html


def test_chapter_can_be_put_into_a_report(metrics, png) -> None:
    html = build_report(ReportContent("t", (chapter_of(metrics, png),)))
    assert "Likelihood decomposition" in html and "Serrà" in html
