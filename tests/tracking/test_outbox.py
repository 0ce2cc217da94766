"""Nothing that waits is lost, and nobody waits for it."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fashion_dgm.tracking import outbox
from fashion_dgm.tracking.outbox import Doubtful, Outbox, Refused, Sender, Unreachable


class Server:
    """What is called: notes the calls, or is away."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.away = False
        self.busy = 10

    def send(self, name: str, arguments: dict[str, Any]) -> None:
        if self.away:
            raise Unreachable("the server is away")
        if name == "wrong":
            raise Refused("no such call")
        if name == "unlucky":
            raise Doubtful("an error of this call alone")
        if name == "busy" and self.busy:
            self.busy -= 1
            raise Unreachable("the database is locked")
        texts = {name: value.read_text() for name, value in arguments.items() if isinstance(value, Path)}
        self.calls.append((name, {**arguments, **texts}))

    def answers(self) -> bool:
        return not self.away


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "DELAYS", (0.01, 0.05))


@pytest.fixture
def begun(tmp_path: Path, server: Server) -> Iterator[tuple[Outbox, Sender]]:
    own = Outbox.begin(tmp_path / "outbox", "here")
    sender = Sender(server.send, server.answers, lambda: iter(()), own)
    sender.start()
    yield own, sender
    server.away = False
    sender.close()


def put(begun: tuple[Outbox, Sender], name: str, **arguments: Any) -> None:
    begun[0].put(name, arguments)
    begun[1].wake()


def until(true: Callable[[], object]) -> None:
    for _ in range(500):
        if true():
            return
        time.sleep(0.01)
    pytest.fail("it never became true")


def test_calls_arrive_in_order_with_the_files_as_they_were(
    tmp_path: Path, server: Server, begun: tuple[Outbox, Sender]
) -> None:
    server.away = True
    file = tmp_path / "table.csv"
    for number in range(12):
        file.write_text(f"epoch {number}")
        put(begun, "log", number=number, file=file)
    file.unlink()
    server.away = False
    begun[1].close()
    assert [(call["number"], call["file"]) for _, call in server.calls] == [(n, f"epoch {n}") for n in range(12)]
    begun[0].end()
    assert list((tmp_path / "outbox").iterdir()) == []


def test_a_server_that_is_away_is_one_warning_and_gets_everything_when_it_is_back(
    server: Server, begun: tuple[Outbox, Sender], caplog: pytest.LogCaptureFixture
) -> None:
    server.away = True
    for number in range(20):
        put(begun, "log", number=number)
    until(lambda: "wait in" in caplog.text)
    time.sleep(0.3)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert len(begun[0].waiting()) == 20
    server.away = False
    until(lambda: len(server.calls) == 20)
    assert [call["number"] for _, call in server.calls] == list(range(20))


@pytest.mark.parametrize("name", ["wrong", "unlucky"])
def test_a_call_that_fails_by_itself_does_not_hold_up_the_others(
    server: Server, begun: tuple[Outbox, Sender], caplog: pytest.LogCaptureFixture, name: str
) -> None:
    put(begun, name)
    put(begun, "log")
    begun[1].close()
    assert [name for name, _ in server.calls] == ["log"]
    assert len(caplog.records) == 1 and "not recorded in MLflow" in caplog.text


def test_a_database_that_is_locked_for_a_while_loses_nothing(server: Server, begun: tuple[Outbox, Sender]) -> None:
    put(begun, "busy")
    until(lambda: server.calls)
    assert server.busy == 0


def test_a_session_ends_without_its_server_and_the_next_one_sends(
    tmp_path: Path, server: Server, begun: tuple[Outbox, Sender]
) -> None:
    server.away = True
    put(begun, "log", number=1)
    started = time.monotonic()
    begun[1].close()
    begun[0].end()
    assert time.monotonic() - started < 2
    server.away = False
    for destination, expected in (("elsewhere", []), ("here", [("log", {"number": 1})])):
        next_one = Sender(server.send, server.answers, lambda to=destination: Outbox.left(tmp_path / "outbox", to))
        next_one.run()
        assert server.calls == expected
    assert list((tmp_path / "outbox").iterdir()) == []


def test_the_outbox_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    own = Outbox.begin(tmp_path, "here")
    own.put("log", {})
    script = "import sys; from pathlib import Path; from fashion_dgm.tracking.outbox import Outbox\n"
    script += "print(len(list(Outbox.left(Path(sys.argv[1]), 'here'))))"
    command = [sys.executable, "-c", script, str(tmp_path)]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"0\n"
    own.end()
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"1\n"


def test_a_session_that_goes_on_in_a_left_outbox_overwrites_no_call_and_ignores_half_written_ones(
    tmp_path: Path,
) -> None:
    own = Outbox.begin(tmp_path, "here")
    own.put("log", {"value": 1.5})
    (own.folder / "00000002.new").mkdir()
    Outbox(own.folder).put("end", {})
    calls = [json.loads((call / "call.json").read_text()) for call in own.waiting()]
    assert calls == [{"name": "log", "arguments": {"value": 1.5}}, {"name": "end", "arguments": {}}]


def test_a_damaged_call_is_a_warning(
    begun: tuple[Outbox, Sender], server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    server.away = True
    put(begun, "log")
    put(begun, "log")
    (begun[0].waiting()[0] / "call.json").write_text("{")
    server.away = False
    begun[1].close()
    assert "WARNING" in caplog.text and "not recorded in MLflow" in caplog.text and len(server.calls) == 1
