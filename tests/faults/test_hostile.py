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
from tests.faults.hostile import CODE, FINE, IMAGES, INCEPTION, MODELS, Payload, gzip_bomb, object_array
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
            each = (
                whole
                if whole != "harmless"
                else "refused"
                if not found[key]
                else "harmless"
                if name in FINE
                else "silent"
            )
            counts.add(f"hostile files: images of `kedro run --pipelines {pipeline}`", each, f"{name!r} {tell(ended)}")
    assert counts.bad == []


def statuses(summary: dict[str, Any], names: Mapping[str, str]) -> dict[str, bool]:
    """Which of the sets were used."""
    return {key: summary["sets"][key]["status"] == "used" for key in names}


def scored(metrics: dict[str, Any], names: Mapping[str, str]) -> dict[str, bool]:
    """Which of the samples were scored."""
    failed = {failure["model"] for failure in metrics["failures"]}
    return {key: key not in failed for key in names}


def state_with_code(project: Path) -> str:
    for path in (project / "data" / "06_models" / "gan_state").glob("*/state*.pt"):
        torch.save({"history": Payload()}, path)
    return "--pipelines train_gan"


def bomb(project: Path, name: str, make: Callable[[Path], object]) -> None:
    path = project / "data" / "01_raw" / "fashion_mnist" / name
    path.unlink()
    make(path)


def features_with_code(project: Path) -> str:
    for path in (project / "data" / "04_feature" / "feature_cache").glob("*.npz"):
        object_array(path)
    return "--pipelines fid_eval"


def images_with_code(project: Path) -> str:
    object_array(project / "data" / "05_model_input" / "train.npz")
    return "--pipelines train_gan"


def model_with_code(project: Path) -> str:
    MODELS["pickle.safetensors"](project / "data" / "06_models" / "flow.safetensors")
    return "--pipelines ood_eval"


def raw_bomb(project: Path) -> str:
    bomb(project, "train-images-idx3-ubyte", lambda path: gzip_bomb(path, 6))
    return "--pipelines data_split"


def raw_header(project: Path) -> str:
    bomb(
        project, "train-images-idx3-ubyte", lambda path: path.write_bytes(struct.pack(">I3I", 0x803, *[2**32 - 1] * 3))
    )
    return "--pipelines data_split"


def raw_pipe(project: Path) -> str:
    bomb(project, "t10k-labels-idx1-ubyte", os.mkfifo)
    return "--pipelines data_split"


def code_in_yaml(project: Path) -> str:
    conf = project / "conf" / "test" / "parameters.yml"
    conf.write_text(f"{conf.read_text()}\nevil: !!python/object/apply:os.system ['touch {CODE}']\n")
    return "--pipelines data_split"


def laughs_in_yaml(project: Path) -> str:
    """Names of lists of names of lists: ten lines of billions of items."""
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    (project / "conf" / "test" / "parameters_laughs.yml").write_text("\n".join(lines))
    return "--pipelines data_split"


def deep_yaml(project: Path) -> str:
    (project / "conf" / "test" / "parameters_deep.yml").write_text("a: " + "[" * 20_000)
    return "--pipelines data_split"


RUNS = {
    make.__name__: (make, fine)
    for make, fine in (
        *((state_with_code, True), (features_with_code, True), (images_with_code, False), (model_with_code, False)),
        *((raw_bomb, False), (raw_header, False), (raw_pipe, False)),
        *((code_in_yaml, False), (laughs_in_yaml, False), (deep_yaml, False)),
    )
}
"""By name, what puts a file in place and returns the options of the run, and whether the run goes on without the file."""


@pytest.mark.parametrize("name", RUNS)
def test_files_of_a_project(copy: Path, commands: Forks, counts: Counts, name: str) -> None:
    make, fine = RUNS[name]
    ended = commands.run(copy, *RUN, *make(copy).split(), signals=TOO_LONG)
    found = outcome(copy, ended, fine)
    found = "recovered" if found == "harmless" and "is damaged" in ended.messages else found
    counts.add("hostile files: of a project, read by `kedro run`", found, f"{name} {tell(ended)}")
    assert counts.bad == []


def remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
