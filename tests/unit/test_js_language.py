"""What a person reads stands in `static/strings/`, in every language, and nowhere else."""

import re

import pytest

from tests.unit.test_js_layers import COMMENT, MODULES, STATIC

# Literals of more than one word that no person reads: classes, relations, fonts, and what goes to a console.
UNREAD = frozenset(
    {
        "icon filled",
        "noopener noreferrer",
        "block tight",
        "math display",
        "problem after",
        "tool picker",
        "tool share",
        "panel sharing",
        "turn-actions of-question",
        "panel keys",
        "panel devices",
        "panel documents-view",
        "panel import-report",
        "tbody tr",
        "small more",
        "small import",
        "gallery alone",
        "noopener noreferrer nofollow",
        '"STIX Two Math", "Cambria Math", "Latin Modern Math", "DejaVu Math TeX Gyre", math',
        "more than ${this.#maxChars} characters without an end of event",
    }
)
# `client.js` has errors for programmers, `embed.js` a sentence for when the strings could not be loaded, and `embed-frame.js` shows nothing.
WORDLESS = (
    "strings/",
    "styles/",
    "markdown/",
    "mathml/",
    "highlight/",
    "client.js",
    "embed.js",
    "embed-frame.js",
)
LITERAL = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`")

PATTERN = re.compile(r"(?<== )/(?:[^/\\\n]|\\.)+/[a-z]*;")  # a regular expression may contain a backtick


@pytest.mark.parametrize("module", [module for module in MODULES if not module.startswith(WORDLESS)])
def test_what_a_person_reads_stands_among_the_strings(module: str) -> None:
    code = PATTERN.sub("", COMMENT.sub("", (STATIC / module).read_text()))
    literals = {literal[1:-1] for literal in LITERAL.findall(code)}
    sentences = {text for text in literals if re.search(r"[^\W\d_]{2,} [^\W\d_]{2,}", text)}
    assert sentences <= UNREAD


TEMPLATES = sorted(path.name for path in (STATIC.parent / "templates").iterdir())


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_a_person_reads_stands_in_no_template(name: str) -> None:
    template = (STATIC.parent / "templates" / name).read_text()
    shown = re.sub(r"\{[{%].*?[}%]\}|<[^>]*>|Freshet", "", template, flags=re.S)
    assert not re.search(r"[^\W\d_]{2,}", shown)
