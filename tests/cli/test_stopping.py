"""A signal ends a command with one sentence and its own exit code, never with 0."""

import signal
import sys
import time
from collections.abc import Callable, Iterator

import click
import pytest

from fashion_dgm.cli import project, stopping
from fashion_dgm.cli.main import main
from fashion_dgm.errors import Interrupted
from fashion_dgm.hooks.stop import StopHooks
from fashion_dgm.training.interruption import stop_request

SIGNALS = pytest.mark.parametrize("number", stopping.STOPPING)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before, hook = {number: signal.getsignal(number) for number in stopping.STOPPING}, sys.unraisablehook
    yield
    sys.unraisablehook = hook
    for number, handler in before.items():
        signal.signal(number, handler)
    stopping._received = None


def swallowed(number: signal.Signals) -> None:
    """Receives a signal where Python ignores what its handler raises."""

    class Closing:
        def __del__(self) -> None:
            signal.raise_signal(number)
            time.sleep(0)

    Closing()


def interrupted(number: signal.Signals) -> None:
    signal.raise_signal(number)


def in_training(number: signal.Signals) -> None:
    raise Interrupted(f"stopped by {number.name} after step 1.", number)


def after_the_last_step(number: signal.Signals) -> None:
    with stop_request():
        signal.raise_signal(number)


@SIGNALS
@pytest.mark.parametrize("work", [None, interrupted, swallowed, in_training, after_the_last_step])
def test_kedro_run_never_ends_with_0_nor_with_a_traceback_of_a_signal_while_python_exits(
    number: signal.Signals, work: Callable[[signal.Signals], None] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project, "_check", lambda given: None)
    run = project._explained(lambda: work and work(number))
    if work is None:
        run()
    else:
        with pytest.raises(click.ClickException, match=rf"^stopped by {number.name}[^.]*\.") as caught:
            run()
        assert caught.value.exit_code == 128 + number
    # What another handler raises while Python exits is shown as ignored, with a traceback.
    assert {signal.getsignal(each) for each in stopping.STOPPING} == {signal.SIG_DFL}


@SIGNALS
def test_no_node_begins_after_a_request_that_was_lost(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    stopping.listen()
    StopHooks().before_node_run()
    swallowed(number)
    with pytest.raises(KeyboardInterrupt):
        StopHooks().before_node_run()
    assert capsys.readouterr().err == ""


@SIGNALS
def test_other_commands_end_in_the_same_way(number: signal.Signals, capsys: pytest.CaptureFixture[str]) -> None:
    @main.command("wait")
    def wait() -> None:
        signal.raise_signal(number)

    try:
        with pytest.raises(SystemExit) as caught:
            main(["wait"])
    finally:
        del main.commands["wait"]
    assert caught.value.code == 128 + number
    assert capsys.readouterr().err.startswith(f"Error: stopped by {number.name}. ")


def test_a_second_ctrl_c_acts_at_once() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), stop_request() as request:
        signal.raise_signal(signal.SIGINT)
        assert request.signal is signal.SIGINT
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
