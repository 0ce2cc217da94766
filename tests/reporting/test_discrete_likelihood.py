from __future__ import annotations

from typing import Any

import pytest

from fashion_dgm.reporting import chapters
from fashion_dgm.reporting.chapters.discrete_likelihood import discrete_likelihood_blocks
from fashion_dgm.reporting.report import NoteBlock, TableBlock, TextBlock
from fashion_dgm.reporting.wording import NOT_APPLICABLE


def found(effective: float = 1.2, **bits: float) -> dict[str, Any]:
    bits = bits or {"1": 3.0, "16": 2.96, "256": 2.94}
    return {
        "images": 20,
        "bits_per_dim": bits,
        "bits_per_dim_error": dict.fromkeys(bits, 0.1),
        "gain": {k: bits["1"] - value for k, value in bits.items()},
        "gain_error": dict.fromkeys(bits, 0.004),
        "effective_draws": effective,
    }


def parts(flows: dict[str, Any]) -> tuple[str, TableBlock]:
    text, table = discrete_likelihood_blocks(flows)
    assert isinstance(text, TextBlock)
    assert isinstance(table, TableBlock)
    return " ".join(text.paragraphs), table


def test_nothing_measured_is_nothing_said() -> None:
    assert discrete_likelihood_blocks({}) == ()


def test_the_table_has_every_flow_by_rising_draws() -> None:
    text, table = parts({"residual_flow": found(**{"1": 3.5, "4": 3.4}), "flow": found()})
    assert table.columns == ("Flow", "Images", "K = 1", "K = 4", "K = 16", "K = 256", "Fall", "Effective draws")
    real_nvp, residual = table.rows
    assert real_nvp == (
        "RealNVP",
        "20",
        "3.000 ± 0.100",
        NOT_APPLICABLE,
        "2.960 ± 0.100",
        "2.940 ± 0.100",
        "0.060 ± 0.004",
        "1.2 of 256",
    )
    assert residual[0] == "Residual Flow"
    assert residual[3] == "3.400 ± 0.100"
    assert "RealNVP by 0.060 ± 0.004 bits/dim from K = 1 to K = 256" in text


@pytest.mark.parametrize(("effective", "converged"), [(1.1, False), (200.0, True), (float("nan"), False)])
def test_a_bound_that_still_falls_is_called_that(effective: float, converged: bool) -> None:
    text, _ = parts({"flow": found(effective)})
    assert ("has not converged" in text) != converged


def test_it_stands_in_the_chapter_on_the_flow_with_its_source(metrics: dict[str, Any], png: bytes) -> None:
    chapter = chapters.flow_chapter(metrics["flow"], png, png, {"flow": found()})
    assert "From dequantised images to pixels" in [getattr(block, "heading", "") for block in chapter.blocks]
    assert any("Burda" in source for source in chapter.sources)
    plain = chapters.flow_chapter(metrics["flow"], png, png)
    assert not any("Burda" in source for source in plain.sources)
    (note,) = [block for block in plain.blocks if isinstance(block, NoteBlock)]
    assert "exact for the density of the dequantised image" in note.paragraphs[0]
    assert "upper bound on the bits of its 8-bit pixels" in note.paragraphs[0]
