"""Whatever stands in a block of parameters is accepted or refused in a line for each mistake; nothing is a traceback."""

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

import psutil
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from kedro.config import OmegaConfigLoader
from kedro.validation import TypeExtractor
from pydantic import TypeAdapter

from fashion_dgm.cli.messages import refusals
from fashion_dgm.pipeline_registry import register_pipelines
from fashion_dgm.settings import CONFIG_LOADER_ARGS
from tests.conftest import ROOT

MODELS = TypeExtractor(register_pipelines()).extract_types_from_pipelines()
SHIPPED = OmegaConfigLoader(str(ROOT / "conf"), "test", **CONFIG_LOADER_ARGS)["parameters"]
MEMORY = 25 * 10**9


def leaves(values: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The places of a block, its inner blocks included."""
    if isinstance(values, Mapping):
        for name, value in values.items():
            yield (*path, name)
            yield from leaves(value, (*path, name))


def changed(values: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    values = copy.deepcopy(values)
    place = values
    for name in path[:-1]:
        if not isinstance(place.get(name), dict):
            place[name] = {}
        place = place[name]
    place[path[-1]] = value
    return values


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-3, 3),
    st.integers(0, 70).map(lambda power: 10**power),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["all", "likelihood", "cpu", "~", "\0", "a" * 5000]),
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("name", sorted(MODELS))
@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(data=st.data())
def test_a_block_with_any_values_is_accepted_or_refused_in_lines(name: str, data: st.DataObject) -> None:
    values = SHIPPED[name]
    for _ in range(data.draw(st.integers(1, 3))):
        values = changed(values, data.draw(st.sampled_from(sorted(leaves(SHIPPED[name])))), data.draw(anything))
    lines = refusals(MODELS[name], values, name)
    assert all(line.startswith(f"  {name}") and "\n" not in line and len(line) < 1000 for line in lines)
    if not lines:
        TypeAdapter(MODELS[name]).validate_python(values).model_dump_json()


REFUSED = {
    "train_gan.width=1000000": "needs about 5.1 PB of memory",
    "train_gan.batch_size=100000000": "needs about",
    "train_gan.distributed={processes_per_node: 1000000}": "cores runs at most",
    "train_gan.records.neighbours=41": "there are only 40 samples",
    "train_flow.model.hidden_channels=1000000": "model is .* needs about",
    "train_flow.model.scales=4": "at most 3 scales",
    "train_flow.max_gradient_norm=-.inf": "greater than 0",
    "train_flow.optimizer.learning_rate=.inf": "must be finite",
    "train_classifier.max_shift=28": "out of sight",
    "ood_sets.max_images=1000000000": "needs about 6.3 TB of memory, and this machine has 25.0 GB",
    "ood_eval.group_sizes=[61]": "a group of 61 is larger than a set of 60 images",
    "ood_eval.components=61": "is fitted to 60",
    "ood_eval.residual_flow_images=1": "0 leaves the Residual Flow out",
    "ood_eval.reference_images=1": "there are only 1 reference images",
    "ood_eval.samples=1000000": "at most 2,000",
    "ood_eval.bootstrap=1000000000": "needs about",
    "fid_eval.neighbours=60": "less than samples, 60",
    "fid_eval.memory_megabytes=1000000": "needs about 1.0 TB",
    "latent_space.active=[785]": "784 coordinates",
    "latent_space.constants=[.nan]": "must be finite",
    "log_det_study.draws=1000000000": "needs about",
    "log_det_study.probes=[1000000]": "a variance needs 50 means",
    "report.animation_milliseconds=131080": "at most 131,070",
    "report.grid_columns=101": "at most 100",
    "stability.seeds=1000000000": "needs about",
    "train_gan.epochs=10000000000000": "beyond 1,000,000,000,000",
}


@pytest.mark.parametrize("change", REFUSED)
def test_what_no_run_can_give_is_refused(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"total": MEMORY}))
    path, text = change.split("=")
    name, *inner = path.split(".")
    values = changed(SHIPPED[name], tuple(inner), yaml.safe_load(text))
    lines = refusals(MODELS[name], values, name)
    assert re.search(REFUSED[change], "".join(lines)), lines


def test_a_budget_pays_for_a_series() -> None:
    values = SHIPPED["log_det_study"] | {"truncations": [5], "budgets": [1]}
    (line,) = refusals(MODELS["log_det_study"], values, "log_det_study")
    assert "none pays for the shortest series, of 5 terms" in line


def test_an_infinite_bound_of_gradients_is_none() -> None:
    values = SHIPPED["train_flow"] | {"max_gradient_norm": float("inf")}
    assert refusals(MODELS["train_flow"], values, "train_flow") == []
