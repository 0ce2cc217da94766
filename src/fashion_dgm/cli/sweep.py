"""`fashion-dgm sweep`: the same trainings under many seeds and settings, several at a time.

Ray places the runs on processors and GPUs, of this machine or of a cluster (`RAY_ADDRESS`), and starts again those that
are killed. Each is a `kedro run` in a process of its own, with models and figures in a folder of its own and its record in
the same MLflow experiment as any other.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fashion_dgm.catalog.configuration import current_project
from fashion_dgm.cli.stopping import stopped
from fashion_dgm.files import atomic_path
from fashion_dgm.nested import flatten
from fashion_dgm.provenance import ORIGIN
from fashion_dgm.training.distributed.cluster import start_ray

if TYPE_CHECKING:
    import pandas as pd


__all__ = ["LostError", "Run", "runs_of", "summary", "sweep"]

# In seconds, how often a run is looked after.
LOOK_EVERY = 0.2


class LostError(RuntimeError):
    """A run was killed; it is worth another try, as one that ended with an error of its own is not."""


@dataclass(frozen=True, eq=False)
class Run:
    """One training.

    Arguments:
        pipeline: its name, which is also that of its block of parameters.
        settings: what is varied, by name within the block; the seed is always among them.
        folder: of its results, seen from the project.
    """

    pipeline: str
    settings: Mapping[str, str]
    folder: Path

    @property
    def name(self) -> str:
        """Pipeline and settings, for people."""
        return " ".join([self.pipeline, *(f"{name}={value}" for name, value in self.settings.items())])

    def command(self, env: str, parameters: str) -> list[str]:
        """The command that trains it; `parameters` are those that all runs share."""
        own = [f"{self.pipeline}.{name}={value}" for name, value in self.settings.items()]
        given = ",".join([*filter(None, [parameters]), *own, f"outputs={self.folder}"])
        return [sys.executable, "-m", "fashion_dgm", "--env", env, "--pipelines", self.pipeline, "--params", given]

    def metrics(self, project: Path) -> dict[str, float]:
        """The numbers in its metrics files, of which a pipeline may write none; of several, names begin with the file's."""
        from fashion_dgm.catalog.files import JSONDataset, loaded

        paths = sorted((project / self.folder / "07_model_output").glob("*_metrics.json"))
        values: dict[str, Any] = {}
        for path in paths:
            prefix = f"{path.stem.removesuffix('_metrics')}." if len(paths) > 1 else ""
            metrics = loaded(JSONDataset(filepath=str(path)))
            values |= flatten({name: value for name, value in metrics.items() if name != ORIGIN}, prefix)
        numbers = {name: value for name, value in values.items() if isinstance(value, int | float)}
        return {name: float(value) for name, value in numbers.items() if not isinstance(value, bool)}


def runs_of(pipelines: list[str], varied: Mapping[str, list[str]], folder: Path) -> list[Run]:
    """Returns a run for each pipeline and each combination of values, with a subfolder of `folder` each."""
    runs = []
    for pipeline in pipelines:
        for values in product(*varied.values()):
            settings = dict(zip(varied, values, strict=True))
            parts = [f"{name}={value}" for name, value in settings.items()]
            runs.append(Run(pipeline, settings, folder.joinpath(pipeline, *parts)))
    return runs


def summary(results: Mapping[Run, Mapping[str, float]]) -> pd.DataFrame:
    """Returns mean and standard deviation over the seeds (columns `mean`, `sd`, `seeds`) of each metric of each setting."""
    import pandas as pd

    rows = [
        {"pipeline": run.pipeline, **run.settings, "metric": name, "value": value}
        for run, metrics in results.items()
        for name, value in metrics.items()
    ]
    settings = dict.fromkeys(name for run in results for name in run.settings if name != "seed")
    keys = ["pipeline", *settings, "metric"]
    table = pd.DataFrame(rows, columns=[*keys, "value"]).astype({"value": float})
    groups = table.groupby(keys, sort=False)["value"]
    return groups.agg(seeds="count", mean="mean", sd="std").reset_index()


def _attend(run: Run, command: list[str], project: Path) -> None:
    """Runs `command` to its end, its output in `log.txt`; what Ray calls, on whichever machine it has chosen."""
    log = project / run.folder / "log.txt"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file, subprocess.Popen(command, cwd=project, stdout=file, stderr=file) as process:
        try:
            # Ray's request to stop does not break into a wait.
            while (code := process.poll()) is None:
                time.sleep(LOOK_EVERY)
        except BaseException:
            # Training saves its state before it ends.
            process.terminate()
            raise
    if code < 0:
        raise LostError(f"killed by {signal.Signals(-code).name}")
    if code:
        last = log.read_text(encoding="utf-8", errors="replace").split("Error: ")[-1].strip()
        raise RuntimeError(last[-2000:] or f"exit code {code}")


