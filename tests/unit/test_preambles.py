"""Lines that introduce the rest of an answer: which are trimmed, and which are text."""

import random

import pytest

from tests.unit.test_continuing import CODE, join_everywhere
from webapp.providers.preamble_wordings import SORTED_AGREEMENTS, wordings
from webapp.providers.preambles import MAX_CHARS, find_preamble
from webapp.providers.seam import Seam

CUT = "The quick brown fox jum"
WHOLE = "The quick brown fox jumps."

STRONG = [
    "Sure, here is the rest:",
    "Sure! Here's the rest of the code:",
    "Certainly! Continuing from where I left off:",
    "Continuing from where I left off.",
    "**Continuing from where I left off:**",
    "(Continuing where it was cut off...)",
    "Okay. Sorry about that! I\u2019ll continue exactly where I left off:",
    "Of course!\n\nHere is the continuation of my previous response:",
    "Certainly, here's the continuation from where it was cut off:",
    "Natürlich! Hier ist der Rest:",
    "Ich mache genau dort weiter, wo ich aufgehört habe:",
    "Gerne, hier kommt die Fortsetzung meiner Antwort:",
    "Bien sûr\u00a0! Voici la suite\u202f:",
    "Je reprends là où je m\u2019étais arrêté :",
    "¡Claro! Aquí está el resto de la respuesta:",
    "Continúo desde donde lo dejé:",
    "好的，以下是剩余的内容：",
    "接着上文继续：",
    "当然，我将从上次中断的地方继续。",
    "بالتأكيد، إليك بقية الإجابة:",
    "سأكمل من حيث توقفت:",
]
WEAK = [
    "Here is the rest:",
    "Hier ist der Rest des Codes:",
    "Voici la suite :",
    "Aquí está el resto:",
    "以下是剩余部分：",
    "إليك تكملة النص:",
]
TEXTS = [
    "Sure, I left the keys on the table.",
    "Sure!\n\nThen she left.",
    "Sure, here is the rest: milk and eggs.",
    "Continuing from where I left off. It rained.",
    "Continuing from where I left off: it rained.\n",
    "Of course, here is the catch: it rains.",
    "Continuing from where we left off, the next chapter is about rain.",
    "Continuing education is free:\n\n- one",
    "I'll continue where my father stopped:\n\nat the door.",
    "Here is the rest of the story that nobody told:\n\nIt rained.",
    "Here's the thing:\n\nit rains.",
    "Certainly.",
    "Natürlich! Hier ist der Haken:\n\nes regnet.",
    "Bien sûr, voici la sui te:\nx",
    "当然，以下是例子：\n\n一",
    "以下是剩余部分的说明：\n一",
    "بالطبع، إليك مثال:\nx",
    "ps",
    "",
]


@pytest.mark.parametrize("line", [*STRONG, *WEAK])
@pytest.mark.parametrize("between", ["\n\n", " \r\n"])
def test_a_preamble_in_mid_sentence_is_trimmed(line: str, between: str) -> None:
    assert join_everywhere(CUT, f"{line}{between}ps.") == WHOLE
    assert join_everywhere(CUT, f"{line}{between}fox jumps.") == WHOLE, "with a repetition after it"


@pytest.mark.parametrize("line", STRONG)
def test_between_paragraphs_the_line_break_stays(line: str) -> None:
    assert join_everywhere("One is here.", f"{line}\n\nTwo.") == "One is here.\n\nTwo."
    assert join_everywhere("One is here.\n\n", f"{line}\n\nTwo.") == "One is here.\n\nTwo."


@pytest.mark.parametrize("line", WEAK)
def test_between_paragraphs_an_answer_may_say_that_the_rest_of_something_follows(line: str) -> None:
    more = f"{line}\n\nTwo."
    assert join_everywhere("One is here. ", more) == f"One is here. {more}"


