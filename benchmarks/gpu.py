"""Everything that needs a GPU, in one command: tests, tables and long trainings; `docs/how-to/gpu-runs.md` explains it.

It needs torch, numpy, scipy, pydantic, PyYAML, safetensors and tqdm, but no Kedro, no MLflow and no network. A part that
needs another package names it if it is missing. If time runs out, the same command resumes.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

__all__ = ["PARTS", "main"]

ROOT = Path(__file__).parents[1]
REQUIRED = ("torch", "numpy", "scipy", "pydantic", "yaml", "safetensors", "tqdm")
MODELS = ("gan", "wgan", "flow", "mixture_flow", "wgan_gp")
TABLES = ("gan", "wgan", "flow", "machine")
# Seconds that a table may take: none is begun with less time left.
TABLE = 90


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the parts that the command line asks for, as far as time allows."""
    missing = _missing(*REQUIRED)
    if missing:
        raise SystemExit(
            f"{', '.join(missing)} not installed; docs/how-to/gpu-runs.md explains how to bring packages along"
        )
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument(
        "--out", type=Path, required=True, help="folder of results and states; the same command resumes from it"
    )
    parser.add_argument(
        "--parts",
        type=_listed,
        default=list(PARTS),
        help=f"parts to run, separated by commas: {','.join(PARTS)} (default: all)",
    )
    parser.add_argument("--minutes", type=float, default=8, help="time limit of all parts together (default: 8)")
    parser.add_argument("--device", default="auto", help="auto (the default), cuda or cpu")
    parser.add_argument(
        "--models",
        type=_listed,
        default=list(MODELS[:4]),
        help=f"models to train, of {','.join(MODELS)} (default: the first four)",
    )
    parser.add_argument("--seeds", type=_listed, default=["0", "1", "2"], help="seeds of each model (default: 0,1,2)")
    parser.add_argument("--epochs", type=int, help="epochs, instead of those in the parameters")
    parser.add_argument("--compile", default="none", help="speed.compile of the trainings, such as reduce-overhead")
    parser.add_argument("--parallel", type=int, help="trainings at a time (default on a GPU: the number of cores)")
    parser.add_argument("--env", default="base", help="environment of the parameters (default: base)")
    parser.add_argument(
        "--data",
        type=Path,
        default=ROOT / "data" / "05_model_input",
        help="folder of train.npz and the other splits",
    )
    given = parser.parse_args(arguments)
    for name, known in (("parts", PARTS), ("models", MODELS)):
        unknown = sorted(set(getattr(given, name)) - set(known))
        if unknown:
            parser.error(f"--{name} has no {', '.join(unknown)}; there are {', '.join(known)}")
    given.deadline = time.time() + 60 * given.minutes
    given.out.mkdir(parents=True, exist_ok=True)
    for name in given.parts:
        if time.time() >= given.deadline:
            print(f"{name}: no time is left; the same command resumes here")
        else:
            print(f"{name} ...", flush=True)
            PARTS[name](given)


def test(given: argparse.Namespace) -> None:
    """Runs the tests marked `cuda`; their output is in `tests.txt`."""
    done = given.out / "tests.json"
    if _missing("pytest"):
        print("tests: not run, because pytest is not installed")
    elif done.exists():
        print(f"tests: already run, with exit code {json.loads(done.read_text())['exit_code']}; see tests.txt")
    else:
        command = [sys.executable, "-m", "pytest", "-m", "cuda", "-rs", "-p", "no:cacheprovider", "tests/training"]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), *sys.path])}
        with (given.out / "tests.txt").open("w") as file:
            try:
                code = subprocess.run(
                    command, cwd=ROOT, env=environment, stdout=file, stderr=file, timeout=given.deadline - time.time()
                ).returncode
            except subprocess.TimeoutExpired:
                print("tests: time ran out; tests.txt shows how far they came")
                return
        done.write_text(json.dumps({"exit_code": code}))
        print((given.out / "tests.txt").read_text().splitlines()[-1])


