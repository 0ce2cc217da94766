from __future__ import annotations

from typing import Any

import pytest

from fashion_dgm.provenance import ORIGIN
from fashion_dgm.reporting.chapters import reverse_blocks
from fashion_dgm.reporting.report import NoteBlock, TableBlock


def auroc(value: float) -> dict[str, Any]:
    return {"auroc": value, "auroc_interval": [value - 0.01, value + 0.01]}


@pytest.fixture
def reverse(metrics: dict[str, Any]) -> dict[str, Any]:
    def model(likelihood: float, combined: float) -> dict[str, Any]:
        scores = {"likelihood": likelihood, "combined": combined, "combined_without_flow": 0.8}
        results = {
            score: {name: auroc(value) for name in ("black", "fashion_mnist")} for score, value in scores.items()
        }
        return {"results": results, "in_distribution": {"bits_per_dim": 1.5}}

    definitions = {
        score: {"label": score.replace("_", " "), "uses_flow": score != "combined_without_flow"}
        for score in ("likelihood", "combined", "combined_without_flow")
    }
    found = {
        "in_distribution": {"name": "mnist", "images": 1000},
        "sets": {name: {"images": 500} for name in ("black", "fashion_mnist")},
        "model": "RealNVP",
        "models": {"MixtureFlow": model(0.97, 0.99), "RealNVP": model(0.95, 0.98)},
        "definitions": definitions,
        "confidence": 0.95,
        "bootstrap": 500,
    }
    return metrics | {"mnist_ood": found}


def test_nothing_is_shown_of_a_direction_that_was_not_run(metrics: dict[str, Any]) -> None:
    assert reverse_blocks(metrics) == ()


def test_both_flows_have_their_columns_and_fashion_mnist_is_the_first_row(reverse: dict[str, Any]) -> None:
    (table,) = (block for block in reverse_blocks(reverse) if isinstance(block, TableBlock))
    assert table.columns == (
        *("Set", "Images", "likelihood, RealNVP", "likelihood, mixture flow", "combined, RealNVP"),
        *("combined, mixture flow", "combined without flow"),
    )
    assert table.rows[0][:4] == ("FashionMNIST", "500", "0.950 [0.940, 0.960]", "0.970 [0.960, 0.980]")
    assert table.rows[1][0] == "black images"
    assert "trained on MNIST" in table.caption


def test_directions_with_other_parameters_or_mismatches_say_so(reverse: dict[str, Any]) -> None:
    assert not any(isinstance(block, NoteBlock) for block in reverse_blocks(reverse))
    for name, epochs in {"mnist_flow": 3, "flow": 100}.items():
        reverse[name] = {ORIGIN: {"parameters": {"train_flow": {"epochs": epochs, "batch_size": 64}}}}
    reverse["mnist_ood"][ORIGIN] = {"parameters": {"mnist_ood_sets": {"seed": 0}}, "mismatches": ["other images"]}
    (note,) = (block for block in reverse_blocks(reverse) if isinstance(block, NoteBlock))
    assert "`train_flow.epochs` is 3, not 100." in note.paragraphs[0] and "batch_size" not in note.paragraphs[0]
    assert note.paragraphs[1] == "Not comparable: other images."