def _in_order_of_completion(
    runs: list[Run], commands: list[list[str]], project: Path, **options: Any
) -> Iterator[tuple[Run, str]]:
    """Yields each run with why it failed, or an empty text."""
    import ray

    task = ray.remote(**options)(_attend)
    pending = {task.remote(run, command, project): run for run, command in zip(runs, commands, strict=True)}
    try:
        while pending:
            (done,), _ = ray.wait(list(pending), num_returns=1)
            run = pending.pop(done)
            try:
                ray.get(done)
            except ray.exceptions.RayTaskError as error:
                yield run, str(error.cause)
            except ray.exceptions.RayError as error:
                yield run, str(error)
            else:
                yield run, ""
    except KeyboardInterrupt:
        for reference in pending:
            ray.cancel(reference)
        ray.wait(list(pending), num_returns=len(pending), timeout=60)
        raise


def _values(context: click.Context, parameter: click.Parameter, listed: str) -> list[str]:
    values = [value.strip() for value in listed.split(",")]
    if not all(values) or len(set(values)) < len(values):
        raise click.BadParameter(f"write different values with a comma between them, not {listed!r}")
    return values


def _varied(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, list[str]]:
    pairs = [value.partition("=")[::2] for value in values]
    if not all(name and listed for name, listed in pairs):
        raise click.BadParameter("write NAME=VALUE,VALUE, such as width=32,64")
    names = [name.strip() for name, _ in pairs]
    if "seed" in names:
        raise click.BadParameter("give seeds as --seeds 0,1,2")
    if len(set(names)) < len(names):
        raise click.BadParameter("name each parameter once, with all of its values")
    return {name: _values(context, parameter, listed) for name, (_, listed) in zip(names, pairs, strict=True)}


@click.command()
@click.option(
    "--pipelines", default="train_gan,train_wgan", callback=_values, help="Pipelines to train, separated by commas."
)
@click.option("--seeds", default="0,1,2", callback=_values, help="Seeds for each pipeline and setting.")
@click.option(
    "--vary",
    multiple=True,
    callback=_varied,
    metavar="NAME=VALUE,VALUE",
    help="A parameter of each pipeline and its values; repeat the option for all combinations.",
)
@click.option("--env", envvar="KEDRO_ENV", default="base", help="Configuration environment of all runs.")
@click.option("--params", default="", help="Further parameters of all runs, as for `kedro run`.")
@click.option("--name", help="Results go to data/sweeps/NAME; by default the environment's name.")
@click.option(
    "--cpus-per-run",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    help="CPU cores of each run; as many run at a time as fit.",
)
@click.option(
    "--gpus-per-run",
    type=click.FloatRange(min=0),
    help="GPUs of each run; a fraction lets runs share one. By default 1 if there is a GPU.",
)
@click.option("--retries", type=click.IntRange(min=0), default=1, help="How often a killed run is restarted.")
def sweep(
    pipelines: list[str],
    seeds: list[str],
    vary: dict[str, list[str]],
    env: str,
    params: str,
    name: str | None,
    cpus_per_run: float,
    gpus_per_run: float | None,
    retries: int,
) -> None:
    """Runs pipelines with several seeds, and summarises them.

    Runs go in parallel; their final metrics become one table.
    """
    from fashion_dgm.cli.messages import check_names
    from fashion_dgm.pipeline_registry import register_pipelines

    check_names(pipelines, register_pipelines(), "pipeline")
    project = current_project()
    check_names([env], [path.name for path in (project / "conf").glob("*/")], "environment")
    folder = Path("data", "sweeps", name or env)
    runs = runs_of(pipelines, {**vary, "seed": seeds}, folder)
    start_ray()
    import ray

    if gpus_per_run is None:
        gpus_per_run = 1.0 if ray.cluster_resources().get("GPU") else 0.0
    click.echo(f"{len(runs)} runs; each writes its output to log.txt in its folder under {folder}")
    commands = [run.command(env, params) for run in runs]
    options = {
        "num_cpus": cpus_per_run,
        "num_gpus": gpus_per_run,
        "max_retries": retries,
        "retry_exceptions": [LostError],
    }
    succeeded, started = [], time.monotonic()
    try:
        for run, failure in _in_order_of_completion(runs, commands, project, **options):
            click.echo(f"{time.monotonic() - started:6.0f} s  {run.name}: {failure or 'done'}")
            if not failure:
                succeeded.append(run)
    except KeyboardInterrupt:
        raise stopped() from None
    finally:
        ray.shutdown()

    if succeeded:
        table = summary({run: run.metrics(project) for run in runs if run in succeeded})
        with atomic_path(project / folder / "summary.csv") as path:
            table.to_csv(path, index=False)
        shown = "these pipelines write no metrics" if table.empty else table.to_string(index=False, float_format="%.4g")
        click.echo(f"\n{shown}\n\n{folder / 'summary.csv'}")
    if len(succeeded) < len(runs):
        raise click.ClickException(
            f"{len(runs) - len(succeeded)} of {len(runs)} runs failed. Run the same command again to resume them."
        )
