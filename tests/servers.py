"""Servers on this machine, in processes of their own."""

import os
import socket
import subprocess
import sys
import time
import urllib.request

PATIENCE = 600  # seconds; minutes where other programs take the cores


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def start(port: int, *command: str) -> subprocess.Popen[bytes]:
    """Starts a module of Python that serves on the port, in a group of its own, and waits for its first answer."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    environment |= {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([sys.executable, "-m", *command], env=environment, start_new_session=True, **quiet)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        assert process.poll() is None, "the server ended"
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return process
    raise TimeoutError(f"nothing answers at port {port}")
