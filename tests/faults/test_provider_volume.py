"""Huge deltas, very many deltas, and answers without end (docs/faults.md, U26 to U30)."""

import json
import statistics
import time
from collections.abc import Callable, Iterator

import pytest

from tests.faults.answers import KEY, Answered, answered, ask
from tests.support.certs import Certificates
from tests.support.dialects import DONE, openai_delta, openai_finish
from tests.support.fake_provider import FakeProvider
from tests.support.promises import Received
from tests.support.script import Answer, Step
from tests.support.server import Server
from tests.support.sse import SseReader

MIB = 2**20
WINDOW_S = 0.033


def lines_of(deltas: int, per_s: float) -> Callable[[], Iterator[Step]]:
    """Return steps that send numbered deltas at a pace, each with its send time."""

    def steps() -> Iterator[Step]:
        for number in range(deltas):
            yield openai_delta(f"{number} {time.monotonic():.4f}\n")
            yield 1 / per_s
        yield from openai_finish()
        yield DONE

    return steps


def lags(received: list[Received]) -> list[float]:
    """Return the age of the oldest delta in each frame, in seconds."""
    found = []
    for one in received:
        stamps = [
            line.split(" ")[1] for line in one.frame.get("text", "").split("\n") if line.count(" ") == 1
        ]
        found += [one.at - float(stamps[0])] if stamps else []
    return found


def ask_in_step(server: Server, deltas: int) -> Answered:
    """Check that nothing is lost or out of order, and that no backlog grows."""
    began = server.starved_s()
    answer = ask(server, timeout_s=60)
    numbers = [int(line.split(" ")[0]) for line in answer.text.splitlines()]
    assert answer.code is None
    assert numbers == list(range(deltas))
    late = lags(answer.received)
    half = len(late) // 2
    before, after = statistics.median(late[:half]), statistics.median(late[half:])
    # A frame is as old as its oldest delta: about one window, and the time that the machine had no core for it.
    starved_s = server.starved_s() - began
    allowed = WINDOW_S + 0.020 + starved_s / len(late)
    assert statistics.median(late) < allowed, (before, after, allowed)
    assert after < before + 0.020 + allowed - WINDOW_S, (before, after)
    assert max(late) < 0.5 + starved_s, sorted(late)[-20:]
    return answer