def time_tables(given: argparse.Namespace) -> None:
    """Runs the benchmarks whose tables a GPU changes; they are saved in `tables`, in the form of `benchmarks/results`."""
    from benchmarks import results
    from benchmarks.__main__ import run
    from fashion_dgm.training.device import resolve_device

    folder, device = given.out / "tables", resolve_device(given.device)
    saved = {name for found in results.load_all(folder) for name in found["benchmarks"]}
    for name in TABLES:
        if name in saved:
            print(f"table {name}: already made")
        elif given.deadline - time.time() < TABLE:
            print(f"table {name}: no time is left")
        else:
            run(name, device, quick=False, folder=folder)


def train(given: argparse.Namespace) -> None:
    """Trains every model with every seed, several at a time."""
    from benchmarks.trainings import Training, run_in_process
    from fashion_dgm.training.device import resolve_device

    device = resolve_device(given.device)
    trainings = [
        Training(model, int(seed), given.env, str(device), given.compile, given.epochs, given.data, given.out.resolve())
        for seed in given.seeds
        for model in given.models
    ]
    # The host is what a step of these networks waits for on a GPU, so trainings share one well.
    parallel = given.parallel or (min(len(trainings), os.cpu_count() or 1) if device.type == "cuda" else 1)
    if parallel == 1:
        for training in trainings:
            if time.time() < given.deadline:
                print(training.run(given.deadline), flush=True)
        return
    with ProcessPoolExecutor(parallel, get_context("spawn")) as pool:
        running = [pool.submit(run_in_process, training, given.deadline) for training in trainings]
        for finished in as_completed(running):
            print(finished.result(), flush=True)


def measure_distances(given: argparse.Namespace) -> None:
    """Scores the snapshots of every seed: the tables `fid_by_epoch` and `sample_quality`, in the classifier's features."""
    if _missing("pandas"):
        print("distances: not computed, because pandas is not installed")
        return
    from benchmarks.inputs import block, splits
    from fashion_dgm.checkpoint import load_checkpoint
    from fashion_dgm.evaluation.feature_cache import FeatureCache
    from fashion_dgm.evaluation.real_images import RealImages
    from fashion_dgm.evaluation.samples import snapshot_sources
    from fashion_dgm.evaluation.scoring import score_samples
    from fashion_dgm.evaluation.spaces import available_spaces
    from fashion_dgm.training.device import resolve_device

    device = resolve_device(given.device)
    config = block("fid_eval", given.env, inception=False)
    spaces, _ = available_spaces(config, None, device)
    real = RealImages(splits(given.data), config.samples, config.seed, FeatureCache(None), device, config.batch_size)
    for folder in sorted(given.out.glob("seed=*")):
        results = folder / "07_model_output"
        models = {
            model: {
                int(path.stem.removeprefix("epoch_")): (lambda path=path: load_checkpoint(path))
                for path in (folder / "06_models" / f"{model}_snapshots").glob("epoch_*.safetensors")
            }
            for model in MODELS
            if (folder / "06_models" / f"{model}_generator.safetensors").exists()
        }
        done = results / "sample_quality.csv"
        newest = max((path.stat().st_mtime for path in folder.glob("06_models/*.safetensors")), default=0)
        if not models or (done.exists() and done.stat().st_mtime > newest):
            print(f"{folder.name}: nothing new")
        elif time.time() >= given.deadline:
            print(f"{folder.name}: no time is left")
        else:
            scores = score_samples(
                snapshot_sources(models, config.seed, device, config.batch_size), real, spaces, config, device
            )
            scores.by_epoch.to_csv(results / "fid_by_epoch.csv", index=False)
            scores.quality.to_csv(done, index=False)
            print(
                scores.quality[["model", "state", "epoch", "distance_test", "distance_benchmark"]].to_string(
                    index=False
                )
            )


PARTS: dict[str, Any] = {"tests": test, "tables": time_tables, "trainings": train, "distances": measure_distances}


def _missing(*packages: str) -> list[str]:
    return [name for name in packages if importlib.util.find_spec(name) is None]


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


if __name__ == "__main__":
    main()
