"""Damaged events, cut characters and every legal form of line (docs/faults.md, U20 to U24)."""

import json
from collections.abc import Callable

import pytest

from tests.faults.answers import Answered, ask, ask_all, query_of
from tests.support.dialects import DONE, ndjson, ollama, openai_delta, openai_finish, sse
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer, Call
from tests.support.server import Server

FAMILY = "👩‍👩‍👧‍👦 漢字 é 🇫🇷"
PAUSE_S = 0.004


@pytest.fixture(scope="module")
def companion_provider() -> str:
    return "anthropic"


def play(provider: FakeProvider, *steps: bytes) -> None:
    provider.play(Answer(steps=steps))


def check_whole(answer: Answered, text: str) -> None:
    assert (answer.code, answer.text) == (None, text)
    assert "damaged" not in answer.terminal


def cut_in_two(body: bytes) -> Callable[[Call], Answer]:
    """Return an answer that sends the body in two pieces; the question says where it is cut."""

    def answer(call: Call) -> Answer:
        at = int(query_of(call).split()[-1])
        return Answer(steps=(body[:at], PAUSE_S, body[at:]))

    return answer


def ask_every_cut(server: Server, body: bytes, **options: object) -> list[Answered]:
    return ask_all(server, [f"cut at {at}" for at in range(1, len(body))], **options)


def test_u20_one_damaged_event_is_skipped_and_counted(server: Server, provider: FakeProvider) -> None:
    play(
        provider,
        openai_delta("a"),
        sse('{"choices": [{"delta": {"content": '),
        openai_delta("b"),
        *openai_finish(),
    )
    answer = ask(server)
    assert (answer.code, answer.text, answer.terminal["damaged"]) == (None, "ab", 1)


@pytest.mark.parametrize(
    "damage", ["{", "null", "[]", "7", '"text"', '{"choices": 5}', '{"choices": [null]}']
)
def test_u20_any_damage_leads_to_a_terminal_frame(
    server: Server, provider: FakeProvider, damage: str
) -> None:
    play(provider, openai_delta("a"), sse(damage), openai_delta("b"), *openai_finish(), DONE)
    answer = ask(server)
    assert (answer.code, answer.text) == (None, "ab")


def test_u20_many_damaged_events_end_the_answer(server: Server, provider: FakeProvider) -> None:
    play(provider, openai_delta("a"), *[sse('{"oops')] * 20, openai_delta("b"), *openai_finish())
    answer = ask(server)
    assert (answer.code, answer.text) == ("upstream_protocol", "a")
    assert answer.terminal["partial"]


def test_u20_html_instead_of_a_stream(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=(b"<html><body>Welcome</body></html>\n",), content_type="text/html"))
    answer = ask(server)
    assert answer.code == "upstream_bad_request"
    assert "OPENAI_BASE_URL" in answer.terminal["error"]
    assert "Welcome" not in str(answer.received)
    assert len(provider.calls) == 1


def test_u21_characters_cut_at_every_byte(server: Server, provider: FakeProvider) -> None:
    body = openai_delta(FAMILY) + openai_finish(usage=None)[0]
    provider.play(cut_in_two(body))
    answers = ask_every_cut(server, body)
    assert {answer.text for answer in answers} == {FAMILY}
    assert {answer.code for answer in answers} == {None}
    assert len(provider.calls) == len(body) - 1


def test_u21_characters_cut_in_lines_of_json(server: Server, provider: FakeProvider) -> None:
    body = b"".join(ollama([FAMILY]))
    provider.play(cut_in_two(body))
    answers = ask_every_cut(server, body, provider="ollama", model="llama3")
    assert {(answer.text, answer.code) for answer in answers} == {(FAMILY, None)}


def test_u21_surrogate_halves_in_two_deltas(server: Server, provider: FakeProvider) -> None:
    halves = [
        b'data: {"choices":[{"delta":{"content":"%b"}}]}\n\n' % half for half in (b"x\\ud83d", b"\\ude00y")
    ]
    play(provider, *halves, *openai_finish(), DONE)
    check_whole(ask(server), "x😀y")
    play(provider, halves[0], openai_delta("z"), *openai_finish(), DONE)
    check_whole(ask(server), "x\ufffdz")
    play(provider, halves[0], *openai_finish(), DONE)
    check_whole(ask(server), "x\ufffd")


