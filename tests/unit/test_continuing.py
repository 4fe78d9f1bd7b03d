"""Continuing an answer that was cut off: what is asked for, and the seam."""

import random
from collections.abc import Sequence
from typing import Any

import pytest

from tests.unit.transports import HELLO, FakeControl, FakeTransport, Outcome, chunk
from webapp.chat import ModelMessage, ModelRequest
from webapp.errors import AnswerError, Interrupted, InvalidRequest, Stopped, UpstreamError
from webapp.events import Event, Finished, ReasoningDelta, TextDelta
from webapp.providers.anthropic.provider import AnthropicProvider
from webapp.providers.continuing import ContinuedEvents, instruction
from webapp.providers.mock import MockProvider
from webapp.providers.ollama.provider import OllamaProvider
from webapp.providers.openai.chat import OpenAIProvider
from webapp.providers.openai.responses import OpenAIResponsesProvider
from webapp.providers.retries import RetryingClient
from webapp.providers.seam import Seam
from webapp.seams import EventStream

CODE = "Like this:\n\n```python\ndef area(width, height):\n    return wid"
STORY = "It was a dark and stormy night; the rain fell in torrents, except at occasional intervals."


def joined(text: str, pieces: Sequence[str], *, is_complete: bool = True, only_space: bool = False) -> str:
    """Return a text with its continuation."""
    seam = Seam(text, only_space=only_space)
    return text + "".join(map(seam.feed, pieces)) + seam.flush(is_complete=is_complete)


def join_everywhere(text: str, more: str, **options: bool) -> str:
    """Join a continuation as a whole, character by character, at every cut and at random cuts; all must agree."""
    found = joined(text, [more], **options)
    dice = random.Random(7)
    all_pieces = [list(more), *([more[:at], more[at:]] for at in range(1, len(more)))]
    for _ in range(20):
        places = sorted(dice.randrange(len(more) + 1) for _ in range(5))
        all_pieces.append([more[a:b] for a, b in zip([0, *places], [*places, len(more)], strict=True)])
    for pieces in all_pieces:
        assert joined(text, pieces, **options) == found, pieces
    return found


@pytest.mark.parametrize(
    ("text", "more", "expected"),
    [
        # Nothing is repeated.
        ("So far", " and on.", "So far and on."),
        ("hel", "lo", "hello"),
        ("No", " no no.", "No no no."),
        ("1,000", "000 people", "1,000000 people"),
        ("Is it yes or no? Answer: ", "yes", "Is it yes or no? Answer: yes"),
        ("The end.", "", "The end."),
        # Repeated with other white space or capitals, or after dots.
        ("The quick brown\nfox jum", "The quick brown fox jumps", "The quick brown\nfox jumps"),
        ("The quick  brown fox jum", "the quick brown\n\nfox jumps", "The quick  brown fox jumps"),
        ("It is a dark night\n", "It is a  dark night\nof rain", "It is a dark night\nof rain"),
        ("The quick brown fox jum", "...jumps over", "The quick brown fox jumps over"),
        ("| a | b |\n|---|", "---|\n| 1 | 2 |", "| a | b |\n|---|---|\n| 1 | 2 |"),
        ("}\n}\n", "}\n", "}\n}\n}\n"),
        (
            "x = [0, 0, 0, 0, 0, 0, 0, 0,",
            " 0, 0, 0, 0, 0, 0, 0]",
            "x = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]",
        ),
        ("the very", " very old man", "the very very old man"),
        # The word in which it stops, the last words, the sentence, the paragraph, all of it.
        ("the qui", "quick brown fox", "the quick brown fox"),
        ("the rain fell in tor", "the rain fell in torrents.", "the rain fell in torrents."),
        ("One. Two three four. Five six", "Five six seven.", "One. Two three four. Five six seven."),
        ("One.\n\nSecond paragraph, cut", "Second paragraph, cut off.", "One.\n\nSecond paragraph, cut off."),
        (STORY[:40], STORY, STORY),
        (STORY[:40], "…" + STORY[20:], STORY),
        (STORY[:40], "...stormy night; the rain", STORY[:40]),
        (STORY[:40], ". . .", STORY[:40] + ". . ."),
        ("return (foo", "foo_bar)", "return (foo_bar)"),
        ("| a | b |\n| 1 | 2", "| 1 | 2 | 3 |", "| a | b |\n| 1 | 2 | 3 |"),
        # With space around the seam.
        ("It was a ", " dark night.", "It was a dark night."),
        ("One.\n", "\nTwo.", "One.\nTwo."),
        ("a dark and stormy night ", "a dark and stormy night fell.", "a dark and stormy night fell."),
        ("a dark and stormy night \n", "a dark and stormy night fell.", "a dark and stormy night \nfell."),
        ("a dark and stormy night \n", "a dark and stormy night   fell.", "a dark and stormy night \nfell."),
        ("the rain fell in", "\n\nthe rain fell in torrents", "the rain fell in torrents"),
        # Other scripts.
        ("今天天气很好，我们去公园", "我们去公园散步。", "今天天气很好，我们去公园散步。"),
        ("今天", "天气", "今天天气"),
        # In a code block.
        (CODE, "```python\n    return width * height\n```", CODE + "th * height\n```"),
        (CODE, "th * height\n```", CODE + "th * height\n```"),
        (CODE, "\n```py\nth * height", CODE + "th * height"),
        ("```\nx = 1\n", "```\nDone.", "```\nx = 1\n```\nDone."),
        ("~~~js\nlet a", "```js\n", "~~~js\nlet a```js\n"),
        ("```\na\n```\n", "```python\nb\n```", "```\na\n```\n```python\nb\n```"),
    ],
)
def test_the_seam(text: str, more: str, expected: str) -> None:
    assert join_everywhere(text, more) == expected


