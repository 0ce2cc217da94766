"""Time to quality: the distance of a generator's samples over the seconds of its training.

The reference is the GAN of the tutorials' loop (`benchmarks.reference_gan`) after some minutes of wall-clock time. How soon
is each model here as good? All are trained on one machine, one after the other, and compared by the Fréchet classifier
distance to the official test images. The clock stops while a generator is measured, but not for loading, saving and
everything else that `kedro run` does within training.

    python -m benchmarks.time_to_quality --minutes 10 --seeds 3 [--until-reached]

takes minutes x seeds x models, less with `--until-reached`, and a third more to measure. Each curve is saved when it is
complete, so the same command resumes.
"""

import argparse
import contextlib
import dataclasses
import json
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import torch

from benchmarks import results
from benchmarks.hardware import commit, describe
from benchmarks.inputs import block, splits
from benchmarks.logs import epochs_logged_to
from benchmarks.reference_gan import PlainGAN
from benchmarks.results import Row
from benchmarks.timing import wait_for
from fashion_dgm.classifier.reference import reference_classifier
from fashion_dgm.config import AdamConfig, AdversarialConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.evaluation.features import classifier_space
from fashion_dgm.files import atomic_path
from fashion_dgm.gans.networks import Generator, averaged_generator
from fashion_dgm.gans.steps import AdversarialStep
from fashion_dgm.metrics.frechet import Gaussian, frechet_distance
from fashion_dgm.training.device import resolve_device
from fashion_dgm.training.loop import train
from fashion_dgm.training.store import StateStore

__all__ = ["Watch", "main", "rows", "seconds_to_reach"]

REFERENCE = "plain loop, GAN"
AVERAGED = {"ema_decay": 0.999}
FASTER = {"optimizer": AdamConfig(name="adam", learning_rate=1e-3, betas=(0.5, 0.999))}
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    REFERENCE: ("train_gan", {}),
    "GAN": ("train_gan", {}),
    "GAN, moving average": ("train_gan", AVERAGED),
    "GAN, 32 channels, moving average": ("train_gan", {**AVERAGED, "width": 32}),
    "GAN, 32 channels, moving average, learning rate 1e-3": ("train_gan", {**AVERAGED, "width": 32, **FASTER}),
    "GAN, 16 channels, moving average, learning rate 1e-3": ("train_gan", {**AVERAGED, "width": 16, **FASTER}),
    "GAN, float32": ("train_gan", {"precision": "float32"}),
    "WGAN": ("train_wgan", {}),
    "WGAN-GP, tuned": ("train_wgan_gp", {}),
}
GOAL = 10.0
# Each measurement comes at 1.4 times the seconds of the one before, the first at a 64th of the time.
TIMES = [2 ** (-k / 2) for k in range(12, -1, -1)]
# Images between two looks at the clock: seconds of training on two cores.
INTERVAL = {"cpu": 3200}

Point = dict[str, float]
Curve = dict[str, Any]


class TimeIsUp(Exception):
    """Training has had its seconds, or is as good as it had to be."""