def test_u22_invalid_utf8(server: Server, provider: FakeProvider) -> None:
    broken = openai_delta("a@b").replace(b"@", b"\xff")
    play(provider, broken, openai_delta("c"), *openai_finish(), DONE)
    answer = ask(server)
    assert (answer.code, answer.text) == (None, "a\ufffdbc")


def test_u22_invalid_utf8_in_lines_of_json(server: Server, provider: FakeProvider) -> None:
    lines = ollama(["a@b", "c"])
    play(provider, lines[0].replace(b"@", b"\xff"), *lines[1:])
    answer = ask(server, provider="ollama", model="llama3")
    assert (answer.code, answer.text) == (None, "a\ufffdbc")


@pytest.mark.parametrize("end", [b"\r\n", b"\r", b"\n"])
def test_u23_every_line_end_cut_at_every_byte(server: Server, provider: FakeProvider, end: bytes) -> None:
    body = (openai_delta("a") + openai_delta("b") + openai_finish(usage=None)[0] + DONE).replace(b"\n", end)
    provider.play(cut_in_two(body))
    ends = [at for at in range(1, len(body)) if body[at - 1 : at] in b"\r\n" or body[at : at + 1] in b"\r\n"]
    answers = ask_all(server, [f"cut at {at}" for at in ends])
    for answer in answers:
        check_whole(answer, "ab")


def test_u23_mixed_line_ends(server: Server, provider: FakeProvider) -> None:
    events = [openai_delta(letter) for letter in "abcdef"]
    mixed = [
        event.removesuffix(b"\n\n") + end
        for event, end in zip(
            events, (b"\r\n\r\n", b"\r\r", b"\n\n", b"\r\n\n", b"\n\r\n", b"\r\n\r"), strict=True
        )
    ]
    play(provider, *mixed, *openai_finish(), DONE)
    check_whole(ask(server), "abcdef")


def test_u23_lines_of_json_with_carriage_returns(server: Server, provider: FakeProvider) -> None:
    play(provider, *(line.replace(b"\n", b"\r\n") for line in ollama(["a", "b"])), b"\r\n")
    check_whole(ask(server, provider="ollama", model="llama3"), "ab")


def chunk(text: str) -> str:
    return json.dumps({"choices": [{"delta": {"content": text}}]}, ensure_ascii=False)


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ([b"\xef\xbb\xbf" + openai_delta("a")], "a"),
        ([f"data:{chunk('a')}\n\n".encode()], "a"),
        ([b'data: {"choices":\ndata: [{"delta":\ndata: {"content": "a"}}]}\n\n'], "a"),
        ([f"event: message\nid: 7\nretry: 10\ndata: {chunk('a')}\n\n".encode()], "a"),
        ([f"id\nevent\ndata: {chunk('a')}\nunknown: x\n\n".encode()], "a"),
        (
            [f"data: {chunk('a' + chr(0x2028) + chr(0x85) + chr(0x2029) + 'b')}\n\n".encode()],
            "a\u2028\x85\u2029b",
        ),
        ([f": hello\ndata: {chunk('a')}\n: there\n\n".encode(), b"\n\n\n"], "a"),
        ([f"data: {chunk('[DONE]')}\n\n".encode()], "[DONE]"),
        ([f"data: {chunk('data: x' + chr(10) + chr(10))}\n\n".encode()], "data: x\n\n"),
        ([f"data:   {chunk('a')}  \n\n".encode()], "a"),
        ([b"data:\n\n", b"data: \n\n", openai_delta("a")], "a"),
    ],
)
def test_u24_every_legal_form_of_an_event(
    server: Server, provider: FakeProvider, events: list[bytes], text: str
) -> None:
    play(provider, *events, *openai_finish(), DONE)
    check_whole(ask(server), text)


def test_u24_a_line_of_json_with_a_byte_order_mark_and_separators(
    server: Server, provider: FakeProvider
) -> None:
    lines = ollama(["a\u2028b"])
    play(provider, b"\xef\xbb\xbf" + lines[0], b"\n", *lines[1:])
    check_whole(ask(server, provider="ollama", model="llama3"), "a\u2028b")


def test_u24_the_last_line_needs_no_end(server: Server, provider: FakeProvider) -> None:
    last = ndjson({"done": True, "done_reason": "stop", "message": {"content": ""}}).rstrip()
    play(provider, ollama(["a"])[0], last)
    check_whole(ask(server, provider="ollama", model="llama3"), "a")