def test_space_alone_is_trimmed_where_the_model_was_given_the_beginning() -> None:
    assert join_everywhere("It was a ", " dark", only_space=True) == "It was a dark"
    assert join_everywhere("print(item)\n", "print(item)\n", only_space=True) == "print(item)\nprint(item)\n"


def test_a_repetition_that_breaks_off_is_dropped() -> None:
    text = STORY + " And so on."
    assert join_everywhere(text, STORY[:60], is_complete=False) == text
    assert join_everywhere(text, STORY[:60], is_complete=True) == text + STORY[:60]
    assert join_everywhere(text, "It was", is_complete=False) == text + "It was"


def test_what_is_held_back_is_bounded() -> None:
    text = "la " * 50_000 + "end"
    seam = Seam(text)
    held = 0
    while not seam.feed("la "):
        held += 3
        assert held < 200_000
    assert held <= 4_100 or text.startswith("la " * (held // 3))


def test_a_long_answer_that_is_repeated_from_its_middle_is_held_for_a_part_only() -> None:
    text = "Once. " + "".join(f"Sentence number {n} is here. " for n in range(2_000))
    seam = Seam(text)
    released = [seam.feed(text[at : at + 10]) for at in range(6, 20_000, 10)]
    first = next(index for index, piece in enumerate(released) if piece)
    assert first * 10 <= 4_100


def test_the_instruction_quotes_the_last_characters_and_names_an_open_code_block() -> None:
    assert '"a \\"quoted\\" wor"' in instruction('It is a "quoted" wor'[6:])
    assert "code block" not in instruction("plain")
    assert "code block" in instruction(CODE)
    assert "code block" not in instruction(CODE + "\n```\n")
    assert len(instruction("x" * 100_000)) < 500


# Events.


class Scripted:
    """A stream that returns its steps one read at a time; an error is raised."""

    has_more = False

    def __init__(self, *steps: Event | Exception) -> None:
        self._steps = list(steps)
        self.closed = False

    def read(self, *, wait: bool = True) -> Sequence[Event]:
        del wait
        step = self._steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return [step]

    @property
    def rest(self) -> EventStream:
        return self

    def close(self) -> None:
        self.closed = True


def continuing(text: str) -> ModelRequest:
    return ModelRequest(messages=(ModelMessage.user("Tell."), ModelMessage.assistant(text)), continues=True)


def test_events_other_than_text_pass_at_once_and_the_rest_in_order() -> None:
    stream = ContinuedEvents(
        Scripted(
            TextDelta("the"), ReasoningDelta("Hm."), TextDelta(" rain fell in torrents"), Finished("stop")
        ),
        continuing("the rain fell in tor"),
    )
    found = [event for _ in range(3) for event in stream.read()]
    assert found == [ReasoningDelta("Hm."), TextDelta("rents"), Finished("stop")]


def test_reading_without_waiting_returns_nothing_while_text_is_held() -> None:
    stream = ContinuedEvents(Scripted(TextDelta("the rain")), continuing("the rain fell in tor"))
    assert stream.read(wait=False) == []


@pytest.mark.parametrize("error", [Interrupted(), Stopped(), UpstreamError("upstream_stalled")])
def test_a_failure_comes_after_the_text_that_was_held(error: Exception) -> None:
    script = Scripted(TextDelta("the"), error)
    stream = ContinuedEvents(script, continuing("the rain fell in tor"))
    assert stream.read() == [TextDelta("the")]
    assert stream.has_more
    with pytest.raises(type(error)):
        stream.read()
    stream.close()
    assert script.closed


@pytest.mark.parametrize("error", [Interrupted(), Stopped()])
@pytest.mark.parametrize("wait", [True, False])
def test_a_failure_without_held_text_is_raised(error: AnswerError, wait: bool) -> None:
    stream = ContinuedEvents(Scripted(error), continuing("x"))
    with pytest.raises(type(error)):
        stream.read(wait=wait)


def test_only_an_answer_can_be_continued() -> None:
    with pytest.raises(InvalidRequest):
        ModelRequest(messages=(ModelMessage.user("Hi"),), continues=True)


# Providers.

ANTHROPIC = [
    b'data: {"type":"content_block_delta","delta":{"type":"text_delta","text":" a dark and stormy night fell."}}\n\n',
    b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n',
]
REPEATING = [chunk("a dark and stormy night fell."), chunk(None, "stop"), b"data: [DONE]\n\n"]
OLLAMA = [b'{"message":{"content":"a dark and stormy night fell."}}\n', b'{"done":true}\n']
RESPONSES = [
    b'data: {"type":"response.output_text.delta","delta":"a dark and stormy night fell."}\n\n',
    b'data: {"type":"response.completed","response":{}}\n\n',
]
BEGINNING = "It was a dark and stormy night "


def go_on(kind: Any, model: str, *outcomes: Outcome) -> tuple[list[dict[str, Any]], str]:
    """Continue an answer; return the bodies of the calls and the text."""
    transport = FakeTransport(*outcomes)
    options = {} if kind is OllamaProvider else {"api_key": "k"}
    if kind is OpenAIResponsesProvider:
        options["base_url"] = "https://api.openai.com/v1"
    provider = kind(
        RetryingClient(transport), model_name=model, max_tokens=300, pricer=lambda *_: None, **options
    )
    events = list(provider.stream(continuing(BEGINNING), FakeControl()))
    return transport.bodies, "".join(event.text for event in events if isinstance(event, TextDelta))


@pytest.mark.parametrize(
    ("kind", "model", "outcome", "field"),
    [
        (OpenAIProvider, "gpt-4.1", REPEATING, "messages"),
        (OpenAIProvider, "some-local-model", REPEATING, "messages"),
        (OpenAIResponsesProvider, "gpt-6.2-sol", RESPONSES, "input"),
        (OllamaProvider, "llama3", OLLAMA, "messages"),
        (
            AnthropicProvider,
            "claude-opus-5-5",
            [ANTHROPIC[0].replace(b'" a', b'"a'), ANTHROPIC[1]],
            "messages",
        ),
    ],
)
def test_n19_the_rest_is_asked_for_and_the_seam_is_trimmed(
    kind: Any, model: str, outcome: Outcome, field: str
) -> None:
    (body,), text = go_on(kind, model, outcome)
    assert [message["role"] for message in body[field]] == ["user", "assistant", "user"]
    assert "night " in body[field][2]["content"]
    assert BEGINNING + text == "It was a dark and stormy night fell."


def test_an_older_claude_is_given_the_beginning_without_space_at_its_end() -> None:
    (body,), text = go_on(AnthropicProvider, "claude-3-7-sonnet-20250219", ANTHROPIC)
    assert body["messages"][1:] == [{"role": "assistant", "content": "It was a dark and stormy night"}]
    assert text == "a dark and stormy night fell."  # it was given the beginning, so it means this


def test_n19_a_refused_beginning_is_asked_for_instead() -> None:
    refused = UpstreamError(
        "upstream_bad_request",
        reason="\nThis model does not support assistant message prefill. The conversation must end with a user message.",
        status=400,
    )
    repeating = [ANTHROPIC[0].replace(b'" a', b'"a'), ANTHROPIC[1]]
    (first, second), text = go_on(AnthropicProvider, "claude-3-7-sonnet-20250219", refused, repeating)
    assert first["messages"][-1]["role"] == "assistant"
    assert [message["role"] for message in second["messages"]] == ["user", "assistant", "user"]
    assert BEGINNING + text == "It was a dark and stormy night fell."


def test_a_program_s_own_beginning_is_passed_on_as_it_is() -> None:
    transport = FakeTransport(HELLO)
    provider = OpenAIProvider(
        RetryingClient(transport), model_name="m", max_tokens=9, pricer=lambda *_: None, api_key="k"
    )
    messages = (ModelMessage.user("Hi"), ModelMessage.assistant("Hel"))
    assert provider.complete(ModelRequest(messages=messages)).content == "Hello"
    assert [message["role"] for message in transport.bodies[0]["messages"]] == ["user", "assistant"]


def test_the_mock_goes_on_where_it_stopped() -> None:
    provider = MockProvider(model_name="mock", max_tokens=4096, pricer=lambda *_: None, delay_ms=0)
    question = ModelMessage.user("Hi")
    whole = provider.complete(ModelRequest(messages=(question,))).content
    begun = (question, ModelMessage.assistant(whole[:100]))
    rest = provider.complete(ModelRequest(messages=begun, continues=True)).content
    assert whole[:100] + rest == whole
