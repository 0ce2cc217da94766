"""Turns the formulas of a page to MathML while the site is built: a browser needs neither scripts nor a server for them.

`pymdownx.arithmatex` marks them in the page; MathML is drawn by the browser itself. A formula that cannot be read stops
the build.
"""

import html
import re
from typing import Any

from math_core import LatexError, LatexToMathML
from mkdocs.exceptions import PluginError
from mkdocs.structure.pages import Page

__all__ = ["on_page_content"]

# With the punctuation that follows a formula in the text, which must not begin a line of its own.
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](?P<latex>.*?)\\[)\]]</\1>(?P<mark>[.,;:?!)]*)', re.DOTALL)


def on_page_content(content: str, page: Page, **_: Any) -> str:
    """Returns the page's HTML with `<math>` in the place of LaTeX."""
    converter = LatexToMathML(fancy_error=False)

    def convert(match: re.Match[str]) -> str:
        latex = html.unescape(match["latex"])
        tag = match[1]
        try:
            math = converter.convert_with_local_state(latex, displaystyle=tag == "div")
        except LatexError as error:
            raise PluginError(f"{page.file.src_uri}: the formula {latex!r} cannot be read: {error}") from error
        return f'<{tag} class="arithmatex">{math}{match["mark"]}</{tag}>'

    return FORMULA.sub(convert, content)
