"""Published results on FashionMNIST, from `published.yml`.

Measures of different kinds have types of their own, and nothing joins them: bits/dim, AUROC, FID.
"""

# Explained in docs/reading-the-numbers.md.

from collections.abc import Mapping
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict

__all__ = ["LITERATURE", "Literature", "PublishedDetection", "PublishedDistance", "PublishedLikelihood"]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PublishedLikelihood(_Record):
    """Bits/dim: mean and what stands after ±; parameters in millions."""

    model: str
    parameters: float
    bits: float
    spread: float
    exact: bool
    source: str


class PublishedDetection(_Record):
    """AUROC of single images by set, as printed, with "about" before it where the source says so."""

    score: str
    auroc: Mapping[str, str]
    source: str
    model: str = ""

    def value(self, dataset: str) -> float:
        """Returns the AUROC on a set."""
        return float(self.auroc[dataset].split()[-1])

    def rounding(self, dataset: str) -> float:
        """Returns by how much, at most, the AUROC was rounded: half of its last digit."""
        return 0.5 * 10.0 ** -len(self.auroc[dataset].split(".")[1])


class PublishedDistance(_Record):
    """FID in Inception's features: mean and standard deviation over seeds."""

    model: str
    fid: float
    spread: float
    source: str


class Literature(_Record):
    """All published results, by measure, and up to how many epochs the flows among them were trained."""

    likelihood: tuple[PublishedLikelihood, ...]
    epochs: int
    detection: tuple[PublishedDetection, ...]
    distance: tuple[PublishedDistance, ...]

    @property
    def sets(self) -> tuple[str, ...]:
        """OOD sets that results were published on."""
        return tuple(dict.fromkeys(name for found in self.detection for name in found.auroc))

    def on(self, dataset: str) -> tuple[PublishedDetection, ...]:
        """Returns all results of detection on a set."""
        return tuple(found for found in self.detection if dataset in found.auroc)


LITERATURE = Literature.model_validate(
    yaml.safe_load((files("fashion_dgm.findings") / "published.yml").read_text(encoding="utf-8"))
)
