"""Separating inline reasoning from an answer's text, cut anywhere."""

import pytest

from webapp.events import Event, ReasoningDelta, TextDelta, TextWasReasoning
from webapp.providers.reasoning_tags import ReasoningHabit, ReasoningSplitter

FENCED = "Use it so:\n\n```html\n<think>a</think>\n```\n"


def split(
    pieces: list[str], habit: ReasoningHabit | None = None, *, together: bool = False
) -> tuple[str, str]:
    """Return the text and the reasoning; with `together`, all pieces arrive in one read."""
    splitter = ReasoningSplitter(habit)
    everything: list[Event] = []
    events: list[Event] = []
    for piece in pieces:
        events = events if together else []
        splitter.add(piece, events)
        everything += [] if together else events
    everything += events if together else []
    splitter.flush(everything)
    text = reasoning = ""
    for event in everything:
        if isinstance(event, TextWasReasoning):
            text, reasoning = "", reasoning + text.strip()
        elif isinstance(event, TextDelta):
            text += event.text
        elif isinstance(event, ReasoningDelta):
            reasoning += event.text
    return text, reasoning


CASES = {
    "plain": ("Hello", "Hello", ""),
    "leading space": ("  \n Hello", "  \n Hello", ""),
    "think": ("<think>\nLet me see\n</think>\n\nHello", "Hello", "Let me see"),
    "thinking": ("\n <thinking>Hm < 3</thinking>Hello <b>", "Hello <b>", "Hm < 3"),
    "capitals": ("<THINK>Hm</Think> Hello", "Hello", "Hm"),
    "empty": ("<think>\n\n</think>\n\nHello", "Hello", ""),
    "twice": ("<think>a</think>\n<think>b</think>\nHello", "Hello", "ab"),
    "unclosed": ("<think>Let me see", "", "Let me see"),
    "cut in the closing tag": ("<think>Let me see</thi", "", "Let me see</thi"),
    "only a beginning": ("<thi", "<thi", ""),
    "another element": ("<thinker>a</thinker>", "<thinker>a</thinker>", ""),
    "later": ("Say <think>a", "Say <think>a", ""),
    "in a fence": (FENCED, FENCED, ""),
    "in a span": ("The tag `</think>` ends it, `<think>` begins it.",) * 2 + ("",),
    "in a span of the reasoning": ("<think>Is `</think>` meant?</think>Yes", "Yes", "Is `</think>` meant?"),
    "in a fence of the reasoning": (
        "<think>So:\n```\n</think>\n```\ndone</think>Yes",
        "Yes",
        "So:\n```\n</think>\n```\ndone",
    ),
    "a fence after the reasoning": (f"<think>a</think>{FENCED}", FENCED.rstrip() + "\n", "a"),
    "space within the tags": ("<think >\r\nHm\r\n</ think\n>\r\nHello", "Hello", "Hm"),
    "a byte order mark": ("\ufeff\u200b<think>Hm</think>Hello", "Hello", "Hm"),
    "reasoning": ("<reasoning>Hm</reasoning>Hello", "Hello", "Hm"),
    "closed by another name": ("<think>Hm</thinking>Hello", "Hello", "Hm"),
    "seed": ("<seed:think>Hm</seed:think>Hello", "Hello", "Hm"),
    "kimi": ("◁think▷Hm ◁ 3◁/think▷Hello", "Hello", "Hm ◁ 3"),
    "magistral": ("[THINK]Hm [1][/THINK]Hello [2]", "Hello [2]", "Hm [1]"),
    "a link first": ("[thin](https://a.example) and [x]", "[thin](https://a.example) and [x]", ""),
    "sky": ("<|begin_of_thought|>Hm<|end_of_thought|>\n\n<|begin_of_solution|>Hello", "Hello", "Hm"),
    "command": ("<|START_THINKING|>Hm<|END_THINKING|><|START_RESPONSE|>Hello", "Hello", "Hm"),
    "gpt-oss": (
        "<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>final<|message|>Hello",
        "Hello",
        "Hm",
    ),
    "gpt-oss without reasoning": ("<|channel|>final<|message|>Hello", "Hello", ""),
    "gemma": ("<|channel>thought\nHm<channel|>Hello", "Hello", "Hm"),
    "explained in prose": (
        "Models write <think>Hm</think> first.",
        "Models write <think>Hm</think> first.",
        "",
    ),
    "another tag in the reasoning": (
        "<think>a [/think] <b> </b></think>Hello",
        "Hello",
        "a [/think] <b> </b>",
    ),
    "XML": ("<e><reason>a</reason></e>", "<e><reason>a</reason></e>", ""),
    "spoken of": ("A template ends it with </think> on a line.",) * 2 + ("",),
    "spoken of in quotes": ('Put "</think>" there',) * 2 + ("",),
    "a lone closing tag first": ("</think>\n\nHello", "Hello", ""),
}


@pytest.mark.parametrize("name", CASES)
def test_n17_inline_reasoning_is_split_at_every_cut(name: str) -> None:
    whole, text, reasoning = CASES[name]
    assert split([whole]) == (text, reasoning)
    assert split(list(whole)) == (text, reasoning)
    for at in range(1, len(whole)):
        assert split([whole[:at], whole[at:]]) == (text, reasoning), at


@pytest.mark.parametrize("tag", ["</think>", "</thinking>", "</THINK>"])
def test_n17_reasoning_that_was_never_opened_is_no_text(tag: str) -> None:
    pieces = ["Let me ", "see\n", tag[:4], tag[4:], "\n\n", "Hel", "lo"]
    assert split(pieces, together=True) == ("Hello", "Let me see")
    assert split(pieces) == ("Hello", "Let me see")
    whole = "".join(pieces)
    for at in range(1, len(whole)):
        assert split([whole[:at], whole[at:]]) == ("Hello", "Let me see")


def test_n17_the_next_answer_of_such_a_model_is_split_as_it_streams() -> None:
    habit = ReasoningHabit("m")
    pieces = ["Let me ", "see\n", "</think>\n", "Hello"]
    assert split(pieces, habit) == ("Hello", "Let me see")
    assert split(list("".join(pieces)), habit) == ("Hello", "Let me see")
    assert split(["<think>a</think>Hello"], habit) == ("Hello", "a")
    assert not habit.starts_inside


def test_n17_a_model_that_usually_reasons_keeps_its_answer_where_it_does_not() -> None:
    habit = ReasoningHabit("Qwen/QwQ-32B")
    assert split(list("Hello</think>Hi"), habit) == ("Hi", "Hello")
    assert split(["Hello"], habit) == ("Hello", "Hello")
    assert split(["Hello"], habit) == ("Hello", "")


def test_n17_a_block_of_code_left_open_in_the_reasoning_does_not_swallow_the_answer() -> None:
    text, reasoning = split(list("<think>a\n```\nb\n</think>\nHello"))
    assert (text, reasoning.startswith("a\n```\nb")) == ("Hello", True)


def test_n17_text_beside_a_field_of_reasoning_stays_text() -> None:
    splitter, events = ReasoningSplitter(ReasoningHabit("deepseek-r1")), list[Event]()
    splitter.note_reasoning()
    splitter.add("Hello </think>", events)
    assert events == [TextDelta("Hello </think>")]


def test_n17_only_the_beginning_of_a_long_text_is_kept() -> None:
    splitter, events = ReasoningSplitter(), list[Event]()
    for _ in range(40):
        splitter.add("x" * 10_000 + "<", events)
    assert splitter._kept_chars < 300_000
    splitter.flush(events)
    assert sum(len(event.text) for event in events if isinstance(event, TextDelta)) == 40 * 10_001
