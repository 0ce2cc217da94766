"""`fashion-dgm lineage`: the pipelines in Kedro-Viz, as a static site."""

import functools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from fashion_dgm.catalog.configuration import current_project
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.files import atomic_folder

__all__ = ["lineage"]

HERE = "127.0.0.1"
# What it opens on: a box for each pipeline, without the datasets between them.
PIPELINES_ONLY = "?types=nodes"
FONTS = re.compile(r"<link\b[^>]*//fonts\.[^>]*>\s*")


@click.command()
@click.option("-e", "--env", envvar="KEDRO_ENV", default="quick", help="The environment whose results are shown.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("data/08_reporting/lineage"),
    help="Folder of the site, which replaces an earlier one.",
)
@click.option(
    "--serve",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Also serve the site on this port; 0 picks a free one.",
)
def lineage(env: str, output: Path, serve: int | None) -> None:
    """Builds a Kedro-Viz site of all pipelines and datasets.

    It has previews of a run's results. The commands that it shows name the environment, paths start in the
    project's folder, and nothing is loaded from elsewhere.
    """
    from fashion_dgm.cli.messages import check_names
    from fashion_dgm.pipelines import blocks

    project = current_project()
    blocks.read_first(str(project / "conf"))
    if find_spec("kedro_viz") is None:
        raise FashionDGMError("Kedro-Viz is not installed; install the extra `viz`: pip install 'fashion-dgm[viz]'")
    check_names([env], [path.name for path in (project / "conf").glob("*/")], "environment")
    _check_output(output)
    if serve is None:
        _make(output, project, env)
        click.echo(f"\nThe lineage is in {output}; any web server shows it, for instance\n")
        click.echo(f"  python -m http.server --bind {HERE} --directory {output} 4142   # http://{HERE}:4142")
        return
    with _server(output, serve) as server:
        _make(output, project, env)
        click.echo(_links(output, f"http://{HERE}:{server.server_port}/"))
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Logs nothing: the links would scroll away."""


def _check_output(output: Path) -> None:
    """Refuses a folder in which there is anything but an earlier site."""
    if output.exists() and any(output.iterdir()) and not (output / "api" / "main").is_file():
        raise FashionDGMError(f"the folder {output} holds other files than a lineage; name another output")


def _server(site: Path, port: int) -> ThreadingHTTPServer:
    """Takes the port, so that no site is built that could not be served on it."""
    try:
        return ThreadingHTTPServer((HERE, port), functools.partial(_Quiet, directory=str(site)))
    except OSError as error:
        raise FashionDGMError(
            f"cannot serve on port {port}: {error.strerror}; end the program that uses it, or choose another one with "
            "--serve, where 0 picks a free one"
        ) from error


def _make(output: Path, project: Path, env: str) -> None:
    click.echo("A warning that a dataset could not be previewed means that its pipeline has not been run.")
    built = _build(project, env)
    _correct(built, project, env)
    with atomic_folder(output) as site:
        shutil.copytree(built, site, dirs_exist_ok=True)
        # Before the exchange: it may be the output itself.
        shutil.rmtree(built)


def _build(project: Path, env: str) -> Path:
    # The name is Kedro-Viz's; setuptools uses the same folder.
    built = project / "build"
    shutil.rmtree(built, ignore_errors=True)
    command = [sys.executable, "-m", "kedro", "viz", "build", "--include-previews"]
    subprocess.run(command, cwd=project, env=os.environ | {"KEDRO_ENV": env}, check=False)
    # The command returns 0 even if it fails.
    if not (built / "index.html").is_file():
        raise FashionDGMError("Kedro-Viz could not build the lineage, for the reason above")
    return built


def _correct(site: Path, project: Path, env: str) -> None:
    """Rids Kedro-Viz's pages of requests to other servers and of the project's place, and completes their commands.

    Without an environment, these would train for the 100 epochs of `base`; without its pipeline, no opt-in node is found.
    """
    from fashion_dgm.pipeline_registry import register_pipelines

    index = site / "index.html"
    html = FONTS.sub("", index.read_text(encoding="utf-8"))
    start = f'<script>location.search || history.replaceState(null, "", "{PIPELINES_ONLY}")</script>'
    index.write_text(html.replace("<script", f"{start}\n      <script", 1), encoding="utf-8")
    # The pages ask for it, and only Kedro-Viz's own server has it: whether a package is missing.
    fsspec = {"package_name": "fsspec", "package_version": version("fsspec"), "is_compatible": True}
    packages = {"has_missing_dependencies": False, "package_compatibilities": [fsspec]}
    (site / "api" / "metadata").write_text(json.dumps(packages), encoding="utf-8")
    made = register_pipelines()
    ordinary = {name for node in made["__default__"].nodes for name in (node.name, *node.outputs)}
    owners = {
        name: owner
        for owner, pipeline in made.items()
        for node in pipeline.nodes
        for name in (node.name, *node.outputs)
    }
    for path in (site / "api" / "nodes").iterdir():
        about = json.loads(path.read_bytes())
        if command := about.get("run_command"):
            # A node's name is quoted, a dataset's is not.
            name = shlex.split(command)[-1].partition("=")[2]
            opt_in = "" if name in ordinary else f" --pipelines {owners[name]}"
            about["run_command"] = command.replace("kedro run", f"kedro run --env {env}{opt_in}", 1)
        if about.get("filepath"):
            # A dataset's is absolute, and a node's starts with the name of the project's folder.
            about["filepath"] = about["filepath"].removeprefix(f"{project}/").removeprefix(f"{project.name}/")
        path.write_text(json.dumps(about), encoding="utf-8")


def _links(site: Path, address: str) -> str:
    pipelines = sorted(path.name for path in (site / "api" / "pipelines").iterdir() if path.name != "__default__")
    return "\n".join(
        [
            f"\npipelines:         {address}{PIPELINES_ONLY}",
            f"with all nodes:    {address}{PIPELINES_ONLY}&expandAllPipelines=true",
            f"with datasets:     {address}?types=nodes,datasets",
            *(f"{name + ':':26} {address}?pid={name}&expandAllPipelines=true" for name in pipelines),
            "\nCtrl-C to stop",
        ]
    )
