"""Documents are split into passages that contain all of their text, where the text itself has its breaks."""

import itertools
import random
import time

import pytest

from webapp.parsed_document import ParsedDocument
from webapp.search.passages import OVERLAP_CHARS, TARGET_CHARS, Passage, split_passages


def split(text: str, pages: tuple[int, ...] = ()) -> list[Passage]:
    return split_passages(ParsedDocument(title="", text=text, media_type="text/plain", pages=pages))


def texts(text: str) -> list[str]:
    return [text[passage.start : passage.end] for passage in split(text)]


def test_a_short_text_is_one_passage() -> None:
    assert texts("\n  One sentence. Another one.\n\n") == ["One sentence. Another one."]
    assert texts(" \n\t\n") == []


def test_a_long_text_is_split_at_sentences_which_overlap() -> None:
    text = " ".join(f"This is sentence number {number}." for number in range(200))
    found = split(text)
    assert len(found) > 5
    for one, other in itertools.pairwise(found):
        assert text[one.end - 1] == "."
        assert text[other.start :].startswith("This")
        assert 0 < one.end - other.start <= OVERLAP_CHARS
    assert all(passage.end - passage.start <= TARGET_CHARS for passage in found)


def test_headings_begin_passages_and_are_named_with_those_above_them() -> None:
    body = "Some words. " * 40
    text = f"# Install\n\n{body}\n## On Linux\n\n{body}\n## On macOS ##\n\n{body}\n# Use\n\n{body}"
    assert [passage.heading for passage in split(text)] == [
        "Install",
        "Install › On Linux",
        "Install › On macOS",
        "Use",
    ]


def test_short_sections_stay_together() -> None:
    assert len(split("# A\n\nshort\n\n## B\n\nalso short\n\n## C\n\nshort too\n")) == 1


def test_a_heading_in_a_code_block_is_text() -> None:
    code, words = "line of code\n" * 40, "More words. " * 40
    text = f"# A\n\n```sh\n# a comment\n{code}```\n\n{words}"
    assert {passage.heading for passage in split(text)} == {"A"}


def test_pages_are_those_on_which_passages_begin() -> None:
    page = "Some words on a page. " * 60
    found = split(page * 3, (0, len(page), 2 * len(page)))
    assert [passage.page for passage in found] == sorted(passage.page or 0 for passage in found)
    assert {passage.page for passage in found} == {1, 2, 3}
    assert split("No pages.")[0].page is None


def test_a_passage_ends_with_its_page_unless_that_would_be_a_few_words() -> None:
    first, second = "One sentence of the first page. " * 34, "What the second page says. " * 12
    found = split(first + second, (0, len(first)))
    assert [passage.page for passage in found] == [1, 2]
    long, tail = "One sentence of the first page. " * 31, "A few words more. "
    found = split(long + tail + second, (0, len(long + tail)))
    assert [passage.page for passage in found] == [1, 2]
    assert found[1].start < len(long + tail) < found[1].end


def test_scripts_of_dense_characters_have_shorter_passages() -> None:
    found = texts("这是一个关于北京大学的句子。" * 200)
    assert all(len(piece) <= TARGET_CHARS // 2 and piece.endswith("。") for piece in found)


def test_all_of_a_text_is_in_passages(dice: random.Random) -> None:
    alphabet = [
        "word ",
        "w",
        ". ",
        "! ",
        "\n",
        "\n\n",
        "# head\n",
        "```\n",
        "。",
        "中文",
        " ",
        "\t",
        "x" * 1500,
        "| a |\n",
    ]
    for _ in range(200):
        text = "".join(dice.choices(alphabet, k=dice.randrange(400)))
        covered = [False] * len(text)
        found = split(text)
        assert [passage.number for passage in found] == list(range(len(found)))
        for passage in found:
            assert passage.start < passage.end <= passage.start + TARGET_CHARS
            covered[passage.start : passage.end] = [True] * (passage.end - passage.start)
        assert all(is_in or char.isspace() for is_in, char in zip(covered, text, strict=True))


@pytest.mark.parametrize("piece", ["!", "a", " ", ".'", "# a" + " " * 1000, "`", "```\n", "\n", "北"])
def test_no_text_takes_long(piece: str) -> None:
    text = piece * (2_000_000 // len(piece))
    started = time.process_time()
    split(text)
    assert time.process_time() - started < 10
