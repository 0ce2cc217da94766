"""Where trainings log their epochs while a benchmark has the terminal."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

__all__ = ["epochs_logged_to"]


@contextlib.contextmanager
def epochs_logged_to(path: Path | None) -> Iterator[None]:
    """Writes what the library logs to `path`, or lets nothing but warnings through where that is None."""
    logger = logging.getLogger("fashion_dgm")
    before = logger.level, logger.propagate
    if path is None:
        logger.setLevel(logging.WARNING)
        handler: logging.Handler = logging.NullHandler()
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(path, encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s"))
        logger.setLevel(logging.INFO)
        logger.propagate = False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()
        logger.setLevel(before[0])
        logger.propagate = before[1]
