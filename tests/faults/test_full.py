"""A full server refuses at once; secrets stay secret (docs/faults.md, S6 and S18)."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.faults.answers import BODY, KEY, ask, refusal_of, stop
from tests.support.dialects import DONE, openai, openai_delta, openai_finish
from tests.support.fake_provider import FakeProvider
from tests.support.promises import check_promises
from tests.support.script import STALL, Answer, Step, refusal
from tests.support.server import Server
from tests.support.sse import SseReader
from tests.support.ws import WsClient

STREAMS = 4  # one of which is the companion's
HIDDEN = (
    "canary-query-77aa",
    "canary-bearer-88bb",
    "canary-cookie-99cc",
    "canary-system-66dd",
    "canary-agent-55ee",
)


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {"FRESHET_MAX_STREAMS": str(STREAMS), "GUNICORN_CMD_ARGS": "--access-logfile -"}


def steadily() -> Iterator[Step]:
    for number in range(60):
        yield openai_delta(f"{number} ")
        yield 0.05
    yield from openai_finish()
    yield DONE


def fill(server: Server, stack: ExitStack) -> list[SseReader]:
    """Start as many answers as fit into all workers; return their readers."""
    readers: list[SseReader] = []
    for _ in range(50 * len(server.workers)):
        reader = stack.enter_context(SseReader(server.address, body={"query": "hello"}))
        if reader.status == 200:
            reader.read_text(1)
            readers.append(reader)
        if len(readers) == (STREAMS - 1) * len(server.workers):
            return readers
    raise AssertionError(f"{len(readers)} answers run at once")


def test_s6_more_runs_than_fit(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=steadily))
    with ExitStack() as stack:
        readers = fill(server, stack)
        for method, path, body in (
            ("POST", "/stream", {"query": "one too many"}),
            ("GET", "/stream?query=one+too+many", None),
            ("POST", "/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}]}),
        ):
            watch = server.stopwatch()
            status, headers, reply = server.request(method, path, body)
            assert (status, watch.busy_s < 0.5) == (503, True), path
            assert int(headers["retry-after"]) > 0
            refusal_of(status, reply)
        with WsClient(server.address) as client:
            client.send_json(type="start", ref="1", query="one too many")
            refused = client.read_reply("refused")
            assert (refused["status"], refused["ref"]) == (503, "1")
        for reader in readers:
            assert check_promises(reader.read_to_end()).text == "".join(f"{number} " for number in range(60))
    assert len(provider.calls) == len(readers)
    assert ask(server).code is None


def test_s6_more_readers_than_fit(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=steadily))
    with ExitStack() as stack:
        first = stack.enter_context(SseReader(server.address, body={"query": "hello"}))
        first.read_text(1)
        path = f"/stream/{first.run}"
        workers = len(server.workers)  # each has its companion's reader
        others = [stack.enter_context(SseReader(server.address, path)) for _ in range(12 * workers**2)]
        statuses = [reader.status for reader in others]
        assert statuses.count(200) == (STREAMS * 2 - 1) * workers - 1, statuses
        assert statuses[-1] == 503
        assert int(others[-1].headers["retry-after"]) > 0
        refusal_of(503, others[-1].response.read_all())
        assert server.request("GET", "/healthz")[0] == 200
        assert stop(server, first.run)["state"] == "cancelled"
        for reader in [first, *(other for other in others if other.status == 200)]:
            check_promises(reader.read_to_end())


def test_s6_far_more_connections_than_the_worker_accepts(server: Server, provider: FakeProvider) -> None:
    """Refused clients that keep their connections open do not block others."""
    provider.play(Answer(steps=(openai_delta("Hello"), STALL)))
    with ExitStack() as stack:
        first = stack.enter_context(SseReader(server.address, body={"query": "hello"}))
        first.read_text(1)
        for _ in range(STREAMS * 2 + 300):
            other = stack.enter_context(SseReader(server.address, f"/stream/{first.run}", timeout_s=2))
            assert other.status in (200, 503)
        assert server.request("GET", "/healthz")[0] == 200
        assert stop(server, first.run)["state"] == "cancelled"
        check_promises(first.read_to_end())


def test_s18_a_caller_s_secrets_are_in_no_log(server: Server, provider: FakeProvider) -> None:
    query, bearer, cookie, system, agent = HIDDEN
    provider.play(Answer(steps=openai(["Hello"])))
    headers = {"Authorization": f"Bearer {bearer}", "Cookie": f"x={cookie}", "User-Agent": agent}
    with SseReader(server.address, f"/stream?query={query}&system={system}", headers=headers) as reader:
        check_promises(reader.read_to_end())
    server.request("POST", f"/stream?token={query}", {"query": query, "system": system}, **headers)
    server.request("GET", f"/stream/{'a' * 22}?after={query}", **headers)
    server.request("POST", "/v1/chat/completions", {"messages": f"{system}"}, **headers)
    server.request("POST", "/stream", b'{"query": "' + query.encode(), **headers)
    server.request("GET", f"/no/such/door/{reader.run}?x={query}", **headers)
    for call in provider.calls:
        sent = str(call.headers) + call.path
        assert not any(hidden in sent for hidden in HIDDEN)
    log = server.log
    for hidden in (query, bearer, cookie, system):
        assert hidden not in log, log[max(0, log.index(hidden) - 300) :][:600]


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 429, 500])
def test_s18_secrets_in_a_provider_s_error_are_shown_to_nobody(
    server: Server, provider: FakeProvider, status: int
) -> None:
    words = f"key {KEY} of https://user:{KEY}@host, Authorization: Bearer {KEY}, api_key={KEY!r}, {KEY[:20]}…"
    error = {"error": {"message": words, "type": KEY, "code": KEY, "param": KEY}, "debug": BODY}
    provider.play(Answer(steps=(openai_delta("a"), b"data: %b\n\n" % str(error).replace("'", '"').encode())))
    if status != 200:
        provider.play(refusal(status, error, x_debug=KEY, www_authenticate=KEY))
    answer = ask(server)
    assert answer.code is not None
    for secret in (KEY, KEY[:20], BODY):
        assert secret not in str([one.frame for one in answer.received])
        assert secret not in server.log
    shut, headers, reply = server.request(
        "POST", "/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}]}
    )
    for secret in (KEY, KEY[:20], BODY):
        assert secret not in reply.decode() + str(headers), shut