def test_u26_one_delta_of_three_megabytes(server: Server, provider: FakeProvider) -> None:
    text = "".join(f"{number:08d}" for number in range(3 * MIB // 8))
    provider.play(Answer(steps=(openai_delta(text), *openai_finish(), DONE)))
    answer = ask(server)
    assert answer.code is None
    assert answer.text == text
    assert len(answer.text_frames) > 10
    assert max(len(json.dumps(one.frame)) for one in answer.text_frames) <= 64 * 1024


def test_u26_three_thousand_deltas_a_second(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=lines_of(15000, 3000)))
    answer = ask_in_step(server, 15000)
    times = [one.at for one in answer.text_frames]
    assert len(times) <= (times[-1] - times[0]) / WINDOW_S + len(answer.text) / 8192 + 2


def test_u26_two_hundred_a_second_over_tls(certificates: Certificates, server: Server) -> None:
    with FakeProvider(Answer(steps=lines_of(6000, 200)), tls=certificates.good) as provider:
        env = {"SSL_CERT_FILE": str(certificates.ca_file), "OPENAI_BASE_URL": f"{provider.url}/v1"}
        with Server(env | {"OPENAI_API_KEY": KEY}, secrets=(KEY,)) as other:
            ask_in_step(other, 6000)


def test_u27_a_hundred_thousand_in_a_second(server: Server, provider: FakeProvider) -> None:
    letters = "abcdefghij"

    def steps() -> Iterator[Step]:
        for _ in range(100):
            yield b"".join(openai_delta(letter) for letter in letters) * 100
            yield 0.01
        yield from openai_finish()
        yield DONE

    provider.play(Answer(steps=steps))
    answer = ask(server, timeout_s=30)
    assert answer.code is None
    assert answer.text == letters * 10000
    times = [one.at for one in answer.text_frames]
    assert len(times) <= (times[-1] - times[0]) / WINDOW_S + len(answer.text) / 8192 + 2


NOTHING = {
    "comments": b": OPENROUTER PROCESSING\n\n" * 4000,
    "blank lines": b"\n" * 65536,
    "empty deltas": openai_delta("") * 1000,
    "unknown events": b'event: novel\ndata: {"x": 1}\n\n' * 2000,
    "usage": b'data: {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}\n\n' * 1000,
    "a long line": b"x" * 65536,
}


@pytest.mark.parametrize("name", NOTHING)
def test_u30_a_flood_of_empty_events_delays_nobody(server: Server, provider: FakeProvider, name: str) -> None:
    def steps() -> Iterator[Step]:
        until = time.monotonic() + 1
        while time.monotonic() < until:
            yield NOTHING[name]
            if name == "a long line":
                yield b"\n\n"
        yield openai_delta("a")
        yield from openai_finish()
        yield DONE

    provider.play(Answer(steps=steps))
    answer = ask(server, timeout_s=60)
    assert (answer.code, answer.text) == (None, "a")


def test_u29_a_line_without_end(server: Server, provider: FakeProvider) -> None:
    def steps() -> Iterator[Step]:
        yield openai_delta("a")
        yield b'data: {"choices": [{"delta": {"content": "'
        for _ in range(1600):
            yield b"x" * 65536

    provider.play(Answer(steps=steps))
    before = server.memory_bytes()
    answer = ask(server, timeout_s=30)
    assert (answer.code, answer.text) == ("upstream_protocol", "a")
    provider.wait_closed()
    assert provider.calls[0].outcome == "left"
    assert provider.calls[0].sent_bytes < 40 * MIB
    assert server.memory_bytes() - before < 60 * MIB


@pytest.fixture(scope="module")
def strict(provider: FakeProvider) -> Iterator[Server]:
    """A server with short limits."""
    env = {
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": f"{provider.url}/v1",
        "FRESHET_RUN_MAX_BYTES": "65536",
        "FRESHET_TOTAL_S": "2",
        "FRESHET_IDLE_S": "1",
    }
    with Server(env, secrets=(KEY,)) as running:
        yield running


def endless(pause_s: float, text: str) -> Callable[[], Iterator[Step]]:
    def steps() -> Iterator[Step]:
        while True:
            yield openai_delta(text)
            yield pause_s

    return steps


@pytest.mark.parametrize(("pause_s", "text"), [(0.0005, "word " * 50), (0.05, "w ")])
def test_u30_an_answer_without_end(strict: Server, provider: FakeProvider, pause_s: float, text: str) -> None:
    provider.play(Answer(steps=endless(pause_s, text)))
    answer = ask(strict, timeout_s=10)
    assert (answer.code, answer.terminal["finish_reason"]) == (None, "length")
    assert answer.text.startswith(text)
    assert len(answer.text) <= 65536
    assert answer.busy_s < 4
    watch = strict.stopwatch()
    provider.wait_closed()
    assert watch.busy_s < 1
    assert len(provider.calls) == 1


def test_u30_a_cut_answer_can_still_be_read(strict: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=endless(0.0005, "word " * 50)))
    answer = ask(strict, timeout_s=10)
    with SseReader(strict.address, f"/stream/{answer.run}?after={answer.run}:1:0") as again:
        assert answered(again, again.read_to_end()).text == answer.text


def test_u30_an_endless_slow_answer(strict: Server, provider: FakeProvider) -> None:
    def steps() -> Iterator[Step]:
        yield openai_delta("a")
        yield b'data: {"choices": [{"delta": {"content": "'
        while True:
            yield b"x"
            yield 0.3

    provider.play(Answer(steps=steps))
    answer = ask(strict, timeout_s=10)
    assert (answer.code, answer.text, answer.terminal["finish_reason"]) == (None, "a", "length")
    assert answer.busy_s < 4
