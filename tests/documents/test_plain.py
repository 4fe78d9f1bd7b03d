"""Text and Markdown files, in the encodings they come in."""

import pytest

from webapp.documents.parse import DocumentParser
from webapp.errors import DocumentRefused


def read(data: bytes, name: str = "notes.txt") -> str:
    return DocumentParser().parse(name, data).parsed.text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_text_is_read_in_unicode_s_encodings(encoding: str) -> None:
    text = "Grüße, 北京.\n\nSecond paragraph 😀\n"
    assert read(text.encode(encoding)) == text


def test_line_ends_are_made_one_and_controls_removed() -> None:
    assert (
        read(b"one\r\ntwo\rthree\x1b[31m red\x1b[0m\n" + b"." * 999 + b"\x00")
        == "one\ntwo\nthree red\n" + "." * 999
    )


def test_a_markdown_file_s_first_heading_is_its_title() -> None:
    document = DocumentParser().parse("folder/readme.md", b"\n# The river  #\n\nText").parsed
    assert (document.title, document.media_type) == ("The river", "text/markdown")


def test_a_title_is_the_name_where_there_is_no_other() -> None:
    assert DocumentParser().parse("folder/plan.txt", b"# no heading here").parsed.title == "plan"


@pytest.mark.parametrize("data", [b"", b" \n\t", b"\xef\xbb\xbf\n"])
def test_a_file_without_text_is_refused(data: bytes) -> None:
    with pytest.raises(DocumentRefused) as refused:
        read(data)
    assert refused.value.code == "document_empty"


@pytest.mark.parametrize(
    "data", [bytes(range(256)) * 9, b"\x89PNG\r\n\x1a\n" + bytes(500), b"{\\rtf1 hello}"]
)
def test_a_binary_file_named_md_is_refused(data: bytes) -> None:
    with pytest.raises(DocumentRefused) as refused:
        read(data, "a.md")
    assert (refused.value.code, refused.value.status) == ("document_type", 415)
