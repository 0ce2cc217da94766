"""What stands in the place of a chapter whose pipeline has not been run."""

from __future__ import annotations

from typing import NamedTuple

from fashion_dgm.reporting.chapters.titles import TITLES
from fashion_dgm.reporting.report import BlockChapter, NoteBlock

__all__ = ["OPTIONAL", "Optional", "missing_chapter"]


class Optional(NamedTuple):
    """A chapter that not every run has: the pipelines that make it, and what it would show, as a sentence."""

    pipelines: str
    shows: str

    @property
    def command(self) -> str:
        """What to run for it."""
        return f"kedro run --pipelines {self.pipelines},report"


OPTIONAL = {
    "log-det": Optional(
        "train_residual_flow,log_det_study",
        "A residual layer's log-determinant is estimated from a series. What a truncated series lacks, what Russian "
        "roulette and random probes scatter, and what each costs, on blocks small enough to know the truth.",
    ),
}


def missing_chapter(anchor: str) -> BlockChapter:
    """Returns a chapter of `OPTIONAL` that says which command makes its results."""
    missing = OPTIONAL[anchor]
    note = NoteBlock(
        "Not made yet", (f"Run `{missing.command}`, with the same `--env` as this report, to fill this chapter.",)
    )
    return BlockChapter(
        title=TITLES[anchor], anchor=anchor, intro=(missing.shows,), blocks=(note,), command=missing.command
    )
