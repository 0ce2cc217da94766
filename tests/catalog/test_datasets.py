"""Our datasets: what goes in comes out, atomically, and equal data are equal bytes."""

import json
from pathlib import Path

import pandas as pd
import pytest
import torch
from kedro.io import DatasetError
from matplotlib.figure import Figure

from fashion_dgm.catalog.animation import AnimationDataset
from fashion_dgm.catalog.atomic import CSVDataset, JSONDataset, TextDataset
from fashion_dgm.catalog.checkpoint import CheckpointDataset
from fashion_dgm.catalog.figure import FigureDataset
from fashion_dgm.catalog.snapshots import SnapshotsDataset
from fashion_dgm.catalog.state_store import StateStoreDataset
from fashion_dgm.checkpoint import checkpoint_of
from fashion_dgm.gans.networks import Generator

TABLE = pd.DataFrame({"epoch": [1.0, 2.0], "loss": [0.1 + 0.2, float("nan")]})


def checkpoint(seed: int):
    torch.manual_seed(seed)
    return checkpoint_of(Generator(3, 2), "Generator", {"latent_dim": 3, "width": 2})


def figure() -> Figure:
    drawn = Figure(figsize=(2, 1))
    drawn.add_subplot().plot([1, 2, 3])
    return drawn


def test_json_is_sorted_and_refuses_nan(tmp_path: Path) -> None:
    dataset = JSONDataset(filepath=str(tmp_path / "m.json"))
    dataset.save({"b": 1, "a": 0.1 + 0.2})
    assert (tmp_path / "m.json").read_text().index('"a"') < (tmp_path / "m.json").read_text().index('"b"')
    with pytest.raises(DatasetError, match="JSON compliant"):
        dataset.save({"a": float("nan")})
    assert dataset.load() == {"a": 0.1 + 0.2, "b": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["m.json"]


def test_csv_keeps_every_digit(tmp_path: Path) -> None:
    dataset = CSVDataset(filepath=str(tmp_path / "t.csv"), save_args={"index": False})
    dataset.save(TABLE)
    pd.testing.assert_frame_equal(dataset.load(), TABLE, check_exact=True)


def test_text_round_trip(tmp_path: Path) -> None:
    dataset = TextDataset(filepath=str(tmp_path / "t.html"))
    dataset.save("é & <b>")
    assert dataset.load() == "é & <b>"


def test_checkpoint_previews_what_it_holds(tmp_path: Path) -> None:
    dataset = CheckpointDataset(filepath=str(tmp_path / "g.safetensors"))
    dataset.save(checkpoint(0))
    shown = json.loads(dataset.preview())
    assert (shown["architecture"], shown["config"]) == ("Generator", {"latent_dim": 3, "width": 2})
    assert shown["numbers"] == sum(tensor.numel() for tensor in Generator(3, 2).state_dict().values())


def test_failed_save_leaves_the_old_file(tmp_path: Path) -> None:
    dataset = CSVDataset(filepath=str(tmp_path / "t.csv"), save_args={"index": False})
    dataset.save(TABLE)
    before = (tmp_path / "t.csv").read_bytes()
    with pytest.raises(DatasetError):
        dataset.save("no table")
    assert (tmp_path / "t.csv").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


def test_figure_is_the_same_bytes_every_time(tmp_path: Path) -> None:
    for name in "ab":
        FigureDataset(filepath=str(tmp_path / f"{name}.png"), dpi=100).save(figure())
    content = FigureDataset(filepath=str(tmp_path / "a.png")).load()
    assert content.startswith(b"\x89PNG")
    assert content == (tmp_path / "b.png").read_bytes()


def test_animation_round_trip(tmp_path: Path) -> None:
    dataset = AnimationDataset(filepath=str(tmp_path / "folder" / "a.gif"))
    assert not dataset.exists()
    dataset.save(b"GIF89a")
    assert dataset.exists() and dataset.load() == b"GIF89a"
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["a.gif"]


def test_checkpoint_round_trip(tmp_path: Path) -> None:
    dataset = CheckpointDataset(filepath=str(tmp_path / "g.safetensors"))
    assert not dataset.exists()
    dataset.save(checkpoint(0))
    assert dataset.exists()
    torch.testing.assert_close(dict(dataset.load().weights), dict(checkpoint(0).weights))


def test_snapshots_of_a_longer_run_do_not_linger(tmp_path: Path) -> None:
    dataset = SnapshotsDataset(filepath=str(tmp_path / "s"))
    assert not dataset.exists()
    dataset.save({epoch: checkpoint(epoch) for epoch in (1, 5, 100)})
    assert list(dataset.load()) == [1, 5, 100]
    dataset.save({2: checkpoint(2)})
    loaded = dataset.load()
    assert list(loaded) == [2]
    torch.testing.assert_close(dict(loaded[2]().weights), dict(checkpoint(2).weights))
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_failed_snapshots_leave_the_old_ones(tmp_path: Path) -> None:
    dataset = SnapshotsDataset(filepath=str(tmp_path / "s"))
    dataset.save({1: checkpoint(1)})
    with pytest.raises(DatasetError):
        dataset.save({1: checkpoint(1), 2: "no checkpoint"})  # type: ignore[dict-item]
    assert list(dataset.load()) == [1]
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_state_store_always_exists_and_is_never_saved(tmp_path: Path) -> None:
    dataset = StateStoreDataset(filepath=str(tmp_path / "state"))
    assert dataset.exists()
    assert dataset.load().folder == tmp_path / "state"
    with pytest.raises(DatasetError, match="training node itself"):
        dataset.save(json)  # type: ignore[arg-type]
