"""The real command where little is as it should be: disks, folders, users, memory, variables and the clock."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.e2e.command import environment_of
from tests.faults.report import Counts
from tests.faults.test_kills import files

ARGUMENTS = ("--env", "test", "--pipelines", "data_split,train_gan,report")
# Debian's nobody, who owns nothing.
NOBODY = 65534
MEGABYTE = 2**20


@pytest.fixture
def attempt(copy: Path, counts: Counts) -> Callable[..., str]:
    """Runs the command under conditions, counts what becomes of it, and returns its messages."""
    expected = files(copy)

    def attempt(
        condition: str,
        project: Path = copy,
        before: tuple[str, ...] = (),
        environment: Mapping[str, str | None] | None = None,
    ) -> str:
        """With other commands `before` it, and variables changed (None: unset)."""
        variables = environment_of(project) | dict(environment or {})
        kept = {name: value for name, value in variables.items() if value is not None}
        command = [*before, sys.executable, "-m", "kedro", "run", *ARGUMENTS]
        streams = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True}
        ended = subprocess.run(command, cwd=project, env=kept, timeout=900, **streams)
        code, messages = ended.returncode, ended.stdout + ended.stderr
        same = {name: content for name, content in files(project).items() if name in expected} == expected
        if "Traceback" in messages:
            found = "traceback"
        elif code:
            found = "refused" if "Error: " in messages else "silent"
        else:
            found = "harmless" if same else "silent"
        counts.add("surroundings: " + condition, found, f"{condition}: {code}\n{messages[-1500:]}")
        return messages

    return attempt


def test_variables(attempt: Callable[..., str], counts: Counts, tmp_path: Path) -> None:
    absent = str(tmp_path / "absent")
    attempt("no HOME", environment={"HOME": None})
    attempt("HOME and TMPDIR that do not exist", environment={"HOME": absent, "TMPDIR": absent})
    attempt("no UTF-8", environment={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})
    assert counts.bad == []


def test_a_path_with_blanks_and_other_letters(attempt: Callable[..., str], copy: Path, counts: Counts) -> None:
    elsewhere = copy.with_name("à côté d'ici, 100 %")
    shutil.copytree(copy, elsewhere)
    attempt("blanks, quotes and other letters in the path", project=elsewhere)
    assert counts.bad == []


def test_a_clock_that_was_set_back(attempt: Callable[..., str], copy: Path, counts: Counts) -> None:
    tomorrow = time.time() + 24 * 3600
    for path in (copy / "data").rglob("*"):
        os.utime(path, (tomorrow, tomorrow))
    attempt("files of tomorrow", project=copy)
    assert counts.bad == []


def test_another_user(attempt: Callable[..., str], copy: Path, counts: Counts) -> None:
    nobody = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    version = [*nobody, sys.executable, "-c", "import sys, torch; print(sys.version)"]
    if shutil.which("setpriv") is None or (told := subprocess.run(version, capture_output=True, text=True)).returncode:
        pytest.skip("takes the rights of another user, who may run this Python")
    for folder in copy.parents[:3]:  # pytest keeps them private
        folder.chmod(0o755)
    assert "write" in attempt("a project of another user's", before=nobody)
    assert counts.bad == []
    if told.stdout.strip() != sys.version:
        pytest.skip("another user finds another Python here, which packs arrays in other bytes")
    for path in (copy, *copy.rglob("*")):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    attempt("a user without a home", before=nobody, environment={"HOME": None})
    assert counts.bad == []


@pytest.fixture
def disk(copy: Path) -> Iterator[Path]:
    """A file system of its own for the project's data."""
    data, kept = copy / "data", copy / "kept"
    data.rename(kept)
    data.mkdir()
    size = sum(path.stat().st_size for path in kept.rglob("*") if path.is_file())
    options = f"size={size + 8 * MEGABYTE}"
    if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(data)], capture_output=True).returncode:
        pytest.skip("mounting takes root's rights, on Linux")
    try:
        shutil.copytree(kept, data, dirs_exist_ok=True)
        yield data
    finally:
        subprocess.run(["umount", str(data)], check=True)


def test_a_full_disk(attempt: Callable[..., str], disk: Path, counts: Counts) -> None:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 4096):
                pass
        except OSError:
            pass
    attempt("a full disk")
    filler.unlink()
    attempt("the same disk with room again")
    assert counts.bad == []


def test_little_memory(attempt: Callable[..., str], counts: Counts) -> None:
    if shutil.which("prlimit") is None:
        pytest.skip("prlimit is of Linux")
    for gigabytes in (4, 6, 8):
        attempt(f"{gigabytes} GB of address space", before=("prlimit", f"--as={gigabytes * 2**30}"))
    assert counts.bad == []
