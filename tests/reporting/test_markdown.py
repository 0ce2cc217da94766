import io

import pytest
from PIL import Image

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.reporting.markdown import Counter, image_size, to_html, to_inline_html


def html(markdown: str, **figures: bytes | None) -> str:
    return to_html(markdown, figures, Counter())


def test_figures_have_a_text_a_size_and_a_number(png: bytes) -> None:
    counter = Counter(figure=3)
    text = "::: figure one\nWhat *it* shows.\n\nThe `caption`.\n:::\n"
    found = to_html(text, {"one": png}, counter)
    assert 'alt="What it shows."' in found
    assert "<b>Figure 4.</b> The <code>caption</code>." in found
    assert f'width="{round(image_size(png)[0] / 2)}"' in found
    assert counter == Counter(figure=4, table=0)


def test_a_figure_that_was_not_drawn_leaves_nothing() -> None:
    assert html("::: figure one\nText.\n\nCaption.\n:::\n", one=None) == ""


def test_animations_keep_their_kind() -> None:
    Image.new("L", (260, 2)).save(gif := io.BytesIO(), "GIF")
    assert "data:image/gif;base64," in html("::: figure one\nText.\n\nCaption.\n:::\n", one=gif.getvalue())
    assert image_size(gif.getvalue()) == (260, 2)


@pytest.mark.parametrize(
    ("markdown", "message"),
    [
        ("::: figure other\nText.\n\nCaption.\n:::\n", "no figure 'other'"),
        ("::: figure one\nOnly one paragraph.\n:::\n", "alternative text and a caption"),
        ("::: table\nNo rows.\n:::\n", "caption and rows"),
        ("$\\frac{1}$\n", "cannot be read"),
    ],
)
def test_mistakes_are_refused(png: bytes, markdown: str, message: str) -> None:
    with pytest.raises(FashionDGMError, match=message):
        html(markdown, one=png)
    with pytest.raises(FashionDGMError, match="PNG or GIF"):
        image_size(b"<svg>")


def test_tables_have_a_caption_row_heads_and_numbers_to_the_right() -> None:
    found = html("::: table\nThe caption.\n\n| Model | FID |\n|---|--:|\n| **ours** | 5.2 |\n| theirs | 6.1 |\n:::\n")
    assert "<b>Table 1.</b> The caption.</figcaption>" in found
    assert '<th scope="col" class="numeric">FID</th>' in found
    assert '<tr class="emphasised"><th scope="row"><strong>ours</strong></th><td class="numeric">5.2</td></tr>' in found
    assert '<tr><th scope="row">theirs</th>' in found


def test_long_text_gets_room_and_long_tables_may_break() -> None:
    rows = "".join(f"| {i} | as many words as would stand in several lines of a narrow column |\n" for i in range(15))
    found = html(f"::: table\nThe caption.\n\n| a | b |\n|---|---|\n{rows}:::\n")
    assert '<figure class="table long">' in found
    assert found.count('<td class="wordy">') == 15


def test_containers_nest() -> None:
    found = html(":::: details More of `it`\n::: note Careful\nA caveat.\n:::\n::::\n")
    assert "<summary>More of <code>it</code></summary>" in found
    assert '<p class="note-title">Careful</p>\n<p>A caveat.</p>\n</aside>' in found
    assert found.endswith("</details>\n")


def test_formulas_are_mathml_and_html_is_text() -> None:
    assert "<math><msup><mi>x</mi><mn>2</mn></msup></math>" in html("It is $x^2$.\n")
    assert '<math display="block">' in html("$$x^2$$\n")
    assert "&lt;script&gt;" in html("<script>alert(1)</script>\n")
    assert to_inline_html("a <b> `<i>`") == "a &lt;b&gt; <code>&lt;i&gt;</code>"
