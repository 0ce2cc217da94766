"""The view of MLflow's charts that `make ui` links to: losses, distances, gradient norms and samples first.

MLflow keeps a view that is shared in a tag of the experiment. By default its charts are in the order of their names.
"""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["FILTER", "TAG", "shared_view"]

TAG = "mlflow.sharedViewState.gan-and-wgan"
"""The end of the name is what the link names."""

FILTER = "tags.latest = 'true' AND tags.node LIKE 'train_%gan%'"
"""The runs that it shows."""

# What `log_samples` calls them.
IMAGES = "samples"
# MLflow's section of the metrics whose names have no slash.
OTHERS = "Model metrics"


def shared_view(charts: Mapping[str, Sequence[str]], step: int) -> str:
    """Returns the view as MLflow reads it: two wide charts in a row, so that no name is cut.

    Arguments:
        charts: by the name of their section, the metrics in their order; what is not listed follows.
        step: of the images that are shown at first.
    """
    # Grids of images stand side by side within one chart.
    sections = [_section(name, 1 if IMAGES in charts.get(name, ()) else 2) for name in (*charts, OTHERS)]
    shown = [
        {"type": "LINE", "metricKey": metric, **_chart(metric, section)}
        for section, metrics in charts.items()
        for metric in metrics
        if metric != IMAGES
    ]
    shown += [
        {"type": "IMAGE", "imageKeys": [IMAGES], "step": step, "showRunParams": False, **_chart(IMAGES, section)}
        for section, metrics in charts.items()
        if IMAGES in metrics
    ]
    state: dict[str, Any] = {
        "searchFilter": FILTER,
        # Sorted by name, runs are not hidden under their parents.
        "orderByKey": "attributes.run_name",
        "orderByAsc": True,
        "compareRunCharts": shown,
        "compareRunSections": sections,
        "isAccordionReordered": True,
        # Charts name their runs; the list would take a third of the page.
        "runListHidden": True,
        "hideEmptyCharts": True,
    }
    # As MLflow compresses it: a tag may not be longer than 5,000 characters.
    return f"deflate;{base64.b64encode(zlib.compress(json.dumps(state).encode())).decode()}"


def _section(name: str, columns: int) -> dict[str, Any]:
    flags = {"display": True, "isReordered": True, "isGenerated": True}
    return {"uuid": name, "name": name, "columns": columns, "cardHeight": 300 if columns > 1 else 400, **flags}


def _chart(name: str, section: str) -> dict[str, Any]:
    about = {"uuid": f"{section}/{name}", "displayName": name, "metricSectionId": section}
    # What a chart of MLflow's has by default.
    return about | {
        "runsCountToCompare": 10,
        "deleted": False,
        "isGenerated": True,
        "lineSmoothness": 0,
        "scaleType": "linear",
        "xAxisScaleType": "linear",
        "xAxisKey": "step",
        "selectedXAxisMetricKey": "",
        "yAxisKey": "metric",
        "yAxisExpressions": [],
        "range": {},
        "useGlobalXaxisKey": True,
        "useGlobalLineSmoothing": True,
    }
