"""HTML files: what a reader sees, as Markdown."""

import pytest

from tests.documents.test_plain import read
from webapp.documents.html import read_html


def text_of(markup: str) -> str:
    return read_html("page.html", markup).text


def test_headings_lists_and_code_become_markdown() -> None:
    markup = """<body><h1>The <em>river</em></h1><p>One
        paragraph<br>in lines</p><ul><li>a<ul><li>a1</ul><li><p>b</p></ul><ol><li>x<li>y</ol>
        <pre><code>def f():
    pass
</code></pre><h3>End</h3>tail"""
    assert text_of(markup) == (
        "# The river\n\nOne paragraph\nin lines\n\n- a\n  - a1\n- b\n1. x\n2. y\n\n"
        "```\ndef f():\n    pass\n```\n\n### End\n\ntail"
    )


def test_a_table_of_data_keeps_its_rows() -> None:
    assert text_of("<table><tr><th>A<th>B|C<tr><td>1<td><p>2</p><p>3</p></table>") == (
        "| A | B\\|C |\n| --- | --- |\n| 1 | 2 3 |"
    )


def test_a_table_of_layout_is_read_as_text() -> None:
    assert text_of("<table><tr><td><h1>Head</h1><table><tr><td>x</table><td>side</table>").startswith(
        "# Head\n\n"
    )


@pytest.mark.parametrize(
    "hidden",
    [
        "<script>no()</script>",
        "<style>no</style>",
        "<noscript>no</noscript>",
        "<template>no</template>",
        "<p hidden>no</p>",
        "<p style='color:red; DISPLAY : none'>no</p>",
        "<div style='visibility:hidden'><p>no</p></div>",
        "<span aria-hidden=true>no</span>",
        "<!-- no -->",
        "<svg><text>no</text></svg>",
        "<iframe srcdoc='no'>no</iframe>",
        "<textarea>no</textarea>",
        "<input value=no>",
    ],
)
def test_what_is_not_shown_is_left_out(hidden: str) -> None:
    assert text_of(f"<body>before {hidden} after") in ("before after", "before\n\nafter")


def test_the_main_element_is_read_without_what_surrounds_it() -> None:
    page = (
        f"<nav>menu</nav><main><p>{'text ' * 50}</p><aside>note</aside></main><div>ad</div><footer>f</footer>"
    )
    assert text_of(page) == ("text " * 50).strip() + "\n\nnote"


def test_a_small_main_element_is_not_believed() -> None:
    page = f"<main>teaser</main><p>{'text ' * 50}</p><nav>menu</nav>"
    assert text_of(page) == "teaser\n\n" + ("text " * 50).strip()


def test_the_title_and_the_language_are_the_page_s_own() -> None:
    document = read_html("page.html", "<html lang=pt-BR><title> Rio\n&amp; mar </title><h1>x</h1>")
    assert (document.title, document.language) == ("Rio & mar", "pt-BR")
    assert read_html("page.html", "<h1>First</h1>").title == "First"
    assert read_html("page.html", "<html lang='<script>'>x").language == ""


def test_the_declared_encoding_is_used() -> None:
    page = "<meta charset=windows-1251><p>Река течёт".encode("cp1251")
    assert read(page, "page.html") == "Река течёт"


def test_a_page_is_recognised_by_its_content() -> None:
    assert read(b"<!-- x -->\n<!DOCTYPE html><p>hello", "notes.txt") == "hello"


def test_markup_in_text_stays_text() -> None:
    assert text_of("<p>&lt;script&gt;alert(1)&lt;/script&gt;") == "<script>alert(1)</script>"
