"""Hostile files, given to the real commands: each is refused in a sentence, and none is executed or hangs."""

import json
import os
import shutil
import signal
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from tests.conftest import made_up_images
from tests.e2e.command import Ended, Forks, Signal, environment_of
from tests.faults.hostile import CODE, FINE, IMAGES, INCEPTION, MODELS, Payload, gzip_bomb, object_array, text
from tests.faults.report import Counts

RUN = ("kedro", "run", "--env", "test")
FLOW = "data/06_models/flow.safetensors"
SECONDS, BYTES = 60, 4 * 10**9
TOO_LONG = [Signal(signal.SIGKILL, SECONDS)]


def outcome(project: Path, ended: Ended, fine: bool = False) -> str:
    if (project / CODE).exists():
        (project / CODE).unlink()
        return "executed"
    if ended.code == -signal.SIGKILL or ended.peak > BYTES:
        return "silent"
    if "Traceback" in ended.messages or ended.code < 0:
        return "traceback"
    if ended.code == 0:
        return "harmless" if fine else "silent"
    lines = [line for line in ended.messages.splitlines() if line.strip()]
    return "refused" if lines[-1].startswith("Error: ") and lines[-1].isprintable() else "traceback"


def tell(ended: Ended) -> str:
    return f"{ended.code}, {ended.peak / 1e9:.2f} GB, {ended.seconds:.1f} s: {ended.messages.strip()[-700:]}"


@pytest.fixture
def shell(copy: Path, commands: Forks) -> Callable[..., Ended]:
    """The command in the project's folder, where a program that draws PostScript would run whatever it is given."""
    programs = copy / "programs"
    programs.mkdir()
    (programs / "gs").write_text(f"#!/bin/sh\ntouch {copy / CODE}\n")
    (programs / "gs").chmod(0o755)
    np.save(copy / "images.npy", made_up_images(120, seed=0).images)
    environment = environment_of(copy)
    environment["PATH"] = f"{programs}:{environment['PATH']}"
    return lambda *words: commands.run(copy, "fashion-dgm", *words, environment=environment, signals=TOO_LONG)


def test_images(copy: Path, shell: Callable[..., Ended], counts: Counts) -> None:
    for name, make in IMAGES.items():
        make(copy / name)
        for words in (("score", FLOW, name), ("fid", name, "--real", "images.npy")):
            ended = shell(*words)
            attack = f"hostile files: images of `fashion-dgm {words[0]}`"
            counts.add(attack, outcome(copy, ended, name in FINE), f"{name!r} {tell(ended)}")
        remove(copy / name)
    assert counts.bad == []


def test_models(copy: Path, shell: Callable[..., Ended], counts: Counts) -> None:
    for name, make in MODELS.items():
        make(copy / name)
        for words in (("score", name, "images.npy"), ("sample", name, "-o", "samples.npz")):
            ended = shell(*words)
            attack = f"hostile files: models of `fashion-dgm {words[0]}`"
            counts.add(attack, outcome(copy, ended), f"{name} {tell(ended)}")
        remove(copy / name)
    for name, make in INCEPTION.items():
        make(copy / name)
        ended = shell("fid", "images.npy", "--real", "images.npy", "--inception", name)
        counts.add("hostile files: weights of Inception", outcome(copy, ended), f"{name} {tell(ended)}")
        remove(copy / name)
    assert counts.bad == []


def test_images_of_a_run(copy: Path, commands: Forks, counts: Counts) -> None:
    """All at once: none costs the results of another."""
    names = {f"set_{number}": name for number, name in enumerate(IMAGES)}
    for name in names.values():
        IMAGES[name](copy / name)
    conf = copy / "conf" / "test" / "parameters.yml"
    parameters = yaml.safe_load(conf.read_text())
    parameters["ood_sets"]["folders"] = parameters["fid_eval"]["samples_from"] = names
    conf.write_text(yaml.safe_dump(parameters))
    data = copy / "data"
    runs = {
        "data_split": (data / "05_model_input" / "ood_sets_summary.json", statuses),
        "fid_eval": (data / "07_model_output" / "fid_metrics.json", scored),
    }
    for pipeline, (path, read) in runs.items():
        ended = commands.run(copy, *RUN, "--pipelines", pipeline, signals=[Signal(signal.SIGKILL, 600)])
        whole, found = outcome(copy, ended, fine=True), read(json.loads(path.read_text()), names)
        for key, name in names.items():
            used = "harmless" if name in FINE else "silent"
            each = whole if whole != "harmless" else used if found[key] else "refused"
            counts.add(f"hostile files: images of `kedro run --pipelines {pipeline}`", each, f"{name!r} {tell(ended)}")
    assert counts.bad == []


