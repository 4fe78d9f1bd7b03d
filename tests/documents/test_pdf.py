"""PDF files: lines joined to paragraphs, and the offsets of pages."""

import pytest

from tests.documents.pdf_files import Line, lines, pdf
from webapp.documents.pdf import read_pdf
from webapp.parsed_document import ParsedDocument


def read(*pages: list[Line], title: str = "") -> ParsedDocument:
    return read_pdf("river.pdf", pdf(pages, title=title), 1_000_000)


def test_lines_are_joined_and_paragraphs_kept_apart() -> None:
    page = lines("The river runs slowly", "past the old town.") + lines(
        "A second paragraph", "follows.", top=660
    )
    assert read(page).text == "The river runs slowly past the old town.\n\nA second paragraph follows."


def test_an_indent_begins_a_paragraph() -> None:
    page = lines("The river runs", "past the town.", "", "and on.")
    page[2] = (90, page[2][1], 11, "It is slow")
    assert read(page).text == "The river runs past the town.\n\nIt is slow and on."


def test_words_hyphenated_at_the_end_of_a_line_are_made_whole() -> None:
    assert (
        read(lines("The sub-", "merged town of Stein-", "Nord.")).text == "The submerged town of Stein-Nord."
    )


def test_a_sentence_goes_on_over_the_end_of_a_page() -> None:
    document = read(lines("The river runs"), lines("past the town.", "And on."), lines("New page."))
    assert document.text == "The river runs past the town. And on.\n\nNew page."
    assert [document.text[page:][:4] for page in document.pages] == ["The ", "past", "New "]


def test_an_empty_page_has_an_offset_too() -> None:
    document = read([], lines("text"), [], lines("More."))
    assert document.text == "text\n\nMore."
    assert document.pages == (0, 0, 4, 6)


def test_larger_lines_are_headings() -> None:
    page = [
        (72, 740, 24, "Rivers"),
        (72, 700, 16, "Slow ones"),
        *lines("This is the text", "of it.", top=670),
    ]
    document = read(page)
    assert document.text == "# Rivers\n\n## Slow ones\n\nThis is the text of it."
    assert document.title == "Rivers"


def test_items_of_lists_keep_their_lines() -> None:
    page = lines("Towns:", "1. Bern", "2. Basel, which is", "far away", "3. Chur")
    assert read(page).text == "Towns:\n\n1. Bern\n2. Basel, which is far away\n3. Chur"


def test_running_heads_and_page_numbers_are_left_out() -> None:
    texts = ["alpha", "beta", "gamma", "delta"]
    pages = [
        [(72, 770, 9, "Rivers of Europe"), *lines(f"About {text}."), (300, 30, 9, f"- {number} -")]
        for number, text in enumerate(texts, 7)
    ]
    assert read(*pages).text == "\n\n".join(f"About {text}." for text in texts)


def test_pages_that_are_all_alike_are_kept() -> None:
    assert read(*[lines("Same.")] * 4).text == "\n\n".join(["Same."] * 4)


@pytest.mark.parametrize(
    ("title", "expected"),
    [("On rivers", "On rivers"), ("Microsoft Word - a.doc", "river"), ("untitled", "river")],
)
def test_the_title_is_the_file_s_own_where_it_has_one(title: str, expected: str) -> None:
    assert read(lines("text"), title=title).title == expected
