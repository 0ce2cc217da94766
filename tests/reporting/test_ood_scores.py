"""Any choice of OOD scores, from the nodes of `ood_eval` to the report."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pytest

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.ood.scores import SCORES
from fashion_dgm.pipelines.ood_eval import nodes
from fashion_dgm.reporting.compose import compose
from tests.ood.helpers import config
from tests.pipelines.test_ood_eval import flow, images
from tests.reporting.conftest import CONFIG


def detection(kept: int, **chosen: Any) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    settings = config(max_images=20, benchmark_images=20, group_sizes=[2], **chosen)
    snapshots = {epoch: lambda epoch=epoch: flow(epoch) for epoch in range(1, kept + 1)}
    sets = {"mnist": images(20, 2), "black": images(20, 3)}
    scores, fitted = nodes.score_images(flow(0), snapshots or None, images(70, 0), images(20, 1), sets, settings)
    return scores, *nodes.measure_detection(scores, fitted, {}, settings)[::2]


OF_FLOW_AND_IMAGES = [name for name, score in SCORES.items() if not score.uses_labels and name != "likelihood_ratio"]


@pytest.mark.parametrize("score", OF_FLOW_AND_IMAGES)
def test_one_score_alone_is_drawn_and_reported(score: str, run: dict[str, Any], figures: Mapping[str, bytes]) -> None:
    scores, table, metrics = detection(1, scores=[score], primary_score=score)
    for draw, data in ((nodes.plot_scores, scores), (nodes.plot_primary_score, scores), (nodes.plot_matrix, table)):
        assert draw(data, metrics).axes
    chapters = compose({**run, "ood": metrics}, figures, {}, CONFIG, None).chapters
    table = next(chapter.markdown for chapter in chapters if chapter.anchor == "ood")
    assert f"| {metrics['definitions'][score]['label']} | " in table


def test_a_primary_score_that_cannot_be_computed_is_replaced_by_another_one() -> None:
    _, _, metrics = detection(0, scores=["waic", "likelihood"], primary_score="waic")
    assert metrics["primary_score"] == "likelihood"


def test_scores_none_of_which_can_be_computed_are_an_error() -> None:
    with pytest.raises(FashionDGMError, match=r"not one .* can be computed. waic: its training kept no weights"):
        detection(0, scores=["waic"], primary_score="waic")