class Watch:
    """Measures a generator while it is trained; what that takes is not on the clock.

    Arguments:
        measure: returns a generator's distance.
        seconds: until training is stopped.
        target: a distance that stops it earlier, at the first measurement at or below; None for none.
        synchronize: waits for work that the device has only queued.
        clock: gives seconds.
    """

    def __init__(
        self,
        measure: Callable[[Generator], float],
        seconds: float,
        target: float | None = None,
        synchronize: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.points: list[Point] = []
        self._measure, self._synchronize, self._clock = measure, synchronize, clock
        self._target = -math.inf if target is None else target
        self._due = [seconds * fraction for fraction in TIMES]
        self._began = clock()

    def __call__(self, generator: Callable[[], Generator], images: int) -> None:
        """Looks at the clock, and measures if it is time; to be called after some steps of training.

        Arguments:
            generator: returns the generator to measure.
            images: how many the discriminator has seen.

        Raises:
            TimeIsUp: after the last measurement, or the first that reaches the target.
        """
        self._synchronize()
        now = self._clock()
        elapsed = now - self._began
        if elapsed < self._due[0]:
            return
        self._due = [due for due in self._due if due > elapsed]
        self.points.append({"seconds": elapsed, "images": images, "distance": self._measure(generator())})
        self._began += self._clock() - now
        if not self._due or self.points[-1]["distance"] <= self._target:
            raise TimeIsUp


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains and measures what is not saved yet, prints the table and draws the curves."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.time_to_quality", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="minutes of training for each model and seed")
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds, from 0 on")
    parser.add_argument(
        "--only",
        action="append",
        choices=MODELS,
        help="a model to compare with the reference; repeat for several (default: all)",
    )
    parser.add_argument(
        "--until-reached", action="store_true", help="stop a model once it is as good as the reference at its end"
    )
    parser.add_argument("--samples", type=int, default=10_000, help="samples for each distance")
    parser.add_argument("--env", default="base", help="environment of the parameters (default: base)")
    parser.add_argument("--device", default="auto", help="auto (the default), cpu or cuda")
    parser.add_argument("--out", type=Path, default=results.FOLDER, help="folder of the results")
    given = parser.parse_args(arguments)
    device = resolve_device(given.device)
    settings = {
        "minutes": given.minutes,
        "until_reached": given.until_reached,
        "samples": given.samples,
        "env": given.env,
        "hardware": describe(str(device)),
    }
    path = given.out / "time_to_quality.json"
    curves = _saved(path, settings)
    images = splits()
    measure = _measure(images["benchmark"], given.samples, device)
    models = [name for name in MODELS if name in (REFERENCE, *(given.only or MODELS))]
    # The reference comes first, since its distance stops the others.
    runs = sorted(product(range(given.seeds), models), key=lambda run: run[1] != REFERENCE)
    for seed, name in runs:
        if not any((curve["model"], curve["seed"]) == (name, seed) for curve in curves):
            target = None if name == REFERENCE or not given.until_reached else _target(curves)
            watch = Watch(measure, 60 * given.minutes, target, wait_for(device))
            with epochs_logged_to(None):
                _train(name, seed, given.env, device, images["train"], watch)
            curves.append({"model": name, "seed": seed, "commit": commit(), "points": watch.points})
            print(f"{name}, seed {seed}: {watch.points[-1]['distance']:.2f}", flush=True)
            with atomic_path(path) as temporary:
                temporary.write_text(json.dumps({**settings, "curves": curves}, indent=1) + "\n", encoding="utf-8")
    table = rows([curve for curve in curves if curve["model"] in models], 60 * given.minutes)
    results.save("time_to_quality", "Time to quality", table, str(device), False, given.out)
    print(results.plain(table))
    _draw(curves, path.with_suffix(".png"))


def seconds_to_reach(points: Sequence[Point], distance: float) -> float | None:
    """Returns the seconds of the first measurement at or below `distance`, or None if there is none."""
    return next((point["seconds"] for point in points if point["distance"] <= distance), None)


def rows(curves: Sequence[Curve], limit: float) -> list[Row]:
    """Returns a row for each model: its seconds to the mean distance that the reference has after `limit` seconds."""
    by_model: dict[str, list[Sequence[Point]]] = {}
    for curve in curves:
        by_model.setdefault(curve["model"], []).append(curve["points"])
    target = _target(curves)
    found = [_row(name, runs, target, limit) for name, runs in by_model.items()]
    best = max((row for row in found if row.ratio), key=lambda row: row.ratio[0], default=None)
    goal = {"goal": f">= {GOAL:g}x", "met": best is not None and best.ratio[0] >= GOAL}
    return [dataclasses.replace(row, **goal) if row is best else row for row in found]


def _target(curves: Sequence[Curve]) -> float:
    """Returns the mean distance of the reference at its end."""
    return statistics.mean(curve["points"][-1]["distance"] for curve in curves if curve["model"] == REFERENCE)


