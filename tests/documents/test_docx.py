"""DOCX files: headings, lists, tables, and what Word hides in them."""

import io

import docx

from tests.documents.bad_files import docx_with_body
from webapp.documents.docx import read_docx
from webapp.documents.parse import DocumentParser


def test_headings_lists_and_tables_become_markdown() -> None:
    document = docx.Document()
    document.add_heading("The river", 1)
    document.add_paragraph("Grüße, 北京.")
    for item in ("one", "two"):
        document.add_paragraph(item, style="List Bullet")
    document.add_heading("Figures", 2)
    table = document.add_table(2, 2)
    for index, text in enumerate(("Town", "Depth", "Bern", "3 m")):
        table.cell(index // 2, index % 2).text = text
    written = io.BytesIO()
    document.save(written)
    parsed = DocumentParser().parse("a.docx", written.getvalue()).parsed
    assert parsed.title == "The river"
    assert parsed.text == (
        "# The river\n\nGrüße, 北京.\n\n- one\n- two\n\n## Figures\n\n"
        "| Town | Depth |\n| --- | --- |\n| Bern | 3 m |"
    )


def run(text: str) -> str:
    return f"<w:r><w:t>{text}</w:t></w:r>"


def test_tracked_changes_are_read_as_accepted() -> None:
    body = f"<w:p>{run('kept ')}<w:ins>{run('new')}</w:ins><w:del><w:r><w:delText>old</w:delText></w:r></w:del></w:p>"
    assert read_docx("a.docx", docx_with_body(body)).text == "kept new"


def test_content_controls_are_read() -> None:
    body = f"<w:sdt><w:sdtContent><w:p>{run('within')}</w:p></w:sdtContent></w:sdt>"
    assert read_docx("a.docx", docx_with_body(body)).text == "within"


def test_markup_in_text_stays_text() -> None:
    body = f"<w:p>{run('&lt;script&gt;alert(1)&lt;/script&gt;')}</w:p>"
    assert read_docx("a.docx", docx_with_body(body)).text == "<script>alert(1)</script>"