def statuses(summary: dict[str, Any], names: Mapping[str, str]) -> dict[str, bool]:
    """Which of the sets were used."""
    return {key: summary["sets"][key]["status"] == "used" for key in names}


def scored(metrics: dict[str, Any], names: Mapping[str, str]) -> dict[str, bool]:
    """Which of the samples were scored."""
    failed = {failure["model"] for failure in metrics["failures"]}
    return {key: key not in failed for key in names}


def instead_of(pattern: str, make: Callable[[Path], object]) -> Callable[[Path], None]:
    """Puts a file of `make` in the place of each of a project that matches."""

    def put(project: Path) -> None:
        for path in [*project.glob(pattern)]:
            path.unlink()
            make(path)

    return put


def in_conf(name: str, content: str) -> Callable[[Path], None]:
    """Adds lines to a file of parameters."""

    def put(project: Path) -> None:
        with (project / "conf" / "test" / name).open("a") as file:
            file.write(content)

    return put


RAW = "data/01_raw/fashion_mnist"
HUGE_HEADER = struct.pack(">I3I", 0x803, *[2**32 - 1] * 3)
EVIL = f"\nevil: !!python/object/apply:os.system ['touch {CODE}']\n"
# Names of lists of names of lists: ten lines of billions of items.
LAUGHS = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
LAUGHS += "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10))

RUNS: dict[str, tuple[Callable[[Path], None], str, bool]] = {
    "state_with_code": (
        instead_of("data/06_models/gan_state/*/state*.pt", lambda path: torch.save({"history": Payload()}, path)),
        "train_gan",
        True,
    ),
    "features_with_code": (instead_of("data/04_feature/feature_cache/*.npz", object_array), "fid_eval", True),
    "images_with_code": (instead_of("data/05_model_input/train.npz", object_array), "train_gan", False),
    "model_with_code": (instead_of(FLOW, MODELS["pickle.safetensors"]), "ood_eval", False),
    "raw_bomb": (instead_of(f"{RAW}/train-images-idx3-ubyte", lambda path: gzip_bomb(path, 6)), "data_split", False),
    "raw_header": (instead_of(f"{RAW}/train-images-idx3-ubyte", text(HUGE_HEADER)), "data_split", False),
    "raw_pipe": (instead_of(f"{RAW}/t10k-labels-idx1-ubyte", os.mkfifo), "data_split", False),
    "code_in_yaml": (in_conf("parameters.yml", EVIL), "data_split", False),
    "laughs_in_yaml": (in_conf("parameters_laughs.yml", LAUGHS), "data_split", False),
    "deep_yaml": (in_conf("parameters_deep.yml", "a: " + "[" * 20_000), "data_split", False),
}
"""What puts a file in place, the pipeline that reads it, and whether the run goes on without the file."""


@pytest.mark.parametrize("name", RUNS)
def test_files_of_a_project(copy: Path, commands: Forks, counts: Counts, name: str) -> None:
    put, pipeline, fine = RUNS[name]
    put(copy)
    ended = commands.run(copy, *RUN, "--pipelines", pipeline, signals=TOO_LONG)
    found = outcome(copy, ended, fine)
    found = "recovered" if found == "harmless" and "is damaged" in ended.messages else found
    counts.add("hostile files: of a project, read by `kedro run`", found, f"{name} {tell(ended)}")
    assert counts.bad == []


def remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
