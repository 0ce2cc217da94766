import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.files import atomic_folder, atomic_path

Atomic = Callable[[Path], AbstractContextManager[Path]]
BOTH = pytest.mark.parametrize("atomic", [atomic_path, atomic_folder])


def test_replaces_on_success(tmp_path: Path) -> None:
    target = tmp_path / "new" / "file.txt"
    with atomic_path(target) as path:
        path.write_text("one")
        assert not target.exists()
    assert target.read_text() == "one"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize(
    ("raised", "expected", "message"),
    [
        (ZeroDivisionError(), ZeroDivisionError, None),
        (OSError(28, "No space left on device"), FashionDGMError, r"No space left on device\. Free some space"),
    ],
)
def test_leaves_the_old_file_on_failure(
    raised: Exception, expected: type[Exception], message: str | None, tmp_path: Path
) -> None:
    target = tmp_path / "file.txt"
    target.write_text("old")
    with pytest.raises(expected, match=message), atomic_path(target) as path:
        path.write_text("half")
        raise raised
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FashionDGMError, match="cannot write"), atomic_path(tmp_path / "file" / "below"):
        pass


@BOTH
def test_what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not(
    tmp_path: Path, atomic: Atomic
) -> None:
    target = tmp_path / "file.txt"
    if not (child := os.fork()):
        try:
            with atomic(target):
                os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    os.waitpid(child, 0)
    (left,) = tmp_path.iterdir()
    with atomic(target) as first:
        assert not left.exists()
        with atomic(target) as second:
            assert first.exists()
        assert not second.exists() and target.exists()
    assert list(tmp_path.iterdir()) == [target]


def test_writers_of_one_path_do_not_disturb_one_another(tmp_path: Path) -> None:
    def write(_: int) -> None:
        with atomic_path(tmp_path / "file.txt"):
            pass

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(400)))
    assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]


@BOTH
def test_writes_within_a_folder_that_is_being_written(tmp_path: Path, atomic: Atomic) -> None:
    with atomic_folder(tmp_path / "folder") as folder, atomic(folder / "part"):
        pass
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["part"]
