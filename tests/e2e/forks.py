"""Runs `kedro run` in forks of one process, which has loaded once what the commands import for seconds.

Reads a line of JSON for each run and writes its exit code. Neither Kedro nor the package is loaded before the fork: both
look at the project's folder.
"""

import json
import os
import sys
from pathlib import Path

import matplotlib.pyplot  # noqa: F401
import mlflow  # noqa: F401
import pandas as pd  # noqa: F401
import scipy.stats  # noqa: F401
import torch._dynamo  # noqa: F401


def run(project: str, arguments: list[str], environment: dict[str, str], outputs: list[str]) -> None:
    os.chdir(project)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[0] = str(Path(project) / "src")
    for descriptor, path in enumerate(outputs, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), descriptor)
    sys.argv = ["kedro", "run", *arguments]
    from kedro.framework.cli.cli import main

    main()


assert "fashion_dgm" not in sys.modules
for line in sys.stdin:
    if not (process := os.fork()):
        sys.exit(run(**json.loads(line)))
    _, status = os.waitpid(process, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201
