"""States of runs: what was damaged, or may not be read, is never taken for a state."""

import functools
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.training.store import Progress, StateStore
from tests.damage import DAMAGES
from tests.training.helpers import NoisyStep, run, same

STATE = {"step": {"weights": torch.arange(100.0)}, "history": [{"epoch": 1.0, "loss": 0.5}], "snapshots": {}}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_state_falls_back_to_the_one_before(tmp_path: Path, damage: str) -> None:
    store, rng = StateStore(tmp_path).open({"seed": 0}), random.Random(0)
    before = {**STATE, "history": []}
    fell_back = 0
    for _ in range(20):
        store.save(before)
        store.save(STATE)
        path = store.folder / "state.pt"
        path.write_bytes(DAMAGES[damage](path.read_bytes(), rng))
        found = store.load()
        assert found is not None
        assert torch.equal(found["step"]["weights"], STATE["step"]["weights"])
        assert found["history"] in (STATE["history"], [])
        # What is damaged is out of the way, or the next save would put it in the place of the good one.
        damaged = path.with_suffix(".damaged")
        assert damaged.exists() == (found["history"] == [])
        fell_back += damaged.exists()
        damaged.unlink(missing_ok=True)
    # A state is small here; what lies between its parts is of no consequence.
    assert fell_back > 8


def test_only_other_runs_are_a_reason_to_start_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    store = StateStore(tmp_path)
    for variant in ("", "-5-epochs"):
        store.open({"seed": 0}, variant)
    assert "starting anew" not in caplog.text
    store.open({"seed": 1})
    assert "starting anew, because of seed: 0 -> 1" in caplog.text


def test_the_state_of_another_run_is_not_taken_for_this_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    one, other = (StateStore(tmp_path).open({"seed": seed}) for seed in (0, 1))
    one.save(STATE)
    shutil.copy(one.folder / "state.pt", other.folder)
    assert other.load() is None and one.load() is not None
    assert f"it is the state of another run, {one.folder.name}" in caplog.text


def test_a_state_that_may_not_be_read_is_neither_damaged_nor_trained_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first = run(tmp_path)
    original = Path.open

    def denied(self: Path, mode: str = "r", *args: Any, **options: Any) -> Any:
        if self.name == "state.pt" and "r" in mode:
            raise PermissionError(13, "Permission denied", self)
        return original(self, mode, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", denied)
        with pytest.raises(FashionDGMError, match=r"state\.pt cannot be read: Permission denied"):
            run(tmp_path)
    assert "damaged" not in caplog.text and not list(tmp_path.glob("*/*.damaged"))
    monkeypatch.setattr(NoisyStep, "step", None)
    assert same(first, run(tmp_path))


def test_a_finished_state_without_numbers_is_not_reused(tmp_path: Path) -> None:
    run(tmp_path)
    (path,) = tmp_path.glob("*/state.pt")
    state = torch.load(path, weights_only=True)
    state["step"]["layer"]["weight"].fill_(float("nan"))
    torch.save(state, path)
    with pytest.raises(FashionDGMError, match="weights of the layer of the saved state are NaN or infinite: delete"):
        run(tmp_path)


def test_a_long_computation_goes_on_after_the_parts_that_were_kept(tmp_path: Path) -> None:
    def results(computed: list[str], seed: int = 0, stop_at: str = "") -> list[Any]:
        def compute(part: str) -> dict[str, Any]:
            if part == stop_at:
                raise KeyboardInterrupt
            computed.append(part)
            return {"numbers": torch.arange(3.0) / 7, "rows": [(part, 0.1, None)]}

        progress = Progress(StateStore(tmp_path / "progress"), {"seed": seed})
        found = [progress(part, functools.partial(compute, part), kept) for part in "abcd"]
        progress.finish()
        return [(result["numbers"].tolist(), result["rows"]) for result in found]

    def kept(result: dict[str, Any]) -> bool:
        return result["rows"][0][0] != "b"

    first, second, third = [], [], []
    with pytest.raises(KeyboardInterrupt):
        results(first, stop_at="d")
    resumed = results(second)
    assert (first, second) == ([*"abc"], [*"bd"])
    assert not (tmp_path / "progress").exists()
    with pytest.raises(KeyboardInterrupt):
        results([], stop_at="d")
    assert resumed == results(third, seed=1)
    assert third == [*"abcd"]