@pytest.mark.parametrize("line", [*STRONG[:3], *WEAK[:3]])
@pytest.mark.parametrize("opening", ["", "```\n", "```python\n"])
def test_in_a_code_block_the_line_and_the_opening_are_trimmed(line: str, opening: str) -> None:
    assert join_everywhere(CODE, f"{line}\n\n{opening}th * height\n```") == CODE + "th * height\n```"
    indented = join_everywhere(CODE + "th\n", f"{line}\n\n{opening}    # Done.\n```")
    assert indented == CODE + "th\n    # Done.\n```"


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("before", [CUT, "One is here.\n\n"])
def test_other_text_stays_as_it_is(before: str, text: str) -> None:
    assert join_everywhere(before, text) == before + text


@pytest.mark.parametrize("text", TEXTS)
def test_other_text_waits_for_little_of_what_follows(text: str) -> None:
    """It is held while it may be a preamble: to the first word that none has, or to the end of the line."""
    seam, held = Seam("One is here."), 0
    for char in text + "\nMore.":
        if seam.feed(char):
            break
        held += 1
    assert held <= text.find("\n") + 4 if "\n" in text else held <= len(text) + 2
    plain = Seam("One is here.")
    assert plain.feed("Two") == "Two"


def test_a_preamble_that_the_answer_has_itself_is_a_repetition() -> None:
    text = "Sure, here is the rest:\n\nThe quick brown fox jum"
    assert join_everywhere(text, text + "ps.") == text + "ps."


def test_a_preamble_is_all_that_came() -> None:
    assert join_everywhere(CUT, "Sure, here is the rest:") == CUT
    assert join_everywhere(CUT, "Sure, here is the rest:\n") == CUT
    assert join_everywhere(CUT, "Sure, here is the re", is_complete=False) == CUT
    assert join_everywhere(CUT, "Sure, here is the re", is_complete=True) == CUT + "Sure, here is the re"
    assert join_everywhere(CUT, "Sur", is_complete=False) == CUT + "Sur"


def test_where_the_model_was_given_the_beginning_nothing_is_a_preamble() -> None:
    more = "Sure, here is the rest:\n\nps."
    assert join_everywhere(CUT, more, only_space=True) == CUT + more


@pytest.mark.parametrize(
    ("text", "more", "expected"),
    [
        # Without a language a fence opens the block again if a repetition follows.
        (CODE, "```\n    return width * height\n```", CODE + "th * height\n```"),
        (CODE, "```\ndef area(width, height):\n    return width", CODE + "th"),
        ("~~~\nlet first = second\n", "~~~\nlet first = second\nend", "~~~\nlet first = second\nend"),
        # Else it closes it.
        (CODE + "th\n", "```\n\nThat is the area.", CODE + "th\n```\n\nThat is the area."),
        (CODE + "th\n", "```\n", CODE + "th\n```\n"),
        (CODE + "th\n", "```", CODE + "th\n```"),
        ("```\nx = 1\n", "```\nx = 1 is Python.", "```\nx = 1\n```\nx = 1 is Python."),
    ],
)
def test_a_fence_without_a_language(text: str, more: str, expected: str) -> None:
    assert join_everywhere(text, more) == expected


def test_every_wording_is_found_at_every_length_or_not_at_all() -> None:
    dice = random.Random(11)
    print("seed 11")
    for is_rest in (False, True):
        for wording in dice.sample(wordings(is_rest=is_rest), 60):
            text = f"{dice.choice(SORTED_AGREEMENTS).capitalize()}, {wording}:\n\nx"
            found = find_preamble(text, is_end=False, is_cut_sentence=False)
            assert found == text.index("\n"), text
            answers = [find_preamble(text[:n], is_end=False, is_cut_sentence=False) for n in range(len(text))]
            assert set(answers) <= {None, found}, text


def test_what_is_looked_at_is_bounded() -> None:
    for text in ("Sure, " * 100, " " * 1_000, "*" * 1_000, "Sure" + "!" * 1_000):
        assert find_preamble(text, is_end=False, is_cut_sentence=True) == 0
    assert (
        max(len(wording) for is_rest in (False, True) for wording in wordings(is_rest=is_rest))
        < MAX_CHARS / 2
    )
