"""Runs commands in forks of one process, which has loaded once what the commands import for seconds.

Reads a line of JSON for each; writes the number of its process, then its exit code and its peak of memory in bytes. Neither
Kedro nor the package is loaded before the fork, since both look at the project's folder, but with the argument `--package`:
then all run the package that is on the path.
"""

import atexit
import gc
import json
import os
import signal
import sys
import threading
import traceback

import dynaconf  # noqa: F401
import flask  # noqa: F401
import matplotlib.pyplot  # noqa: F401
import mlflow  # noqa: F401
import omegaconf  # noqa: F401
import pandas as pd  # noqa: F401
import scipy.stats  # noqa: F401
import sqlalchemy.orm  # noqa: F401
import torch._dynamo  # noqa: F401


def run(folder: str, words: list[str], environment: dict[str, str], outputs: list[str]) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[0] = environment["PYTHONPATH"]
    for descriptor, path in enumerate(outputs, start=1):
        os.dup2(os.open(path, os.O_WRONLY), descriptor)
    # A shell has the programs that it puts into the background ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = words
    if words[0] == "kedro":
        from kedro.framework.cli.cli import main
    else:
        from fashion_dgm.cli.main import main
    main()


def leave(code: int) -> None:
    """Ends the process as Python does, without the second that it takes to free all that is loaded."""
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if "--package" in sys.argv:
    import fashion_dgm.cli.project  # noqa: F401
    from fashion_dgm.pipeline_registry import register_pipelines

    register_pipelines()
else:
    assert "fashion_dgm" not in sys.modules
# What is loaded already is no garbage of a fork.
gc.freeze()
for line in sys.stdin:
    if not (process := os.fork()):
        try:
            run(**json.loads(line))
        except SystemExit as end:
            leave(int(end.code or 0))
        except BaseException:
            traceback.print_exc()
            leave(1)
        leave(0)
    print(process, flush=True)  # noqa: T201
    _, status, usage = os.wait4(process, 0)
    print(os.waitstatus_to_exitcode(status), usage.ru_maxrss * 1024, flush=True)  # noqa: T201
gc.unfreeze()
