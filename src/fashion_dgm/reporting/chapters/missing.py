"""What stands in the place of a chapter whose pipeline has not been run."""

from __future__ import annotations

from fashion_dgm.reporting.report import Chapter, NoteBlock

__all__ = ["missing_chapter"]


def missing_chapter(title: str, anchor: str, pipelines: str, what: str) -> Chapter:
    """Returns a chapter that says which command makes its results.

    Arguments:
        title: heading of the chapter.
        anchor: its id within the page.
        pipelines: names of the pipelines to run, with commas.
        what: what they would show, as a sentence.
    """
    note = NoteBlock(
        "Not made yet",
        (
            f"Run `kedro run --pipelines {pipelines},report`, with the same `--env` as this report, to fill this chapter.",
        ),
    )
    return Chapter(title=title, anchor=anchor, intro=(what,), blocks=(note,))
