"""Files that cannot be read, or that try to do harm."""

import io
import zipfile

import docx

from tests.documents.pdf_files import assemble, lines, page_content, pdf

_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def docx_file(*paragraphs: str) -> bytes:
    """Return a DOCX file as Word writes it."""
    document = docx.Document()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


def docx_with_body(body: str, prolog: str = "") -> bytes:
    """Return a DOCX file whose main part is written by hand."""
    written = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(docx_file())) as plain,
        zipfile.ZipFile(written, "w", 8, compresslevel=1) as out,
    ):
        for part in plain.infolist():
            if part.filename != "word/document.xml":
                out.writestr(part.filename, plain.read(part))
        xml = (
            f'<?xml version="1.0"?>{prolog}<w:document xmlns:w="{_WORD}"><w:body>{body}</w:body></w:document>'
        )
        out.writestr("word/document.xml", xml)
    return written.getvalue()


def zip_bomb() -> bytes:
    """Return a DOCX file of about a megabyte with 250 MB of spaces in its text."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", 8, compresslevel=1) as out, out.open("word/document.xml", "w") as part:
        for _ in range(250):
            part.write(b" " * 1_000_000)
    return written.getvalue()


def zip_bomb_that_lies() -> bytes:
    """Return a zip bomb whose table of contents names small sizes."""
    bomb = bytearray(zip_bomb())
    size = (250_000_000).to_bytes(4, "little")
    while (at := bomb.find(size)) >= 0:
        bomb[at : at + 4] = (1000).to_bytes(4, "little")
    return bytes(bomb)


def entity_bomb() -> bytes:
    """Return a DOCX file with a billion laughs."""
    entities = '<!ENTITY a0 "laugh">' + "".join(
        f'<!ENTITY a{level} "{f"&a{level - 1};" * 10}">' for level in range(1, 10)
    )
    return docx_with_body("<w:p><w:r><w:t>&a9;</w:t></w:r></w:p>", f"<!DOCTYPE x [{entities}]>")


def encrypted_pdf() -> bytes:
    """Return a PDF file that opens with a password only."""
    content = page_content(lines("secret"))
    return assemble(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R>>",
            b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
            b"<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>" % (b"11" * 32, b"22" * 32),
        ],
        b"/Root 1 0 R/Encrypt 5 0 R/ID[<00><00>]",
    )


def encrypted_office_file() -> bytes:
    """Return the beginning of a DOCX file that Word has encrypted."""
    return (
        bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(512)
    )


def scanned_pdf() -> bytes:
    """Return a PDF file whose page is a picture."""
    content = b"q 612 0 0 792 0 0 cm /Scan Do Q"
    return assemble(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</XObject<</Scan 5 0 R>>>>/Contents 4 0 R>>",
            b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
            b"<</Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8/Length 1>>"
            b"stream\n\x80\nendstream",
        ],
        b"/Root 1 0 R",
    )


def pdf_whose_pages_loop() -> bytes:
    """Return a PDF file whose page tree contains itself."""
    return assemble(
        [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 9/Kids[2 0 R 2 0 R]/Parent 2 0 R>>"],
        b"/Root 1 0 R",
    )


def pdf_whose_forms_multiply(levels: int = 12, times: int = 10) -> bytes:
    """Return a PDF file of a few kilobytes whose page draws 10 to the power of 12 texts."""
    resources = b"<</Font<</F1 3 0 R>>/XObject<</X %d 0 R>>>>"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[4 0 R]>>",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources%s/Contents 5 0 R>>" % (resources % 6),
        b"<</Length 5>>stream\n/X Do\nendstream",
    ]
    for level in range(levels):
        draws = b" ".join([b"/X Do"] * times) if level < levels - 1 else page_content(lines("loop"))
        form = b"<</Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources%s/Length %d>>" % (
            resources % (7 + level),
            len(draws),
        )
        objects.append(form + b"stream\n" + draws + b"\nendstream")
    return assemble(objects, b"/Root 1 0 R")


def truncated_pdf() -> bytes:
    """Return the first half of a PDF file."""
    whole = pdf([lines("One page of text")] * 20)
    return whole[: len(whole) // 4]
