"""Every kind of file that cannot become a document is refused with a clear reason, and the next file is read."""

import sys
from collections.abc import Callable

import pytest

from tests.documents import bad_files
from tests.documents.bad_files import docx_file, docx_with_body
from tests.documents.pdf_files import lines, pdf
from webapp.documents.jobs import ParseLimits
from webapp.documents.parse import MAX_FILE_BYTES, DocumentParser
from webapp.errors import DocumentRefused

LIMITS = ParseLimits(text_chars=100_000)
BAD: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "a file of spaces": ("a.txt", lambda: b" \n\t", "document_empty"),
    "an empty file": ("a.txt", lambda: b"", "document_empty"),
    "an empty PDF file": ("a.pdf", lambda: pdf([[], []]), "document_empty"),
    "an empty DOCX file": ("a.docx", docx_file, "document_empty"),
    "a page without text": ("a.html", lambda: b"<html><script>x()</script></html>", "document_empty"),
    "a scanned PDF file": ("a.pdf", bad_files.scanned_pdf, "document_empty"),
    "a PDF file of zeros": ("a.pdf", lambda: b"%PDF-1.7\n" + bytes(9999), "document_unreadable"),
    "a truncated PDF file": ("a.pdf", bad_files.truncated_pdf, "document_unreadable"),
    "an encrypted PDF file": ("a.pdf", bad_files.encrypted_pdf, "document_encrypted"),
    "an encrypted Office file": ("a.docx", bad_files.encrypted_office_file, "document_encrypted"),
    "an old Office file": ("a.doc", lambda: bytes.fromhex("d0cf11e0a1b11ae1") + bytes(999), "document_type"),
    "a PDF file whose pages loop": ("a.pdf", bad_files.pdf_whose_pages_loop, "document_unreadable"),
    "a truncated DOCX file": ("a.docx", lambda: docx_file("text")[:5000], "document_unreadable"),
    "a zip file": ("a.docx", lambda: docx_file("text").replace(b"word/", b"tone/"), "document_type"),
    "a zip bomb": ("a.docx", bad_files.zip_bomb, "document_too_large"),
    "a zip bomb that lies": ("a.docx", bad_files.zip_bomb_that_lies, "document_unreadable"),
    "an entity bomb": ("a.docx", bad_files.entity_bomb, "document_unreadable"),
    "a file of 200 MB": ("a.txt", lambda: bytes(200_000_000), "document_too_large"),
    "too much text": ("a.txt", lambda: b"word " * 50_000, "document_too_large"),
    "a PDF file with too much text": (
        "a.pdf",
        lambda: pdf([lines(*["x" * 200] * 40)] * 60),
        "document_too_large",
    ),
    "a table that grows": ("a.csv", lambda: b"c" * 5000 + b",d\n" + b"1,2\n" * 50, "document_too_large"),
    "an image named .md": ("a.md", lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "document_type"),
    "a program named .txt": ("a.txt", lambda: b"\x7fELF\x02\x01\x01" + bytes(500), "document_type"),
    "text for programs": ("a.txt", lambda: b"{\\rtf1 hello}", "document_type"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_refused_with_its_reason(kind: str) -> None:
    name, make, code = BAD[kind]
    parser = DocumentParser(LIMITS)
    with pytest.raises(DocumentRefused) as refused:
        parser.parse(name, make())
    assert refused.value.code == code
    assert parser.parse("next.md", b"# Next").parsed.title == "Next"


def test_a_pdf_file_that_never_ends_is_given_up() -> None:
    with pytest.raises(DocumentRefused) as refused:
        DocumentParser(ParseLimits(time_s=2)).parse("a.pdf", bad_files.pdf_whose_forms_multiply())
    assert refused.value.code in ("document_timeout", "document_unreadable")


def test_a_page_nested_without_end_is_given_up() -> None:
    with pytest.raises(DocumentRefused) as refused:
        DocumentParser(ParseLimits(time_s=2)).parse("a.html", b"<div>" * 1_000_000)
    assert refused.value.code in ("document_timeout", "document_too_large")


@pytest.mark.skipif(sys.platform != "linux", reason="macOS does not limit memory")
def test_a_docx_file_that_needs_too_much_memory_is_refused() -> None:
    small = ParseLimits(time_s=30, memory_bytes=110_000_000)
    body = "<w:p><w:r><w:t>x</w:t></w:r></w:p>" * 50_000
    with pytest.raises(DocumentRefused) as refused:
        DocumentParser(small).parse("a.docx", docx_with_body(body))
    assert refused.value.code == "document_too_large"


def test_a_pdf_file_of_5000_pages_is_read() -> None:
    document = (
        DocumentParser().parse("a.pdf", pdf([lines(f"This is page {page}.") for page in range(5000)])).parsed
    )
    assert len(document.pages) == 5000
    start, end = document.pages[4321], document.pages[4322]
    assert document.text[start:end].strip() == "This is page 4321."


def test_the_file_size_allowed_is_read() -> None:
    with pytest.raises(DocumentRefused) as refused:
        DocumentParser().parse("a.txt", b"x" * (MAX_FILE_BYTES + 1))
    assert refused.value.status == 413


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a\x00b.md", "\u202egnp.md", "x" * 9999 + ".md", "", ".md", "a\udc80.md"]
)
def test_a_hostile_name_is_only_a_title(name: str) -> None:
    document = DocumentParser().parse(name, b"some text").parsed
    assert document.text == "some text"
    assert len(document.title) <= 200
    assert document.title.isprintable()
