"""The lineage as a static site, built by the real command."""

from __future__ import annotations

import json
from pathlib import Path

from fashion_dgm.pipeline_registry import DEFAULT


def test_site_opens_on_the_pipelines_alone(lineage: Path) -> None:
    assert '"?types=nodes"' in (lineage / "index.html").read_text()
    root = json.loads((lineage / "api" / "main").read_text())["modular_pipelines"]["__root__"]["children"]
    # What is neither a dataset nor the parameters of one is drawn: a box for each pipeline, and no node outside of one.
    assert {child["id"] for child in root if child["type"] not in ("data", "parameters")} == set(DEFAULT)


def test_site_has_previews_of_results(lineage: Path) -> None:
    nodes = json.loads((lineage / "api" / "main").read_text())["nodes"]
    kinds = {}
    for node in nodes:
        if node["type"] == "data":
            about = json.loads((lineage / "api" / "nodes" / node["id"]).read_text())
            kinds[node["name"]] = about.get("preview_type") if about.get("preview") else None
    assert kinds["gan_strip_figure"] == kinds["gan_animation"] == kinds["train"] == "ImagePreview"
    assert kinds["gan_history"] == "TablePreview"
    assert kinds["gan_generator"] == kinds["gan_metrics"] == "JSONPreview"
