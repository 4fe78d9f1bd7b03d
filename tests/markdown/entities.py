"""Write `static/markdown/entities.js` from Python's own table: `python -m tests.markdown.entities`.

HTML's 2,125 named references never change. Names that the page derives by a rule are left out: the three mathematical
alphabets, and letters with an accent. The rest is ordered by code point, so that only the gaps
are written.
"""

import unicodedata
from collections import defaultdict
from html.entities import html5
from pathlib import Path

TARGET = Path(__file__).resolve().parents[2] / "static" / "markdown" / "entities.js"
NAMES = {name[:-1]: value for name, value in html5.items() if name.endswith(";")}
ALPHABETS = ("fr", "opf", "scr")
ACCENTS = {
    "acute": "\u0301",
    "breve": "\u0306",
    "caron": "\u030c",
    "cedil": "\u0327",
    "circ": "\u0302",
    "dblac": "\u030b",
    "dot": "\u0307",
    "grave": "\u0300",
    "macr": "\u0304",
    "ogon": "\u0328",
    "tilde": "\u0303",
    "uml": "\u0308",
}
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
WIDTH = 116


def accented(accent: str) -> str:
    """Return the letters whose name with this accent stands for the composed character."""
    composed = {each: unicodedata.normalize("NFC", each + ACCENTS[accent]) for each in LETTERS}
    return "".join(each for each in LETTERS if NAMES.get(each + accent) == composed[each])


def is_by_rule(name: str) -> bool:
    """Return whether the page derives this name by a rule."""
    return name[1:] in ALPHABETS or (name[1:] in ACCENTS and name[0] in accented(name[1:]))


def single(names: dict[str, list[str]]) -> str:
    """Return the entries of single characters: the gap to the previous code point, then the names."""
    parts = []
    previous = 0
    for value in sorted((value for value in names if len(value) == 1), key=ord):
        gap = ord(value) - previous - 1
        previous = ord(value)
        parts.append(f"{gap or ''} {' '.join(sorted(names[value]))}")
    return ",".join(parts)


def double(names: dict[str, list[str]]) -> str:
    """Return the entries of two characters: both, then the name."""
    return " ".join(value + name for value in sorted(names) if len(value) > 1 for name in names[value])


def literal(text: str) -> str:
    """Return the body of a JavaScript template string, wrapped at any position."""
    escaped = [f"\\u{ord(each):04x}" if ord(each) > 126 else each for each in text]
    lines = [""]
    for each in escaped:
        if len(lines[-1]) + len(each) > WIDTH:
            lines.append("")
        lines[-1] += each
    return "\\\n".join(lines)


def accents() -> str:
    """Return the entries of accents: the name, the combining character, the letters."""
    return " ".join(accent + ACCENTS[accent] + accented(accent) for accent in ACCENTS)


def table() -> tuple[str, str]:
    """Return the texts of SINGLE and DOUBLE."""
    names = defaultdict(list)
    for name, value in NAMES.items():
        if not is_by_rule(name):
            names[value].append(name)
    return single(names), double(names)


def write() -> None:
    """Replace the table in the module."""
    head, _, rest = TARGET.read_text().partition("const SINGLE =")
    tail = rest.partition("// end of the table\n")[2]
    one, two = table()
    body = "".join(
        f"const {name} = `{literal(text)}`;\n"
        for name, text in (("SINGLE", one), ("DOUBLE", two), ("ACCENTED", accents()))
    )
    body += "// end of the table\n"
    TARGET.write_text(head + body + tail)


if __name__ == "__main__":
    write()