def _row(name: str, runs: Sequence[Sequence[Point]], target: float, limit: float) -> Row:
    finals = [points[-1]["distance"] for points in runs]
    spread = f" ± {statistics.stdev(finals):.2f}" if len(finals) > 1 else ""
    note = f"last distance: {statistics.mean(finals):.2f}{spread}, seeds: {len(finals)}"
    reached = [seconds for points in runs if (seconds := seconds_to_reach(points, target)) is not None]
    if name == REFERENCE:
        return Row(name, limit, "s", note=f"{note}; the others' seconds are those to this mean")
    if len(reached) < len(runs):
        return Row(name, None, "s", limit, note=f"{note}; {len(reached)} of them reached it")
    ratios = [limit / seconds for seconds in reached]
    mean = statistics.mean(reached)
    return Row(name, mean, "s", limit, (limit / mean, min(ratios), max(ratios)), note=note)


def _saved(path: Path, settings: Mapping[str, Any]) -> list[Curve]:
    if not path.exists():
        return []
    saved = json.loads(path.read_text(encoding="utf-8"))
    if any(saved[name] != value for name, value in settings.items()):
        raise SystemExit(f"{path} has curves of other settings or of another machine; choose another folder with --out")
    return saved["curves"]


def _measure(real: ImageSet, samples: int, device: torch.device) -> Callable[[Generator], float]:
    space = classifier_space(reference_classifier(), device)
    fitted = Gaussian.fit(space(torch.from_numpy(real.images), device, batch_size=500))

    def distance(generator: Generator) -> float:
        fake = generator.sample(samples, torch.Generator().manual_seed(0))
        return frechet_distance(fitted, Gaussian.fit(space(fake, device, batch_size=500)))

    return distance


def _train(name: str, seed: int, env: str, device: torch.device, images: ImageSet, watch: Watch) -> None:
    """Trains until the watch says that time is up."""
    parameters, changes = MODELS[name]
    config = block(parameters, env, seed=seed, device=str(device), **changes)
    with contextlib.suppress(TimeIsUp):
        if name == REFERENCE:
            _train_plain(config, device, images, watch)
        else:
            _train_ours(config, device, images, watch)


def _train_plain(config: AdversarialConfig, device: torch.device, images: ImageSet, watch: Watch) -> None:
    torch.manual_seed(config.seed)
    loop = PlainGAN(config, device)
    while True:
        # As the tutorial loads them.
        loop.epoch(
            images,
            workers=2,
            after_step=lambda: watch(lambda: loop.generator, len(loop.history) * config.batch_size),
        )


def _train_ours(config: AdversarialConfig, device: torch.device, images: ImageSet, watch: Watch) -> None:
    def evaluate(step: AdversarialStep) -> dict[str, float]:
        def generator() -> Generator:
            return step.generator if step.average is None else averaged_generator(step.average.average, config)

        watch(generator, step.discriminator_steps * config.batch_size)
        return {}

    interval = min(config.images_per_epoch or len(images), INTERVAL.get(device.type, len(images)))
    endless = config.model_copy(update={"epochs": 10**6, "images_per_epoch": interval})
    with tempfile.TemporaryDirectory() as folder:
        train(
            partial(AdversarialStep, endless),
            images,
            endless,
            StateStore(Path(folder)),
            ("fashion_dgm.gans", "fashion_dgm.training"),
            evaluate=evaluate,
        )


def _draw(curves: Sequence[Curve], path: Path) -> None:
    """Draws every curve, one colour a model."""
    from matplotlib.figure import Figure

    from fashion_dgm.reporting.style import CYCLE, WIDTH, styled, to_png

    @styled
    def figure() -> Figure:
        drawn = Figure(figsize=(WIDTH, 4), layout="constrained")
        panel = drawn.subplots()
        for name, colour in zip(MODELS, CYCLE, strict=False):
            for number, curve in enumerate(curve for curve in curves if curve["model"] == name):
                points = curve["points"]
                panel.plot(
                    [point["seconds"] for point in points],
                    [point["distance"] for point in points],
                    color=colour,
                    linestyle="--" if name == REFERENCE else "-",
                    label=name if number == 0 else None,
                )
        panel.set(xscale="log", yscale="log", xlabel="seconds of training", ylabel="Fréchet classifier distance")
        drawn.legend(loc="outside upper center")
        return drawn

    path.write_bytes(to_png(figure()))


if __name__ == "__main__":
    main()
