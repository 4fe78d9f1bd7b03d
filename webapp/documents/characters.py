"""Finds out in which encoding a text file is, and decodes it.

Unicode is recognised by itself. An older encoding is the one that the file declares. Else a rule decides where letters
beyond ASCII stand alone, as in languages in Latin letters, because no detector is good at those: Western (cp1252, which includes
Latin-1) or Central European (cp1250). Other scripts are recognised by charset-normalizer.
"""

from __future__ import annotations

import codecs
import re

from webapp.documents.plain import clean
from webapp.errors import DocumentRefused

_BYTE_ORDER_MARKS = (  # UTF-32 first: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE_BYTES = 100_000
_CONTROLS = bytes({*range(0x20), 0x7F} - {*b"\t\n\f\r\x1b"})  # an escape begins a colour in logs of terminals
_MAX_CONTROL_SHARE = 0.002  # more is no text
_MAX_BROKEN_SHARE = 0.1  # of the characters beyond ASCII; more is no UTF-8
_DECLARED_BYTES = 1024
_DECLARATION = re.compile(rb"(?:charset|encoding|coding)\s*[=:]\s*[\"']?([A-Za-z0-9_.-]{2,20})")
_SUPERSETS = {
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
}
_DECLARABLE = re.compile(
    r"iso8859-\d+|cp(125\d|932|949|874|866|437|850)|koi8-[ru]|gb18030|big5|euc_(jp|kr)|tis-620|mac-roman"
)
_OTHER_SCRIPTS = [
    "cp1251",
    "koi8_r",
    "cp1253",
    "cp1255",
    "cp1256",
    "cp932",
    "euc_jp",
    "gb18030",
    "big5",
    "cp949",
]
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]+")
_WORD_BEYOND_ASCII = re.compile(rb"[^\x00-\x20\x80-\xff]*[\x80-\xff][^\x00-\x20]*")
_SMALL_LETTERS_OF_KOI8 = re.compile(rb"[\xc0-\xdf]")  # without these it would be Hebrew
_LATIN_RUN = 2  # letters beyond ASCII that follow each other in a language in Latin letters
_MAX_LONG_RUN_SHARE = 0.5
# Polish, Czech, Hungarian letters as cp1252 has them: signs within words, and what is rare in the west.
_CENTRAL_EUROPEAN = re.compile(r"(?<=[a-z])[¹³¼¾¿¡¢£¥ª¯¶·º»±ˆœ](?=[a-z])|[šžŠŽ\ufffd]")
_CONTROLS_OF_ISO = re.compile(rb"[\x80-\x9f]")  # ISO 8859 has no letters there
_MAX_MARK_SHARE = 0.05  # of what is beyond ASCII


def decode(data: bytes) -> str:
    """Return the characters of a text file. Raises `DocumentRefused` for a binary file."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return clean(data[len(mark) :].decode(encoding, "replace"))
    if wide := _utf16_without_mark(data[:_SAMPLE_BYTES]):
        return clean(data.decode(wide, "replace"))
    if len(data) - len(data.translate(None, _CONTROLS)) > len(data) * _MAX_CONTROL_SHARE:
        raise DocumentRefused("document_type")
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    if broken and broken > (len(text) - len(text.encode("ascii", "ignore"))) * _MAX_BROKEN_SHARE:
        text = data.decode(_older_encoding(data), "replace")
    return clean(text)


def _utf16_without_mark(sample: bytes) -> str:
    """Return the kind of UTF-16, "" for anything else: every second byte of mostly Latin text is 0."""
    half = len(sample) // 2
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if half > 1 and odd > half * 0.4 and even < half * 0.02:
        return "utf-16-le"
    if half > 1 and even > half * 0.4 and odd < half * 0.02:
        return "utf-16-be"
    return ""


def _older_encoding(data: bytes) -> str:
    declared = _declared_encoding(data[:_DECLARED_BYTES])
    if declared:
        return declared
    sample = _sample(data)
    runs = [len(run) for run in _BEYOND_ASCII.findall(sample)]
    if sum(run for run in runs if run > _LATIN_RUN) > sum(runs) * _MAX_LONG_RUN_SHARE:
        from charset_normalizer import from_bytes  # noqa: PLC0415  (takes as long to load as most files to read)

        words = b" ".join(_WORD_BEYOND_ASCII.findall(sample))  # the others tell nothing, but outweigh them
        has_small_koi8 = _SMALL_LETTERS_OF_KOI8.search(words) is not None
        encodings = [name for name in _OTHER_SCRIPTS if name != "koi8_r" or has_small_koi8]
        best = from_bytes(words, cp_isolation=encodings).best()
        if best is not None:
            return best.encoding
    western = sample.decode("cp1252", "replace")
    if len(_CENTRAL_EUROPEAN.findall(western)) <= sum(runs) * _MAX_MARK_SHARE:
        return "cp1252"
    return "cp1250" if _CONTROLS_OF_ISO.search(sample) else "iso8859-2"


def _sample(data: bytes) -> bytes:
    """Return the lines around the first bytes beyond ASCII: a long file may have them late."""
    first = _BEYOND_ASCII.search(data)
    start = data.rfind(b"\n", 0, first.start()) + 1 if first else 0
    sample = data[start : start + _SAMPLE_BYTES]
    return sample[: sample.rfind(b"\n")] if b"\n" in sample[1:] else sample


def _declared_encoding(start: bytes) -> str:
    """Return the encoding that a file says it has, "" if it names none that text is written in."""
    found = _DECLARATION.search(start)
    try:
        name = codecs.lookup(found[1].decode()).name if found else ""
    except LookupError:
        return ""
    name = _SUPERSETS.get(name, name)
    return name if _DECLARABLE.fullmatch(name) else ""
