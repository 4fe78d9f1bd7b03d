"""The default limits of a public server for one address: cost, starts, storage and memory."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.access.conftest import Start, make_server
from tests.access.device import PASSWORD, Device, error_of, wait_within
from tests.faults.answers import new_run
from tests.faults.conversations import Gated
from tests.support.dialects import openai, openai_delta
from tests.support.fake_provider import FakeProvider
from tests.support.rawhttp import Response, dial, encode_request
from tests.support.script import STALL, Answer, Call
from tests.support.server import Server


@pytest.fixture
def public(start: Start, provider: FakeProvider) -> Server:
    provider.play(Answer(steps=openai(["Hello"])))
    return start(FRESHET_PUBLIC="true", FRESHET_MODEL="gpt-4.1", FRESHET_MAX_TOKENS="32000")


def visitor(server: Server) -> Device:
    device = Device(server.address)
    assert device.open() == 200
    return device


def test_the_cost_of_one_address_is_limited(public: Server, provider: FakeProvider) -> None:
    """A new cookie for each request and the most expensive questions: without limits, $4,000 a minute."""
    stop = threading.Event()
    provider.play(lambda call: Answer(steps=openai(["Hello"])))
    until = time.monotonic() + 20  # the limit of a minute is reached in its first seconds

    def spend(number: int) -> list[int]:
        statuses = []
        while time.monotonic() < until and not stop.is_set() and len(statuses) < 60:
            device = Device(public.address)
            device.open()
            body = {"query": "x" * 1_000_000, "max_tokens": 1_000_000, "orphan_s": 86_400}
            body |= {"model": "o3"} if number % 2 else {"query": "y" * 200_000}
            status, _, raw = device.request("POST", "/stream", body)
            if status != 200:
                assert status in (413, 429, 503), raw
            statuses.append(status)
        return statuses

    with ThreadPoolExecutor(12) as pool:
        statuses = [status for found in pool.map(spend, range(12)) for status in found]
    asked = [call.json for call in provider.calls]
    assert len(statuses) > 100
    assert 0 < len(asked) <= 50, "the starts of an address per minute"
    assert sum(one.get("max_tokens", 0) or one.get("max_completion_tokens", 0) for one in asked) <= 50 * 4096
    for one in asked:
        sent = one.get("max_tokens") or one.get("max_completion_tokens")
        assert sent
        assert sent <= 4096
        assert sum(len(message["content"]) for message in one["messages"]) <= 256 * 1024


def test_a_program_without_a_cookie_has_its_addresss_limits_and_stores_nothing(
    public: Server, provider: FakeProvider
) -> None:
    """Without a cookie, or with an unknown token."""
    for headers in ({}, {"Authorization": "Bearer anything"}):
        program = Device(public.address, headers)
        assert program.ask() == "Hello"
        for method, path, body in (
            ("GET", "/conversations", None),
            ("POST", "/stream", {"query": "x", "conversation": new_run()}),
            ("POST", "/conversations/import", {}),
            ("GET", f"/conversations/{new_run()}", None),
        ):
            assert program.request(method, path, body)[0] == 401
    statuses = [Device(public.address).request("POST", "/stream", {"query": "x"})[0] for _ in range(60)]
    assert statuses.count(200) == 48
    assert set(statuses) == {200, 429}


@pytest.mark.parametrize("path", ["/stream", "/v1/chat/completions", "/chat/completions"])
def test_starts_per_minute_are_limited_over_http(public: Server, path: str) -> None:
    device = visitor(public)
    answers = [device.request("POST", path, {"prompt": "x"}) for _ in range(11)]
    assert [status for status, _, _ in answers] == [200] * 10 + [429]
    _, headers, raw = answers[-1]
    assert error_of(raw)["code"] == "too_many_starts"
    assert "10 per minute" in error_of(raw)["message"]
    wait_s = int(headers["retry-after"])
    assert 1 <= wait_s <= 61
    limit = [headers[f"x-ratelimit-{name}"] for name in ("limit", "remaining", "reset")]
    assert limit == ["10", "0", str(wait_s)]


def test_starts_per_minute_are_limited_on_a_websocket(public: Server) -> None:
    device = visitor(public)
    with device.socket() as socket:
        for number in range(11):
            run = new_run()
            socket.send_json(type="start", ref=str(number), query="x", run=run)
            if number < 10:
                socket.read_to_end(run)
        socket.read_until(lambda: any("refused" in body for _, body in socket.jsons), 5)
    refused = next(body for _, body in socket.jsons if "refused" in body)
    assert (refused["code"], refused["status"], refused["limit"], refused["ref"]) == (
        "too_many_starts",
        429,
        10,
        "10",
    )
    assert 1 <= refused["retry_after"] <= 61


def test_concurrent_answers_are_limited_and_joining_is_not(public: Server, provider: FakeProvider) -> None:
    device = visitor(public)
    with Gated("It ", "goes on.") as gated:
        provider.play(gated.answer)
        runs = [new_run(), new_run()]
        readers = [device.start(run=run) for run in runs]
        gated.open(1)
        for reader in readers:
            reader.read_text(1)
        status, headers, raw = device.request("POST", "/stream", {"query": "Hi"})
        assert (status, error_of(raw)["code"]) == (429, "too_many_answers")
        assert int(headers["retry-after"]) > 0
        assert headers["x-ratelimit-limit"] == "2"
        for run in runs:  # the same request joins the run
            with device.start(run=run) as again:
                assert again.status == 200
                again.read_text(1)
        with device.start(conversation=new_run()) as refused:
            assert refused.status == 429
        status, _, _ = device.request("POST", f"/stream/{runs[0]}/stop")
        assert status == 200
        with device.start() as third:
            assert third.status == 200
        gated.open()
        for reader in readers:
            reader.drop()


def test_an_answer_is_released_however_it_ends(public: Server, provider: FakeProvider) -> None:
    device = visitor(public)
    provider.play([Answer(status=401), Answer(steps=()), Answer(steps=openai(["Hello"]))])
    for _ in range(3):
        with device.start() as reader:
            reader.read_to_end()
    wait_within(
        lambda: device.request("POST", "/stream", {"query": "x"})[0] == 200, 3, "the answer to be released"
    )


def test_new_visitors_of_an_address_are_limited(public: Server) -> None:
    devices = [Device(public.address) for _ in range(21)]
    assert [device.open() for device in devices] == [200] * 20 + [429]
    status, headers, raw = devices[-1].request("GET", "/", Accept="text/html")
    assert status == 429
    assert int(headers["retry-after"]) > 60
    assert b"new visitors" in raw
    assert devices[-1].cookies == {}
    assert devices[0].open() == 200, "known visitors are admitted"


def test_a_question_that_is_too_long_is_refused(public: Server, provider: FakeProvider) -> None:
    device, calls = visitor(public), len(provider.calls)
    long = "x" * (256 * 1024 + 1)
    for path, body, param in (
        ("/stream", {"query": long}, "query"),
        ("/stream", {"query": long, "conversation": new_run()}, "query"),
        ("/stream", {"query": "x", "system": long, "conversation": new_run()}, "query"),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": long}]}, "messages"),
    ):
        status, headers, raw = device.request("POST", path, body)
        assert (status, error_of(raw)["code"], error_of(raw)["param"]) == (413, "question_too_large", param)
        assert headers["x-ratelimit-limit"] == str(256 * 1024)
    assert len(provider.calls) == calls
    assert device.conversation_ids() == set(), "nothing is stored"


def test_a_long_conversation_is_trimmed_to_its_newest_part(public: Server, provider: FakeProvider) -> None:
    device, name = visitor(public), new_run()
    for letter in "abcd":
        device.ask(letter * 100_000, conversation=name)
    sent = [message["content"] for message in provider.calls[-1].json["messages"]]
    assert sum(map(len, sent)) <= 256 * 1024
    assert sent[-1][:1] == "d"
    assert [text[:1] for text in sent if text != "Hello"] == ["c", "d"]


def test_an_unlisted_model_of_the_operators_server_is_allowed(public: Server, provider: FakeProvider) -> None:
    """With OPENAI_BASE_URL, every model is the operator's; with Anthropic's API, none is."""
    device = visitor(public)
    assert device.ask(model="something-of-ours") == "Hello"


def test_an_unlisted_model_of_a_paid_provider_is_refused(start: Start, provider: FakeProvider) -> None:
    server = start(
        FRESHET_PUBLIC="true",
        OPENAI_API_KEY="",
        OPENAI_BASE_URL="",
        ANTHROPIC_API_KEY="k",
        ANTHROPIC_BASE_URL=provider.url,
    )
    device, calls = visitor(server), len(provider.calls)
    for path in ("/stream", "/v1/chat/completions"):
        status, _, raw = device.request("POST", path, {"prompt": "x", "model": "claude-most-expensive"})
        assert (status, error_of(raw)["code"], error_of(raw)["param"]) == (403, "model_not_allowed", "model")
    assert len(provider.calls) == calls


def test_a_visitor_sees_only_allowed_models(start: Start, tmp_path: Path) -> None:
    table = tmp_path / "models.toml"
    table.write_text('dated = 2026-11-01\n[[model]]\nprovider = "anthropic"\nname = "claude-unpriced"\n')
    env = {
        "OPENAI_API_KEY": "",
        "OPENAI_BASE_URL": "",
        "ANTHROPIC_API_KEY": "k",
        "FRESHET_MODELS_FILE": str(table),
    }
    server = start(FRESHET_PUBLIC="true", **env)
    device = visitor(server)
    names = {one["id"] for one in device.json("GET", "/v1/models")["data"]}
    assert len(names) > 1
    assert "anthropic/claude-unpriced" not in names
    assert b"claude-unpriced" not in device.request("GET", "/")[2]
    owner = Device(start(FRESHET_LOCAL="true", **env).address)
    assert "anthropic/claude-unpriced" in {one["id"] for one in owner.json("GET", "/v1/models")["data"]}
    assert b"claude-unpriced" in owner.request("GET", "/")[2]


def test_an_unread_answer_is_stopped_after_the_visitors_time(start: Start, provider: FakeProvider) -> None:
    server = start(FRESHET_PUBLIC="true", FRESHET_VISITOR_ORPHAN_S="1")
    device, run = visitor(server), new_run()
    provider.play(Answer(steps=[openai_delta("It "), STALL]))
    with device.start(run=run, orphan_s=86_400) as reader:
        reader.read_text(1)
    wait_within(lambda: provider.open_connections == 0, 5, "the provider's connection to close")


def test_stored_bytes_of_an_address_per_day_are_limited(start: Start, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["Hello"])))
    server = start(
        FRESHET_PUBLIC="true", FRESHET_VISITOR_STORED_BYTES="100000", FRESHET_VISITOR_MAX_TOKENS="10"
    )
    codes = []
    for _ in range(12):
        device = visitor(server)
        body = {"query": "x" * 80_000, "conversation": new_run()}
        status, headers, raw = device.request("POST", "/stream", body)
        codes.append(200 if status == 200 else error_of(raw)["code"])
        if status == 429:
            assert int(headers["retry-after"]) > 0
    assert codes == [200] * 6 + ["too_many_bytes"] * 6
    device = visitor(server)
    assert device.ask() == "Hello", "a question that is not stored is answered"


# Memory.


def test_refused_large_questions_use_little_memory(start: Start, provider: FakeProvider) -> None:
    """Without early refusal, 25 questions of 15 MB took 400 MB."""
    server = start(FRESHET_ACCESS_PASSWORD=PASSWORD)
    provider.play(Answer(steps=openai(["Hello"])))
    person = Device(server.address, {"Authorization": f"Bearer {PASSWORD}"})
    assert person.ask() == "Hello"
    body = json.dumps({"query": "x" * 15_000_000}).encode()
    statuses: list[int] = []
    peaks = [before := server.memory_bytes()]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            peaks.append(server.memory_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with ThreadPoolExecutor(25) as pool:
            statuses += pool.map(lambda _: _send(person, body), range(25))
    finally:
        done.set()
        watcher.join()
    assert set(statuses) <= {413, 429, 503}, statuses
    assert 413 in statuses
    assert max(peaks) - before < 200 * 1024**2, f"{(max(peaks) - before) / 1024**2:.0f} MB more"
    assert person.ask() == "Hello", "the memory is free again"


def _send(person: Device, body: bytes) -> int:
    try:
        return person.request("POST", "/stream", body)[0]
    except (ConnectionError, TimeoutError):  # refused before the whole body was sent
        return 503


def test_the_memory_of_requests_is_limited(start: Start, provider: FakeProvider) -> None:
    """Questions in progress count towards FRESHET_LOG_MAX_BYTES."""
    server = start(
        FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_LOG_MAX_BYTES=str(8 * 1024**2), FRESHET_USER_ANSWERS="50"
    )
    person = Device(server.address, {"Authorization": f"Bearer {PASSWORD}"})
    with Gated("It ", "goes on.") as gated:
        provider.play(gated.answer)
        readers = []
        statuses = []
        for _ in range(12):
            reader = person.start("x" * 1_000_000)
            statuses.append(reader.status)
            readers.append(reader)
        assert 4 <= statuses.count(200) <= 8, statuses
        assert set(statuses) == {200, 503}
        gated.open()
        for reader, status in zip(readers, statuses, strict=True):
            if status == 200:
                reader.read_to_end()
            reader.drop()
        provider.play(Answer(steps=openai(["Hello"])))
        assert person.ask() == "Hello"


def test_a_full_server_refuses_before_reading_the_body(start: Start, provider: FakeProvider) -> None:
    server = start(
        FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_LOG_MAX_BYTES=str(4 * 1024**2), FRESHET_USER_ANSWERS="50"
    )
    person = Device(server.address, {"Authorization": f"Bearer {PASSWORD}"})
    headers = person.all_headers | {"Content-Type": "application/json", "Content-Length": "2000000"}
    with Gated("It ", "goes on.") as gated:
        provider.play(gated.answer)
        # Each takes four times its size while it is read and started, and its size from then on.
        sizes_kb = (900, 780, 580, 400, 300, 250, 180, 140, 110, 90, 70)
        readers = [person.start("x" * size * 1_000) for size in sizes_kb]
        assert [reader.status for reader in readers] == [200] * len(sizes_kb)
        with dial(server.address) as sock:
            sock.sendall(encode_request(server.address, "POST", "/stream", headers))
            started_at = time.monotonic()
            response = Response(sock)
            assert (response.status, error_of(response.read_all())["code"]) == (503, "full")
            assert "retry-after" in response.headers
            assert time.monotonic() - started_at < 5, "it did not wait for the body"
        gated.open()
        for reader in readers:
            reader.read_to_end()
            reader.drop()


def test_the_memory_of_websocket_messages_is_limited(start: Start, provider: FakeProvider) -> None:
    server = start(FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_LOG_MAX_BYTES=str(8 * 1024**2))
    provider.play(Answer(steps=openai(["Hello"])))
    person = Device(server.address, {"Authorization": f"Bearer {PASSWORD}"})
    with person.socket() as socket:
        try:
            socket.send_json(type="start", query="x" * 12_000_000)
        except OSError:
            pass  # closed while sending
        assert socket.read_close(10) == 1013
    assert person.ask() == "Hello"
    with person.socket() as socket:
        run = new_run()
        socket.send_json(type="start", query="x" * 1_000_000, run=run)
        socket.read_to_end(run)


@pytest.fixture(scope="module")
def local_server(provider: FakeProvider) -> Iterator[Server]:
    with make_server(
        provider, FRESHET_LOCAL="true", FRESHET_USER_STARTS="1", FRESHET_USER_ANSWERS="1"
    ) as running:
        yield running


def test_in_local_mode_only_sizes_are_limited(local_server: Server, provider: FakeProvider) -> None:
    calls: list[Call] = []

    def answer(call: Call) -> Answer:
        calls.append(call)
        return Answer(steps=openai(["Hello"]))

    provider.play(answer)
    person = Device(local_server.address)
    for _ in range(5):
        assert person.ask(max_tokens=1_000_000) == "Hello"
    text, reasoning = 4_096, 8_192  # the model reasons; docs/configuration.md
    assert {call.json["max_tokens"] for call in calls} == {text + reasoning}
    assert person.request("POST", "/stream", {"query": "x" * (4 * 1024**2 + 1)})[0] == 413
