"""Puts the model cards of `fashion_dgm.pretrained` in the place of a page's line `<!-- model cards -->`."""

from typing import Any

from fashion_dgm.pretrained import reference_card, reference_models

__all__ = ["on_page_markdown"]

PLACE = "<!-- model cards -->"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Puts a section for each model into the page."""
    cards = (f"## reference/{name}\n\n{reference_card(name).to_markdown()}" for name in reference_models())
    return markdown.replace(PLACE, "\n".join(cards))
