"""Which feature space decides on the generator that is registered as the best."""

from typing import Any

import pandas as pd
import pytest

from fashion_dgm.pipelines import tracking
from tests.evaluation.test_scoring import generator

BEST = {"classifier": 2, "efficientnet": 3, "inception": 1}


@pytest.mark.parametrize(
    ("spaces", "decides"),
    [(("classifier", "efficientnet"), "classifier"), (("classifier", "efficientnet", "inception"), "inception")],
)
def test_fid_decides_or_else_the_classifier(
    monkeypatch: pytest.MonkeyPatch, spaces: tuple[str, ...], decides: str
) -> None:
    rows = [
        {"model": "gan", "epoch": e, "feature_space": s, "split": split, "distance": 1.0 if e == BEST[s] else 9.0}
        for s in spaces
        for e in (1, 2, 3)
        for split in ("test", "benchmark")
    ]
    logged: list[dict[str, Any]] = []
    monkeypatch.setattr(tracking, "_put", lambda call, **arguments: logged.append(arguments))
    # Without its decorator, which lets it do nothing outside of a run.
    tracking.log_distances.__wrapped__(
        pd.DataFrame(rows), {"gan": {e: generator() for e in (1, 2, 3)}}, dict.fromkeys(("test", "benchmark"), "ab")
    )
    (of_the_model,) = (call for call in logged if "best" in call)
    assert of_the_model["weights"]["best"]["epoch"] == BEST[decides]
    assert list(of_the_model["best"][-1]["version"]) == [f"{decides}_distance_to_test"]
