"""Snippets of messages that a search found."""

import pytest

from webapp.conversation import fold
from webapp.store.snippets import make_snippet


def marked(text: str, search: str) -> list[str]:
    """Return the marked parts of the snippet."""
    snippet = make_snippet("m", text, fold(search).split())
    assert snippet is not None
    units = snippet.text.encode("utf-16-le")
    return [units[2 * start : 2 * end].decode("utf-16-le") for start, end in snippet.marks]


@pytest.mark.parametrize(
    ("text", "search", "expected"),
    [
        ("The river rises.", "RIVER", ["river"]),
        ("Straße und straße", "strasse", ["Straße", "straße"]),
        ("😀 Crème brûlée 😀", "creme brulee", ["Crème", "brûlée"]),
        ("ﬃ before the find", "find", ["find"]),
        ("aaa", "a aa", ["aaa"]),
        ("x" * 500 + " needle " + "y" * 500, "needle", ["needle"]),
        ("ß" * 300 + " needle", "needle", ["needle"]),
        ("100% sure", "100%", ["100%"]),
    ],
)
def test_the_words_are_marked(text: str, search: str, expected: list[str]) -> None:
    assert marked(text, search) == expected


def test_a_snippet_is_short_and_one_line() -> None:
    snippet = make_snippet("m", "word\n" * 10_000, ["word"])
    assert snippet is not None
    assert len(snippet.text) <= 162
    assert "\n" not in snippet.text
    assert snippet.text.endswith("…")


def test_a_text_without_the_words_has_no_snippet() -> None:
    assert make_snippet("m", "Nothing", ["word"]) is None
