"""Curves of distance over seconds, on made-up images."""

import json
from pathlib import Path

import pytest
from benchmarks import time_to_quality
from benchmarks.time_to_quality import MODELS, REFERENCE, TIMES, TimeIsUp, Watch, main, rows

from tests.conftest import made_up_images


def points(*pairs: tuple[float, float]) -> list[dict[str, float]]:
    return [{"seconds": seconds, "images": 0, "distance": distance} for seconds, distance in pairs]


def test_measurements_come_in_time_and_are_not_on_the_clock() -> None:
    now = 0.0

    def measure(generator: object) -> float:
        nonlocal now
        now += 1000
        return 1.0

    watch = Watch(measure, 64, clock=lambda: now)
    with pytest.raises(TimeIsUp):
        for step in range(1000):
            now += 1
            watch(lambda: None, step)
    seconds = [point["seconds"] for point in watch.points]
    assert seconds[0] == 1 and seconds[-1] == 64
    # Never before it is due, and at most a step after.
    assert all(any(0 <= second - 64 * time < 1 for time in TIMES) for second in seconds)


def test_the_target_stops_a_model_at_its_first_measurement_as_good() -> None:
    distances = iter([9.0, 5.0, 4.0, 3.0])
    seconds = iter(range(10_000))
    watch = Watch(lambda generator: next(distances), 64, target=4.5, clock=lambda: float(next(seconds)))
    with pytest.raises(TimeIsUp):
        for step in range(1000):
            watch(lambda: None, step)
    assert [point["distance"] for point in watch.points] == [9, 5, 4]


def test_rows_compare_with_the_mean_of_the_reference_at_its_end() -> None:
    curves = [
        {"model": REFERENCE, "seed": 0, "points": points((2, 50), (100, 6))},
        {"model": REFERENCE, "seed": 1, "points": points((2, 50), (100, 4))},
        {"model": "GAN", "seed": 0, "points": points((5, 5), (100, 2))},
        {"model": "GAN", "seed": 1, "points": points((5, 9), (15, 5), (50, 7), (100, 2))},
        {"model": "WGAN", "seed": 0, "points": points((100, 5.1))},
    ]
    reference, gan, wgan = rows(curves, 100)
    assert (reference.ours, reference.ratio) == (100, None)
    assert (gan.ours, gan.ratio, gan.goal, gan.met) == (10, (10, 100 / 15, 20), ">= 10x", True)
    assert (wgan.ours, wgan.ratio, wgan.met) == (None, None, None)
    assert "seeds: 1; 0 of them" in wgan.note


def test_command_measures_every_model_once_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    images = {"train": made_up_images(96, seed=0), "benchmark": made_up_images(200, seed=1)}
    monkeypatch.setattr(time_to_quality, "splits", lambda: images)
    options = "--until-reached --minutes 0.003 --samples 150 --env test --device cpu --out"
    command = [*options.split(), str(tmp_path)]
    main([*command, "--seeds", "1", "--only", "GAN"])
    saved = json.loads((tmp_path / "time_to_quality.json").read_text())["curves"]
    assert [curve["model"] for curve in saved] == [REFERENCE, "GAN"]
    main([*command, "--seeds", "1"])
    curves = json.loads((tmp_path / "time_to_quality.json").read_text())["curves"]
    assert curves[:2] == saved and {curve["model"] for curve in curves} == set(MODELS)
    target = saved[0]["points"][-1]["distance"]
    for curve in curves:
        assert [*curve["points"][-1]] == ["seconds", "images", "distance"]
        last = curve["points"][-1]
        assert last["images"] % 32 == 0
        assert last["seconds"] >= 0.18 or (curve["model"] != REFERENCE and last["distance"] <= target)
    assert (tmp_path / "time_to_quality.png").exists()
    with pytest.raises(SystemExit, match="other settings"):
        main([*command, "--samples", "100"])
    assert "plain loop" in capsys.readouterr().out
