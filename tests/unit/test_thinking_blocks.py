"""Blocks of thinking, from the stream of an answer that breaks off to the call that continues it.

The API is `tests.support.claude`, which refuses a signature that does not fit.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

from tests.support import claude
from tests.support.dialects import anthropic_delta, anthropic_event
from tests.unit.splits import same_for_all_splits
from tests.unit.transports import FakeBody, FakeControl, FakeTransport
from webapp.chat import ModelMessage, ModelRequest
from webapp.errors import AnswerError, UpstreamError
from webapp.events import MAX_SEALED_CHARS, Event, ReasoningSealed, TextDelta
from webapp.providers.anthropic.decoder import AnthropicDecoder
from webapp.providers.anthropic.provider import AnthropicProvider
from webapp.providers.anthropic.thinking_blocks import ThinkingCollector
from webapp.providers.errors import error_from_response
from webapp.providers.refusals.memory import RefusedParameters
from webapp.providers.retries import RetryingClient
from webapp.seams import Call, Control

OPUS, SONNET_37, HAIKU = "claude-opus-5-5", "claude-3-7-sonnet-20250219", "claude-haiku-5-5"
QUESTION = (ModelMessage.system("Be brief."), ModelMessage.user("Why?"))
TEXT = ("text", "Because it")
ONE = [("thinking", "They ask why."), TEXT]
BEGINNINGS: dict[str, list[claude.Block]] = {
    "one": ONE,
    "not displayed": [("thinking", ""), TEXT],
    "redacted first": [("redacted_thinking", ""), ("thinking", "They ask why."), TEXT],
    "several": [("thinking", "They ask."), ("thinking", "Why, though?"), ("redacted_thinking", ""), TEXT],
    "only redacted": [("redacted_thinking", ""), ("redacted_thinking", ""), TEXT],
    "odd text": [("thinking", 'A "quote", a \\, \u2028, \U0001f600 and \x00.'), TEXT],
}

Script = Callable[[dict[str, Any]], Iterable[bytes]]


def refused(message: str) -> UpstreamError:
    body = {"type": "error", "error": {"type": "invalid_request_error", "message": message}}
    return error_from_response(400, {}, json.dumps(body).encode())


class ClaudeTransport(FakeTransport):
    """Answers each call with the next script, or refuses it as the API does."""

    def __init__(self, *scripts: Script) -> None:
        super().__init__()
        self._scripts = list(scripts)
        self.refusals: list[str] = []

    def post(self, call: Call, control: Control) -> FakeBody:
        del control
        self.calls.append(call)
        body = json.loads(call.body)
        reason = claude.refuse(body, call.headers.get("x-api-key", ""))
        if reason is not None:
            self.refusals.append(reason)
            raise refused(reason)
        self.open += 1
        return FakeBody(self, iter(self._scripts.pop(0)(body)))


def answer(*blocks: claude.Block, key: str = "k", stop: str | None = None) -> Script:
    return lambda body: claude.think(body, blocks, key, stop)


REST = answer(("thinking", "Going on."), ("text", " is so."), stop="end_turn")


class Outcome:
    """The text of an answer, and the reasoning that is stored with it."""

    def __init__(self, events: Sequence[Event], error: AnswerError | None) -> None:
        self.events = events
        self.error = error
        self.text = "".join(event.text for event in events if isinstance(event, TextDelta))
        sealed = [event.data for event in events if isinstance(event, ReasoningSealed)]
        assert len(sealed) <= 1
        self.sealed = sealed[0] if sealed else None


def call(
    transport: FakeTransport,
    request: ModelRequest,
    model: str = OPUS,
    *,
    key: str = "k",
    url: str = "https://api.example",
    memory: RefusedParameters | None = None,
) -> Outcome:
    provider = AnthropicProvider(
        RetryingClient(transport),
        model_name=model,
        max_tokens=8192,
        pricer=lambda *_: None,
        api_key=key,
        base_url=url,
        refused=memory,
    )
    events: list[Event] = []
    try:
        events.extend(provider.stream(request, FakeControl()))
    except AnswerError as error:
        return Outcome(events, error)
    return Outcome(events, None)


def ask(*messages: ModelMessage, **options: Any) -> ModelRequest:
    return ModelRequest(messages=messages or QUESTION, **options)


def go_on(first: Outcome, *messages: ModelMessage, **options: Any) -> ModelRequest:
    """Return the request for the rest of an answer."""
    begun = ModelMessage.assistant(first.text)
    return ask(*(messages or QUESTION), begun, continues=True, sealed=first.sealed, **options)


def given_back(transport: FakeTransport, at: int = -1) -> list[str]:
    """Return the types of the blocks before the text of the answer to continue."""
    content = transport.bodies[at]["messages"][-2]["content"]
    return [] if isinstance(content, str) else [block["type"] for block in content[:-1]]


@pytest.mark.parametrize("blocks", BEGINNINGS.values(), ids=BEGINNINGS)
def test_a_continued_answer_has_its_thinking_again(blocks: list[claude.Block]) -> None:
    transport = ClaudeTransport(answer(*blocks), REST)
    first = call(transport, ask())
    assert first.error is not None
    assert first.text == "Because it"
    second = call(transport, go_on(first))
    assert (second.text, second.error, transport.refusals) == (" is so.", None, [])
    assert given_back(transport) == [kind for kind, _ in blocks[:-1]]
    sent = claude.signed_blocks(transport.bodies[0], blocks, "k")
    assert transport.bodies[1]["messages"][-2]["content"] == sent, "as it came"
    assert second.sealed == first.sealed, "the longer answer can be continued, too"


def test_the_answer_is_continued_twice() -> None:
    transport = ClaudeTransport(answer(*ONE), answer(("thinking", "More."), ("text", " is")), REST)
    first = call(transport, ask())
    second = call(transport, go_on(first))
    second.text = first.text + second.text
    assert second.sealed == first.sealed
    assert call(transport, go_on(second)).text == " is so."
    assert (given_back(transport), transport.refusals) == (["thinking"], [])


def test_the_blocks_are_the_same_for_every_cut_of_the_stream() -> None:
    body = {"model": OPUS, "messages": []}
    raw = b"".join(claude.think(body, BEGINNINGS["redacted first"]))

    def read(pieces: Iterable[bytes]) -> list[Event]:
        decoder = AnthropicDecoder(1 << 20, None, ThinkingCollector(lambda: "b"))
        events = [event for piece in pieces for event in decoder.decode(piece)]
        return [*events, *decoder.flush()]

    (events,) = [same_for_all_splits(lambda pieces: (read(pieces),), raw)[0]]
    (sealed,) = [event.data for event in events if isinstance(event, ReasoningSealed)]
    assert json.loads(sealed)["blocks"] == claude.signed_blocks(body, BEGINNINGS["redacted first"])[:-1]


@pytest.mark.parametrize("blocks", BEGINNINGS.values(), ids=BEGINNINGS)
def test_an_answer_that_breaks_off_at_any_byte_is_continued_without_a_refusal(
    blocks: list[claude.Block],
) -> None:
    whole = b"".join(
        claude.think(
            {"model": OPUS, "system": "Be brief.", "messages": [{"role": "user", "content": "Why?"}]},
            blocks,
            "k",
        )
    )
    step = 1 if blocks is ONE else 7
    with_blocks = 0
    for end in range(0, len(whole), step):
        transport = ClaudeTransport(lambda _, end=end: [whole[:end]] if end else [], REST)
        first = call(transport, ask())
        if not first.text:
            assert first.sealed is None, "what is stored is of use only with a text"
            continue
        second = call(transport, go_on(first))
        assert (second.error, transport.refusals) == (None, [])
        assert given_back(transport) == [kind for kind, _ in blocks[:-1]]
        with_blocks += 1
    assert with_blocks > 20


def test_thinking_that_broke_off_has_no_signature_and_is_not_stored() -> None:
    def unsigned(_: dict[str, Any]) -> list[bytes]:
        events = claude.think({"model": OPUS, "messages": []}, ONE)
        return [event for event in events if b"signature_delta" not in event]

    transport = ClaudeTransport(unsigned, REST)
    first = call(transport, ask())
    assert (first.text, first.sealed) == ("Because it", None)
    assert call(transport, go_on(first)).text == " is so."
    assert (given_back(transport), transport.refusals) == ([], [])


def test_blocks_after_text_are_left_out() -> None:
    blocks = [*ONE, ("thinking", "And then?"), ("text", " is")]
    transport = ClaudeTransport(answer(*blocks), REST)
    first = call(transport, ask())
    assert first.text == "Because it is"
    assert call(transport, go_on(first)).error is None
    assert (given_back(transport), transport.refusals) == (["thinking"], [])


@pytest.mark.parametrize("kind", ["tool_use", "compaction", "fallback", "of_the_future"])
@pytest.mark.parametrize("at", [0, 1])
def test_blocks_beside_what_cannot_be_given_back_are_not_stored(kind: str, at: int) -> None:
    def script(body: dict[str, Any]) -> list[bytes]:
        events = claude.think(body, ONE, "k")
        other = anthropic_event(
            "content_block_start", index=9, content_block={"type": kind, "data": {"a": 1}}
        )
        starts = [place for place, event in enumerate(events) if b"content_block_start" in event]
        return [
            *events[: starts[at]],
            other,
            anthropic_event("content_block_stop", index=9),
            *events[starts[at] :],
        ]

    transport = ClaudeTransport(script, REST)
    first = call(transport, ask())
    assert (first.text, first.sealed) == ("Because it", None)
    assert call(transport, go_on(first)).error is None


def test_thinking_with_a_damaged_event_is_not_stored() -> None:
    transport = ClaudeTransport(lambda body: [b"data: {oops\n\n", *claude.think(body, ONE, "k")], REST)
    first = call(transport, ask())
    assert (first.text, first.sealed) == ("Because it", None)


def test_halves_of_a_character_are_joined_and_a_lonely_one_makes_thinking_useless() -> None:
    for halves, expected in (("\ud83d\ude00", "\U0001f600"), ("\ud83d", None)):
        collector = ThinkingCollector(lambda: "b")
        collector.start("thinking", "", "", None)
        for half in halves:
            collector.add(half, None)
        collector.add(None, "s")
        sealed = collector.seal()
        found = json.loads(sealed)["blocks"][0]["thinking"] if sealed else None
        assert found == expected


def test_thinking_that_is_too_long_or_in_too_many_blocks_is_not_stored() -> None:
    for signature, count in (("s" * (MAX_SEALED_CHARS + 1), 1), ("s" * 50_000, 11), ("s", 65)):
        collector = ThinkingCollector(lambda: "b")
        for _ in range(count):
            collector.start("thinking", "", signature, None)
            collector.stop()
        assert collector.seal() is None
        assert collector._blocks == [], "nothing of it stays in memory"


# Where they are not sent.


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("another model", {"model": HAIKU}),
        ("another account", {"key": "other"}),
        ("another server", {"url": "https://gateway.example"}),
    ],
)
def test_another_model_account_or_server_gets_no_blocks(name: str, more: dict[str, str]) -> None:
    transport = ClaudeTransport(answer(*ONE), answer(("text", " is so."), stop="end_turn"))
    first = call(transport, ask())
    second = call(transport, go_on(first), **more)
    assert (second.text, second.sealed, transport.refusals) == (" is so.", None, []), name
    assert given_back(transport) == []
    assert b"signature" not in transport.calls[1].body


@pytest.mark.parametrize(
    "messages",
    [
        (ModelMessage.user("Why?"),),
        (ModelMessage.system("Be long."), QUESTION[1]),
        (QUESTION[0], ModelMessage.user("Why not?")),
        (QUESTION[0], ModelMessage.user("Hi"), ModelMessage.assistant("Hello."), QUESTION[1]),
    ],
    ids=["no system prompt", "another one", "another question", "an earlier turn"],
)
def test_another_branch_gets_no_blocks(messages: tuple[ModelMessage, ...]) -> None:
    transport = ClaudeTransport(answer(*ONE), REST)
    first = call(transport, ask())
    second = call(transport, go_on(first, *messages))
    assert (second.text, second.sealed, transport.refusals) == (" is so.", None, [])
    assert given_back(transport) == []


def test_without_thinking_there_are_no_blocks() -> None:
    """Claude 3.7 thinks if it is asked to; without that its answer is begun for it, which no thinking may stand in."""
    transport = ClaudeTransport(answer(*ONE), answer(("text", " is so."), stop="end_turn"))
    first = call(transport, ask(effort="high"), SONNET_37)
    assert first.sealed is not None
    second = call(transport, go_on(first, effort="none"), SONNET_37)
    assert (second.text, second.sealed, transport.refusals) == (" is so.", None, [])
    assert transport.bodies[1]["messages"][-1] == {"role": "assistant", "content": "Because it"}


def test_with_thinking_turned_off_an_instruction_to_continue_comes_without_blocks() -> None:
    transport = ClaudeTransport(answer(*ONE), answer(("text", " is so."), stop="end_turn"))
    first = call(transport, ask(), "claude-opus-5")
    second = call(transport, go_on(first, effort="none"), "claude-opus-5")
    assert (second.text, second.sealed, transport.refusals) == (" is so.", None, [])
    assert transport.bodies[1]["thinking"] == {"type": "disabled"}
    assert given_back(transport) == []


def test_with_a_thinking_budget_they_are_given_back() -> None:
    transport = ClaudeTransport(answer(*ONE), REST)
    first = call(transport, ask(effort="high"), SONNET_37)
    assert call(transport, go_on(first, effort="high"), SONNET_37).error is None
    assert (given_back(transport), transport.refusals) == (["thinking"], [])


@pytest.mark.parametrize("sealed", ["", "{}", "null", '{"binding":"b","blocks":[{"type":"text"}]}', "\x00"])
def test_what_was_stored_in_another_form_is_not_sent(sealed: str) -> None:
    transport = ClaudeTransport(answer(*ONE), REST)
    first = call(transport, ask())
    first.sealed = sealed
    assert call(transport, go_on(first)).text == " is so."
    assert given_back(transport) == []


def test_an_answer_that_is_not_continued_sends_none() -> None:
    transport = ClaudeTransport(answer(*ONE), answer(*ONE, stop="end_turn"))
    first = call(transport, ask())
    call(
        transport,
        ask(*QUESTION, ModelMessage.assistant(first.text), ModelMessage.user("Go on"), sealed=first.sealed),
    )
    assert b"signature" not in transport.calls[1].body


# Refusals.


def changed(first: Outcome, old: str, new: str) -> None:
    """Change what is stored, as a damaged database would."""
    assert first.sealed is not None
    assert old in first.sealed
    first.sealed = first.sealed.replace(old, new)


def test_refused_blocks_are_left_out_and_the_answer_is_continued_without_them() -> None:
    transport, memory = ClaudeTransport(answer(*ONE), REST, answer(*ONE), REST), RefusedParameters()
    first = call(transport, ask(), memory=memory)
    changed(first, "They ask why.", "They ask what.")
    second = call(transport, go_on(first), memory=memory)
    assert (second.text, second.error, second.sealed) == (" is so.", None, None)
    assert len(transport.refusals) == 1
    assert "Invalid `signature` in `thinking` block" in transport.refusals[0]
    assert transport.bodies[-1]["thinking"] == transport.bodies[-2]["thinking"], (
        "only the blocks were refused"
    )
    # The next answer's are sent again.
    third = call(transport, ask(), memory=memory)
    assert call(transport, go_on(third), memory=memory).error is None
    assert (given_back(transport), len(transport.refusals)) == (["thinking"], 1)


WORDINGS = [
    "messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a different conversation. Remove the "
    'block, or set `thinking.block_binding.prefix_mismatch_behavior` to "drop_block". The `system` prompt differs from the '
    "one this block was created with.",
    "messages.1.content.0: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified. These "
    "blocks must remain as they were in the original response.",
    "messages.1: The final block in an assistant message cannot be `thinking`.",
    "messages.1.content.0.thinking: each thinking block must contain thinking",
    "messages.1.content.0.thinking.signature: Field required",
    "When thinking is disabled, an `assistant` message cannot contain `thinking`.",
    "messages.1.content.0.type: Input should be 'text', 'image' or 'tool_use'",
    "unknown variant `thinking`, expected one of `text`, `image`: content block type",
    "prompt is too long: 210000 tokens > 200000 maximum",
]


@pytest.mark.parametrize("wording", WORDINGS)
def test_every_wording_of_such_a_refusal_is_understood(wording: str) -> None:
    first = call(ClaudeTransport(answer(*ONE)), ask())
    second = FakeTransport(refused(wording), [anthropic_delta(" is so."), anthropic_event("message_stop")])
    found = call(second, go_on(first))
    assert (found.text, found.sealed) == (" is so.", None)
    assert [given_back(second, at) for at in (0, 1)] == [["thinking"], []]
    assert "thinking" in second.bodies[1], "only the blocks were refused"


def test_other_refusals_leave_the_blocks_where_they_are() -> None:
    first = call(ClaudeTransport(answer(*ONE)), ask())
    second = FakeTransport(
        refused("stop_sequences: is not supported by this model"),
        [anthropic_delta(" is so."), anthropic_event("message_stop")],
    )
    found = call(second, go_on(first, stop=("x",)))
    assert (found.text, found.sealed) == (" is so.", first.sealed)
    assert [given_back(second, at) for at in (0, 1)] == [["thinking"], ["thinking"]]


def test_a_refused_system_prompt_moves_into_the_question_and_the_blocks_are_left_out() -> None:
    transport = ClaudeTransport(answer(*ONE))
    first = call(transport, ask())
    body = {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": "system: is not supported"},
    }
    second = FakeTransport(
        error_from_response(400, {}, json.dumps(body).encode()),
        [anthropic_delta(" is so."), anthropic_event("message_stop")],
    )
    found = call(second, go_on(first))
    assert (found.text, found.sealed) == (" is so.", None)
    assert [given_back(second, at) for at in (0, 1)] == [["thinking"], []]
