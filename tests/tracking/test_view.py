"""The view that `make ui` links to, as MLflow reads it."""

import base64
import json
import zlib
from typing import Any

import yaml

from fashion_dgm.tracking.view import shared_view
from tests.conftest import ROOT


def read(view: str) -> dict[str, Any]:
    return json.loads(zlib.decompress(base64.b64decode(view.removeprefix("deflate;"))))


def test_the_projects_view_fits_a_tag_and_keeps_the_order() -> None:
    charts = yaml.safe_load((ROOT / "conf" / "base" / "tracking.yml").read_text())["charts"]
    view = shared_view(charts, step=3)
    # MLflow refuses longer ones.
    assert len(view) < 5000
    state = read(view)
    assert [section["name"] for section in state["compareRunSections"]] == [*charts, "Model metrics"]
    lines = [chart["metricKey"] for chart in state["compareRunCharts"] if chart["type"] == "LINE"]
    assert lines == [name for names in charts.values() for name in names if name != "samples"]
    (image,) = (chart for chart in state["compareRunCharts"] if chart["type"] == "IMAGE")
    assert image["imageKeys"] == ["samples"] and image["step"] == 3
    known = {section["uuid"] for section in state["compareRunSections"]}
    assert {chart["metricSectionId"] for chart in state["compareRunCharts"]} <= known
