"""Files of configuration, each by itself: what is wrong with one is a message with its name and line."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from fashion_dgm.config.renamed import nearest
from fashion_dgm.errors import FashionDGMError, one_line

__all__ = ["ConfigurationError", "check_files", "explaining", "perhaps"]

ENDINGS = (".yml", ".yaml", ".json")
# Kedro makes an empty one in each project, and reads it unless another is named.
MAY_BE_EMPTY = "local"
# Of values in a file. A few lines of aliases to lists of aliases stand for billions.
MOST = 100_000
# Of `logging.config.dictConfig`.
LOGGING_KEYS = {"version", "formatters", "filters", "handlers", "loggers", "root", "incremental"}
LOGGING_KEYS |= {"disable_existing_loggers"}


class ConfigurationError(FashionDGMError, click.ClickException):
    """A mistake in the configuration, which any command of Kedro's shows without a traceback."""


def check_files(source: Path, env: str | None) -> dict[Path, Any]:
    """Returns what every configuration file of `base` and of `env` holds.

    Arguments:
        source: the folder of the configuration.
        env: name of the environment that is laid over `base`; None for `local`.

    Raises:
        ConfigurationError: if a file cannot be read, is not YAML, repeats a name or holds no names, or there is none in the
            environment.
    """
    found: dict[Path, Any] = {}
    for folder in dict.fromkeys(("base", env or MAY_BE_EMPTY)):
        files = {path: _read(path) for path in sorted((source / folder).rglob("*")) if path.suffix in ENDINGS}
        if not files and folder != MAY_BE_EMPTY:
            raise ConfigurationError(
                f"the environment {folder} is empty: there is no {' or '.join(ENDINGS[:2])} file in {source / folder}; "
                "restore it, or choose another one with --env"
            )
        for path, content in files.items():
            if content is None and not path.stat().st_size and folder != MAY_BE_EMPTY:
                raise ConfigurationError(f"{path} is empty; restore it, or delete it if it is not needed")
            if content is not None and not isinstance(content, dict):
                raise ConfigurationError(f"{path} holds a {type(content).__name__}, not names with values")
        found |= files
    logging = source / "logging.yml"
    if logging.exists():
        _check_logging(logging, _read(logging))
    return found


@contextmanager
def explaining(source: Path) -> Iterator[None]:
    """Turns what Kedro's loader raises of the configuration in `source` into one sentence."""
    try:
        yield
    # Kedro names no column, and the file not always.
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        check_files(source, "base")
        raise ConfigurationError(f"{source} is not YAML: {one_line(str(error))}") from error
    # OmegaConf 2.4 raises a bare TypeError for a list where another place has a mapping.
    except (OmegaConfBaseException, TypeError) as error:
        what = one_line(str(getattr(error, "msg", None) or error).split("\n")[0])
        what = what.rpartition("raised while resolving interpolation: ")[2].strip('"')
        if "merge" in what:
            what += "; a parameter is a list in one place, and names with values in another: check --params"
        raise ConfigurationError(f"{getattr(error, 'full_key', None) or 'the configuration'}: {what}") from error
    # Two files with the same name in them, among others.
    except ValueError as error:
        raise ConfigurationError(f"the configuration cannot be read: {one_line(str(error))}") from error


def _read(path: Path) -> Any:
    try:
        text = path.read_bytes()
        values = _expanded(yaml.compose(text, yaml.SafeLoader), {}) if b"*" in text else 0
        if values > MOST:
            raise ConfigurationError(
                f"{path} expands to {values:,} values through its aliases, far more than a configuration needs"
            )
        content = OmegaConf.load(path)
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8: {error.reason} at byte {error.start}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise ConfigurationError(f"{path}, line {line}: {error.problem or error.context}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigurationError(f"{path} is not YAML: {one_line(str(error))}") from error
    # OmegaConf's own, of files that hold a single value.
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror or error}") from error
    return OmegaConf.to_container(content, resolve=False) if path.stat().st_size else None


def _expanded(node: Any, known: dict[int, int]) -> int:
    """Returns how many values a node of YAML holds once each alias is replaced by what it stands for."""
    if id(node) not in known:
        inner = getattr(node, "value", "")
        parts = (
            [part for each in inner for part in (each if isinstance(each, tuple) else [each])]
            if type(inner) is list
            else []
        )
        known[id(node)] = 1 + sum(_expanded(part, known) for part in parts)
    return known[id(node)]


def _check_logging(path: Path, content: Any) -> None:
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path} holds no names with values")
    for name in content:
        if name not in LOGGING_KEYS:
            raise ConfigurationError(f"{path}: logging has no {name}{perhaps(name, LOGGING_KEYS)}")


def perhaps(name: object, known: Collection[str]) -> str:
    """Returns what an error adds about the known name that `name` may be a slip of, or nothing."""
    near = nearest(str(name), known)
    return f"; did you mean {near}?" if near else ""
