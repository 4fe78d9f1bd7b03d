"""Writes small PDF files for the tests."""

from collections.abc import Sequence

Line = tuple[float, float, float, str]  # x, y and size in points, and the text


def lines(*texts: str, x: float = 72, top: float = 720, size: float = 11, leading: float = 14) -> list[Line]:
    """Return lines one below the other."""
    return [(x, top - index * leading, size, text) for index, text in enumerate(texts)]


def page_content(page: Sequence[Line]) -> bytes:
    """Return the operators that draw the lines of a page."""
    drawn = []
    for x, y, size, text in page:
        escaped = text.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
        drawn.append(b"BT /F1 %g Tf %g %g Td (%s) Tj ET" % (size, x, y, escaped))
    return b"\n".join(drawn)


def pdf(pages: Sequence[Sequence[Line]], *, title: str = "") -> bytes:
    """Return a PDF file with lines of text on each page."""
    count = len(pages)
    kids = b" ".join(b"%d 0 R" % (4 + 2 * index) for index in range(count))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (count, kids),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    ]
    for index, page in enumerate(pages):
        content = page_content(page)
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>/Contents %d 0 R>>"
            % (5 + 2 * index)
        )
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(content), content))
    objects.append(b"<</Title(%s)>>" % title.encode("latin-1"))
    return assemble(objects, b"/Root 1 0 R/Info %d 0 R" % len(objects))


def assemble(objects: Sequence[bytes], trailer: bytes) -> bytes:
    """Return a file of numbered objects, the first of them 1, with its table of offsets."""
    written, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(written)
    written += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    written += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    written += b"trailer\n<</Size %d%s>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, start)
    return bytes(written)
