"""Mistakes in configuration files: one message each, before anything runs."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import psutil
import pytest

from fashion_dgm import settings
from fashion_dgm.cli.configuration import check_configuration, check_outputs
from fashion_dgm.cli.project import _check, run
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.pipeline_registry import register_pipelines
from fashion_dgm.pipelines import blocks
from fashion_dgm.pipelines.conf_files import ConfigurationError, check_files
from tests.conftest import ROOT

PIPELINES = register_pipelines()


def check(source: Path, env: str | None = "test", **parameters: Any) -> None:
    files = check_files(source, env)
    loader = settings.ConfigLoader(str(source), env, runtime_params=parameters, **settings.CONFIG_LOADER_ARGS)
    check_configuration(loader, source, files, PIPELINES)


PARAMETERS, GLOBALS, CATALOG = "test/parameters.yml", "test/globals.yml", "test/catalog.yml"
BILLIONS = "a0: &a0 [1]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
MISTAKES = {
    "syntax": (PARAMETERS, "train_gan: [1, 2\n", r"parameters\.yml, line 96: .*expected ',' or '\]'"),
    "syntax in base": ("base/parameters_train_gan.yml", "a: [1\n", r"base/parameters_train_gan\.yml, line 28: "),
    "tab": (PARAMETERS, "x:\n\ty: 1\n", r"parameters\.yml, line 96: found character .*cannot start"),
    "repeated name": (PARAMETERS, "train_gan: {}\n", r"parameters\.yml, line 95: found duplicate key train_gan"),
    "name in two files": (
        "test/parameters_2.yml",
        "train_gan: {epochs: 3}\n",
        r"Duplicate keys found in .*train_gan\.epochs",
    ),
    "control character": (PARAMETERS, "a: \x01\n", r"parameters\.yml is not YAML: .*control characters|special"),
    "unknown global": (GLOBALS, "sede: 3\n", r"globals\.yml sets sede, .* did you mean seed\?"),
    "billions of values": (PARAMETERS, BILLIONS, r"parameters\.yml expands to [\d,]{14,} values through its aliases"),
    "unknown entry": (CATALOG, "trian: {type: json.JSONDataset, filepath: a}\n", "trian.*did you mean train"),
    "entry without type": (CATALOG, "train: {filepath: a}\n", "the catalog's entry train has no `type`"),
    "entry that is a text": (CATALOG, "train: a\n", "the catalog's entry train has no `type`"),
    "unknown type": (CATALOG, "train: {type: nosuch.Dataset}\n", "the catalog's entry train: .*nosuch"),
    "unknown argument": (
        CATALOG,
        "train: {type: fashion_dgm.catalog.image_set.ImageSetDataset, filepat: a}\n",
        "entry train: .* has no filepat; did you mean filepath",
    ),
    "unknown credentials": (
        CATALOG,
        "train: {type: fashion_dgm.catalog.image_set.ImageSetDataset, filepath: 's3://a/b', credentials: s3}\n",
        "Unable to find credentials 's3'",
    ),
    "absent variable": (
        "test/credentials.yml",
        "s3: {key: '${oc.env:NO_SUCH_VARIABLE}'}\n",
        "^the configuration: Environment variable 'NO_SUCH_VARIABLE' not found$",
    ),
    "wrong parameter of another pipeline": (PARAMETERS, "data_split: {test_fraction: 2}\n", "data_split.test_frac"),
}
"""By lines that are added to a file."""

REPLACED = {
    "list of names": (GLOBALS, "[1]\n", r"globals\.yml holds a list"),
    "not UTF-8": (PARAMETERS, "a: \udcff\n", r"parameters\.yml is not UTF-8: .* byte 3"),
    "emptied file": (PARAMETERS, "", r"parameters\.yml is empty; restore it"),
    "missing global": ("base/globals.yml", "seed: 0\n", r"^(train|stab|\w+).*: Globals key '\w+' not found"),
    "unknown tracking": ("test/tracking.yml", "enabeld: true\n", r"tracking.enabeld .* did you mean enabled\?"),
    "wrong tracking": ("test/tracking.yml", "enabled: maybe\n", "tracking.enabled is 'maybe': "),
    "unknown logging": ("logging.yml", "version: 1\nlogers: {}\n", "logging has no logers; did you mean loggers"),
}
"""By files with other contents."""


def write(conf: Path, file: str, text: str, mode: str = "a") -> None:
    with (conf / file).open(mode, encoding="utf-8", errors="surrogateescape") as opened:
        opened.write(text)


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "conf", tmp_path / "conf", ignore=shutil.ignore_patterns("local"))
    (tmp_path / "conf" / "local").mkdir()
    return tmp_path / "conf"


@pytest.mark.parametrize("mistake", [*MISTAKES, *REPLACED])
def test_a_mistake_in_a_file_is_one_message_that_names_it(conf: Path, mistake: str) -> None:
    file, text, expected = (MISTAKES | REPLACED)[mistake]
    write(conf, file, text, "a" if mistake in MISTAKES else "w")
    with pytest.raises(ConfigurationError, match=expected) as caught:
        check(conf)
    assert len(str(caught.value).splitlines()) <= 2


def test_an_environment_without_files_is_refused(conf: Path) -> None:
    shutil.rmtree(conf / "test")
    (conf / "test").mkdir()
    with pytest.raises(ConfigurationError, match="environment test is empty"):
        check(conf)


@pytest.mark.parametrize("env", [None, *sorted(path.name for path in (ROOT / "conf").iterdir() if path.is_dir())])
def test_every_environment_of_the_project_is_right_and_fits_a_small_machine(
    conf: Path, env: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=25 * 10**9))
    check(conf, env)


def test_entries_and_globals_of_the_users_own_are_let_be(conf: Path) -> None:
    write(conf, CATALOG, "my_notes: {type: text.TextDataset, filepath: a.txt}\n")
    write(conf, GLOBALS, "mine: 5\n")
    write(conf, PARAMETERS, 'stability: {seeds: "${globals:mine}"}\n')
    (conf / PARAMETERS).write_text(
        (conf / PARAMETERS).read_text().replace("stability: {", "gan_spectral: {}\n_old: {", 1)
    )
    check(conf)


@pytest.mark.parametrize("value", [[], {}, 3, {"a": 3}])
def test_a_runtime_parameter_of_another_kind_is_one_message(conf: Path, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"samples_from|fid_eval|check --params"):
        check(conf, fid_eval={"samples_from": value} if value != {} else 3)


def test_a_parameter_of_one_model_changes_no_other() -> None:
    """All trainings take `${globals:speed}` and `${globals:distributed}`."""
    given = {"train_gan": {"speed": {"channels_last": False}, "distributed": {"max_restarts": 5}}}
    plain, changed = (
        settings.ConfigLoader(str(ROOT / "conf"), "base", runtime_params=params, **settings.CONFIG_LOADER_ARGS)
        for params in ({}, given)
    )
    before, after = plain["parameters"], changed["parameters"]
    assert [name for name in before if before[name] != after[name]] == ["train_gan"]
    assert after["train_gan"]["speed"] == before["train_gan"]["speed"] | given["train_gan"]["speed"]


@pytest.mark.parametrize(("given", "expected"), [("runs/a", "runs/a"), (3, "3"), ("~/t", str(Path.home() / "t"))])
def test_outputs_go_to_the_folder_that_is_named(given: Any, expected: str) -> None:
    parameters = {"outputs": given}
    check_outputs(parameters)
    assert parameters == {"outputs": expected}


@pytest.mark.parametrize("given", [None, "", " ", {"a": 1}, "~nosuchuser/t"])
def test_outputs_that_name_no_folder_are_refused(given: Any) -> None:
    with pytest.raises(FashionDGMError, match=r"names no folder|unknown user"):
        check_outputs({"outputs": given})


@pytest.mark.parametrize(
    "params",
    ["train_gan.optimizer.betas=1,train_gan.optimizer=[1]", "train_gan=[1],train_gan.width=2", "train_gan=[1"],
)
def test_runtime_parameters_that_contradict_one_another_are_one_message(params: str) -> None:
    with pytest.raises(click.BadParameter, match="cannot be read together") as caught:
        run.make_context("run", ["--params", params])
    assert len(caught.value.format_message().splitlines()) == 1


@pytest.mark.parametrize(
    ("named", "local", "expected"), [(None, True, None), (None, False, "base"), ("test", False, "test")]
)
def test_an_environment_is_named_for_kedro_only_where_it_would_choose_one_that_is_not_there(
    project: Path, monkeypatch: pytest.MonkeyPatch, named: str | None, local: bool, expected: str | None
) -> None:
    """Hooks advise `--env quick` where none was named, and name no `--env local`."""
    monkeypatch.delenv("KEDRO_ENV", raising=False)
    monkeypatch.chdir(project)
    if not local:
        shutil.rmtree(project / "conf" / "local")
    given = {parameter.name: () if parameter.multiple else None for parameter in run.params}  # type: ignore[attr-defined]
    given |= {"env": named, "params": {}, "pipelines": ["report"], "namespaces": [], "tags": []}
    given |= {"from_inputs": [], "to_outputs": [], "conf_source": str(project / "conf")}
    monkeypatch.setattr(blocks, "SOURCES", list(blocks.SOURCES))
    monkeypatch.setattr("fashion_dgm.cli.project.pipelines", PIPELINES)
    loader = {"CONFIG_LOADER_CLASS": settings.ConfigLoader, "CONFIG_LOADER_ARGS": settings.CONFIG_LOADER_ARGS}
    monkeypatch.setattr("fashion_dgm.cli.project.settings", SimpleNamespace(**loader, CONF_SOURCE="conf"))
    _check(given)
    assert given["env"] == expected
