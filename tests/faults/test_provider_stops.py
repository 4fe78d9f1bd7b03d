"""Providers that fall silent, or end an answer too early (docs/faults.md, U4, U13 to U19)."""

from collections.abc import Iterator

import pytest

from tests.faults.answers import Answered, ask
from tests.support.dialects import DONE, anthropic_begin, anthropic_delta, openai, openai_delta, openai_finish
from tests.support.fake_provider import FakeProvider
from tests.support.script import CLOSE, RESET, STALL, Answer, Framing, Raw, Step, silent
from tests.support.server import Server

TEXT = [openai_delta("Hello "), openai_delta("there")]
FINISH = openai_finish()
IDLE_S = 1.0
QUIET_S = 3.0
HEARTBEAT_S, PULSE_S = 0.3, 1.0  # the engine checks a few times a second, on a busy machine less often


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {
        "FRESHET_FIRST_BYTE_S": "1.5",
        "FRESHET_IDLE_S": str(IDLE_S),
        "FRESHET_QUIET_S": str(QUIET_S),
        "FRESHET_HEARTBEAT_S": str(HEARTBEAT_S),
        "FRESHET_RETRIES": "1",
    }


def check_kept(answer: Answered, provider: FakeProvider, code: str = "interrupted") -> None:
    """Check what holds of every answer that was cut: its text is kept, and the call is not repeated."""
    assert (answer.code, answer.text, len(provider.calls)) == (code, "Hello there", 1)
    assert answer.terminal["partial"]
    assert answer.terminal["retryable"]


def test_u4_a_provider_that_never_answers(server: Server, provider: FakeProvider) -> None:
    provider.play(silent())
    answer = ask(server)
    assert answer.headers_s < 1
    assert "start" in answer.received[0].frame
    assert answer.received[-1].at - answer.received[0].at > 1.2
    assert answer.silence_s < HEARTBEAT_S + PULSE_S
    assert answer.code == "upstream_timeout"
    assert answer.busy_s < 1.5 * 2 + 2
    assert not answer.terminal["partial"]
    watch = server.stopwatch()
    provider.wait_closed()
    assert watch.busy_s < 1


def test_u4_a_response_head_and_nothing_more(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=(STALL,)))
    answer = ask(server)
    assert answer.code in ("upstream_timeout", "upstream_stalled")
    assert answer.busy_s < 1.5 * 2 + 2


def test_u13_a_stall_in_the_middle(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=(*TEXT, STALL)))
    answer = ask(server)
    check_kept(answer, provider, "upstream_stalled")
    assert answer.elapsed_s > IDLE_S * 0.9
    assert answer.busy_s < IDLE_S + 2
    watch = server.stopwatch()
    provider.wait_closed()
    assert watch.busy_s < 1


def test_u13_a_stall_in_the_middle_of_an_event(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=(*TEXT, openai_delta("never seen")[:30], STALL)))
    check_kept(ask(server), provider, "upstream_stalled")


COMMENTS = (b": OPENROUTER PROCESSING\n\n", b":\n\n", b"\n", b": \r\n\r\n", b":x\n")


def quiet(seconds: float) -> Iterator[Step]:
    for number in range(int(seconds / 0.25)):
        yield COMMENTS[number % len(COMMENTS)]
        yield 0.25


@pytest.mark.parametrize("when", ["before", "between"])
def test_u14_comments_count_as_activity(server: Server, provider: FakeProvider, when: str) -> None:
    def steps() -> Iterator[Step]:
        yield from () if when == "before" else TEXT[:1]
        yield from quiet(IDLE_S * 2)
        yield from (TEXT if when == "before" else TEXT[1:])
        yield from FINISH
        yield DONE

    provider.play(Answer(steps=steps))
    answer = ask(server)
    assert (answer.code, answer.text, len(provider.calls)) == (None, "Hello there", 1)
    assert "damaged" not in answer.terminal
    assert answer.silence_s < HEARTBEAT_S + PULSE_S


@pytest.mark.parametrize("begun", [False, True])
def test_u14_comments_alone_do_not_last_for_ever(server: Server, provider: FakeProvider, begun: bool) -> None:
    def steps() -> Iterator[Step]:
        yield from TEXT if begun else ()
        yield from quiet(60)

    provider.play(Answer(steps=steps))
    answer = ask(server)
    assert answer.code in (("upstream_stalled",) if begun else ("upstream_stalled", "upstream_timeout"))
    assert answer.text == ("Hello there" if begun else "")
    assert answer.received[-1].at - answer.received[0].at > QUIET_S * 0.8
    assert answer.busy_s < QUIET_S * 2 + 3


def test_u15_a_reset_in_the_middle(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=(*TEXT, 0.2, RESET)))
    check_kept(ask(server), provider)


@pytest.mark.parametrize("framing", ["chunked", "close"])
@pytest.mark.parametrize("last", [b"", openai_delta("never seen")[:40]])
def test_u16_a_clean_close_without_an_end_marker_is_interrupted(
    server: Server, provider: FakeProvider, framing: Framing, last: bytes
) -> None:
    provider.play(Answer(steps=(*TEXT, *([last] if last else [])), framing=framing))
    check_kept(ask(server), provider)


def test_u16_the_same_with_ollama(server: Server, provider: FakeProvider) -> None:
    steps = (*anthropic_begin(), anthropic_delta("Hello "), anthropic_delta("there"))
    for framing in ("chunked", "close"):
        provider.play(Answer(steps=steps, framing=framing))
        check_kept(ask(server, provider="anthropic"), provider)


@pytest.mark.parametrize("framing", ["chunked", "close"])
def test_u17_a_finish_reason_is_enough(server: Server, provider: FakeProvider, framing: Framing) -> None:
    provider.play(Answer(steps=openai(["Hello ", "there"], done=False), framing=framing))
    answer = ask(server)
    assert (answer.code, answer.text, answer.terminal["finish_reason"]) == (None, "Hello there", "stop")
    assert answer.counted == (3, 5, False)


def test_u17_a_finish_reason_is_enough_even_if_the_end_is_broken(
    server: Server, provider: FakeProvider
) -> None:
    for way in (RESET, CLOSE):
        provider.play(Answer(steps=(*openai(["Hello ", "there"], done=False), 0.2, way)))
        answer = ask(server)
        assert (answer.code, answer.text) == (None, "Hello there")


def test_u18_the_end_marker_is_enough(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["Hello ", "there"], finish=None)))
    answer = ask(server)
    assert (answer.code, answer.text, answer.terminal["finish_reason"]) == (None, "Hello there", "stop")
    assert answer.terminal["usage"]["estimated"]


def test_u18_nothing_is_awaited_after_the_end_marker(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=(*openai(["Hello ", "there"]), STALL)))
    answer = ask(server)
    assert (answer.code, answer.text) == (None, "Hello there")
    assert answer.busy_s < IDLE_S
    watch = server.stopwatch()
    provider.wait_closed()
    assert watch.busy_s < 1


@pytest.mark.parametrize("cut", [b"40\r\ndata: {", b"4", b"40\r\n", b"0\r\n"])
def test_u19_a_cut_inside_a_chunk(server: Server, provider: FakeProvider, cut: bytes) -> None:
    provider.play(Answer(steps=(*TEXT, 0.1, Raw(cut), CLOSE)))
    check_kept(ask(server), provider)


def test_u19_a_body_shorter_than_its_content_length(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=tuple(TEXT), framing="length", headers={"content-length": "5000"}))
    check_kept(ask(server), provider)
