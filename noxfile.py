"""Tests with other versions of Python, and with the oldest and the newest packages that pyproject.toml allows.

pip install 'nox[uv]'
nox                                        # every version of Python that is installed
nox -s "tests-3.11(oldest)" -- -x          # one session, with options of pytest
"""

import nox

nox.options.default_venv_backend = "uv"
nox.options.error_on_missing_interpreters = False


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
@nox.parametrize("resolution", ["lowest-direct", "highest"], ids=["oldest", "newest"])
def tests(session: nox.Session, resolution: str) -> None:
    """Runs the fast tests and one whole run, in a fresh environment without `constraints.txt`."""
    session.install("--resolution", resolution, "--editable", ".[dev]")
    session.run("pytest", "-m", "not e2e and not browser and not slow", *session.posargs)
    session.run("pytest", "tests/e2e/test_run.py", "-k", "test_everything_promised_is_there")
