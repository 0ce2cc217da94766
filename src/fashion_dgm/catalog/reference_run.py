"""A run whose results the repository keeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Never

from kedro.io import AbstractDataset

from fashion_dgm.errors import FashionDGMError

if TYPE_CHECKING:
    from fashion_dgm.reporting.compose import ReferenceRun

__all__ = ["ReferenceRunDataset"]


class ReferenceRunDataset(AbstractDataset[Never, "ReferenceRun | None"]):
    """A folder of `metrics.json`, `about.json` and figures; None where there is none, as in an installed package.

    Arguments:
        filepath: the folder. `about.json` holds a sentence for each part of the metrics that says how it was made, and one
            under `""` for all others.

    Raises:
        FashionDGMError: if `metrics.json` or `about.json` cannot be read.
    """

    def __init__(self, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> ReferenceRun | None:
        from fashion_dgm.reporting.compose import ReferenceRun

        if not (self._filepath / "metrics.json").is_file():
            return None
        try:
            metrics, about = (
                json.loads((self._filepath / f"{name}.json").read_text(encoding="utf-8"))
                for name in ("metrics", "about")
            )
        except (OSError, ValueError) as error:
            raise FashionDGMError(
                f"the results of the reference run in {self._filepath} cannot be read: {error}"
            ) from error
        figures = {path.stem: path.read_bytes() for path in sorted(self._filepath.glob("*.png"))}
        return ReferenceRun(metrics, figures, about)

    def save(self, data: Never) -> None:
        raise FashionDGMError("the reference run is part of the repository; runs don't write it")

    def _exists(self) -> bool:
        return self._filepath.is_dir()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
