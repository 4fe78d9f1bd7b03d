"""Callers without credentials or from other origins are refused before any work (docs/faults.md, C17 and N6)."""

import json
import time
from collections.abc import Iterator

import pytest

from tests.faults.answers import KEY, SECRET_KEY, new_run, refusal_of
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.promises import check_promises
from tests.support.script import Answer
from tests.support.server import Server
from tests.support.sse import SseReader
from tests.support.ws import Refused, WsClient

PASSWORD = "open-sesame-canary"
FRIEND = "https://friend.example"
AUTH_S = 1.0
START = {"type": "start", "ref": "1", "query": "hello"}
HELLO = Answer(steps=openai(["Hello"]))


def env_of(provider: FakeProvider, **more: str) -> dict[str, str]:
    return {
        "FRESHET_HOST": "0.0.0.0",
        "FRESHET_AUTH_S": str(AUTH_S),
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": f"{provider.url}/v1",
        "SECRET_KEY": SECRET_KEY,
        **more,
    }


@pytest.fixture(scope="module")
def guarded(provider: FakeProvider) -> Iterator[Server]:
    """A server with a password."""
    env = env_of(provider, FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_ALLOWED_ORIGINS=FRIEND)
    with Server(env, secrets=(KEY, SECRET_KEY, PASSWORD)) as running:
        yield running


@pytest.fixture(scope="module")
def locked(provider: FakeProvider) -> Iterator[Server]:
    """A server without any access setting."""
    with Server(env_of(provider), secrets=(KEY,)) as running:
        yield running


@pytest.fixture(autouse=True)
def no_work(provider: FakeProvider, unharmed: None) -> None:
    """Start with a provider without calls."""
    provider.play(HELLO)


DOORS = [
    ("POST", "/stream", {"query": "x"}),
    ("GET", "/stream?query=x", None),
    ("GET", "/stream/" + "a" * 22, None),
    ("POST", "/stream/" + "a" * 22 + "/stop", None),
    ("POST", "/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}]}),
    ("POST", "/chat/completions", {"prompt": "x"}),
    ("GET", "/v1/models", None),
]


@pytest.mark.parametrize(("method", "path", "body"), DOORS)
def test_without_the_password_every_endpoint_refuses(
    guarded: Server, provider: FakeProvider, method: str, path: str, body: object
) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Cookie": "freshet=forged.abc; session=eyJhIjoxfQ.x.y"},
    ):
        status, _, reply = guarded.request(method, path, body, **headers)
        assert status == 401, headers
        assert refusal_of(status, reply)["type"] == "authentication_error"
        assert b"<" not in reply
    assert not provider.calls


def test_the_password_admits(guarded: Server, provider: FakeProvider) -> None:
    headers = {"Authorization": f"Bearer {PASSWORD}"}
    with SseReader(guarded.address, body={"query": "x"}, headers=headers) as reader:
        assert check_promises(reader.read_to_end()).text == "Hello"
    with WsClient(guarded.address, headers=headers) as client:
        run = new_run()
        client.send_json(**START, run=run)
        assert check_promises(client.read_to_end(run)).text == "Hello"


def test_a_websocket_that_does_not_authenticate_is_closed(guarded: Server, provider: FakeProvider) -> None:
    watch = guarded.stopwatch()
    with WsClient(guarded.address) as client:
        assert client.read_close(AUTH_S + 3) == 4401
        assert watch.elapsed_s > AUTH_S * 0.8
        assert watch.busy_s < AUTH_S + 1.5
    assert not provider.calls


def test_a_websocket_that_sends_byte_by_byte_gets_no_more_time(
    guarded: Server, provider: FakeProvider
) -> None:
    watch = guarded.stopwatch()
    with WsClient(guarded.address) as client:
        while client.closed is None and watch.busy_s < AUTH_S + 3:
            client.send_frame(0x9, b"ping")
            client.read_until(lambda: client.closed is not None or client.messages[-1:] != [], 1)
            client.messages.clear()
            time.sleep(0.02)
        assert client.closed == 4401
    assert not provider.calls


@pytest.mark.parametrize(
    "message",
    [
        {"type": "auth", "token": "wrong"},
        {"type": "auth", "token": ""},
        {"type": "auth"},
        {"type": "auth", "token": 5},
        START,
        {"type": "resume", "ref": "1", "run": "a" * 22, "after": f"{'a' * 22}:1:0"},
        {"type": "stop", "ref": "1", "run": "a" * 22},
    ],
)
def test_a_websocket_with_the_wrong_password_is_refused(
    guarded: Server, provider: FakeProvider, message: dict[str, object]
) -> None:
    with WsClient(guarded.address) as client:
        client.send_json(**message)
        assert client.read_close(AUTH_S + 3) in (4401, 4400)
        assert not any("start" in body for _, body in client.jsons)
    assert not provider.calls


def test_a_websocket_with_the_right_password_is_admitted(guarded: Server, provider: FakeProvider) -> None:
    run = new_run()
    with WsClient(guarded.address) as client:
        client.send_json(type="auth", token=PASSWORD)
        client.send_json(**START, run=run)
        assert check_promises(client.read_to_end(run)).text == "Hello"


FOREIGN = [
    "https://evil.example",
    "null",
    "NULL",
    "",
    "file://",
    "https://friend.example.evil.example",
    "garbage",
]


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_foreign_origin_is_refused_everywhere(
    server: Server, guarded: Server, provider: FakeProvider, origin: str
) -> None:
    for target, headers in ((server, {}), (guarded, {"Authorization": f"Bearer {PASSWORD}"})):
        for method, path, body in DOORS:
            status, replied, reply = target.request(method, path, body, Origin=origin, **headers)
            assert status == 403, (method, path, origin)
            refusal_of(status, reply)
            assert replied.get("access-control-allow-origin", "") not in ("*", "null", origin or "-")
        with pytest.raises(Refused) as refused:
            WsClient(target.address, headers={"Origin": origin, **headers})
        assert refused.value.status == 403
        refusal_of(403, refused.value.body)
    assert not provider.calls


def test_an_allowed_origin_is_admitted_and_a_program_needs_none(
    guarded: Server, provider: FakeProvider
) -> None:
    headers = {"Authorization": f"Bearer {PASSWORD}"}
    with SseReader(guarded.address, body={"query": "x"}, headers=headers | {"Origin": FRIEND}) as reader:
        assert reader.headers["access-control-allow-origin"] == FRIEND
        assert check_promises(reader.read_to_end()).text == "Hello"
    with WsClient(guarded.address, headers={"Origin": FRIEND}) as client:
        client.send_json(type="auth", token=PASSWORD)
        run = new_run()
        client.send_json(**START, run=run)
        assert check_promises(client.read_to_end(run)).text == "Hello"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "image"},
        {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Dest": "empty"},
        {"Sec_Fetch_Site": "none", "Sec_Fetch_Dest": "document"},
        {"Sec_Fetch_Site": "same-origin", "Sec_Fetch_Dest": "image"},
        {"Sec_Fetch_Site": "same-origin", "Sec_Fetch_Dest": "empty", "Sec_Purpose": "prefetch"},
    ],
)
def test_a_get_starts_nothing_for_an_image_or_a_prefetch(
    server: Server, provider: FakeProvider, headers: dict[str, str]
) -> None:
    status, _, reply = server.request("GET", "/stream?query=x", **headers)
    assert status == 403
    refusal_of(status, reply)
    assert not provider.calls


def test_a_locked_server_names_the_setting_to_make(locked: Server, provider: FakeProvider) -> None:
    assert locked.request("GET", "/healthz")[0] == 200
    for method, path, body in DOORS:
        status, headers, reply = locked.request(method, path, body)
        assert status == 503, path
        assert "retry-after" in headers
        assert "FRESHET_ACCESS_PASSWORD" in refusal_of(status, reply)["message"]
    with pytest.raises(Refused) as refused:
        WsClient(locked.address)
    assert refused.value.status == 503
    assert b"FRESHET_ACCESS_PASSWORD" in locked.request("GET", "/")[2]
    assert not provider.calls


@pytest.fixture(scope="module")
def local(provider: FakeProvider) -> Iterator[Server]:
    """A server as `make run` starts it."""
    env = env_of(provider, FRESHET_LOCAL="true") | {"FRESHET_HOST": "127.0.0.1"}
    with Server(env, secrets=(KEY,)) as running:
        yield running


def test_local_mode_is_one_user_without_a_cookie(local: Server, provider: FakeProvider) -> None:
    conversation = new_run()
    with SseReader(local.address, body={"query": "x", "conversation": conversation}) as reader:
        assert check_promises(reader.read_to_end()).text == "Hello"
    for headers in ({}, {"Authorization": "Bearer anything"}, {"Cookie": "freshet-visitor=forged"}):
        status, _, reply = local.request("GET", f"/conversations/{conversation}", **headers)
        assert status == 200, reply


@pytest.mark.parametrize(
    "sign",
    [
        "Forwarded",
        "X_Forwarded_For",
        "X_Forwarded_Proto",
        "X_Forwarded_Host",
        "X_Real_IP",
        "CF_Connecting_IP",
        "Via",
    ],
)
def test_behind_a_proxy_nothing_is_local(local: Server, provider: FakeProvider, sign: str) -> None:
    for value in ("x", ""):
        status, _, reply = local.request("POST", "/stream", {"query": "x"}, **{sign: value})
        assert status == 503
        assert "FRESHET_LOCAL" in refusal_of(status, reply)["message"]
    assert not provider.calls


@pytest.mark.parametrize(
    "host", ["rebound.example", "localhost", "localhost:1", "127.0.0.1", "localhost.:{port}", "127.1:{port}"]
)
def test_another_name_is_not_local(local: Server, provider: FakeProvider, host: str) -> None:
    """DNS rebinding: a foreign page's own name resolves to this computer."""
    named = host.format(port=local.port)
    for method, path, body in DOORS:
        assert local.request(method, path, body, Host=named)[0] == 503, path
    with pytest.raises(Refused) as refused:
        WsClient(local.address, headers={"Host": named})
    assert refused.value.status == 503
    assert not provider.calls


@pytest.mark.parametrize(
    "host", ["127.0.0.1:{port}@evil", "evil@localhost:{port}", "a b", "[::1", "x:y", "a/b"]
)
def test_a_malformed_host_is_refused(
    local: Server, server: Server, guarded: Server, provider: FakeProvider, host: str
) -> None:
    for target in (local, server, guarded):
        status, _, reply = target.request(
            "POST", "/stream", {"query": "x"}, Host=host.format(port=target.port)
        )
        assert status == 400
        assert refusal_of(status, reply)["param"] == "Host"
    assert not provider.calls


def test_wrong_passwords_are_slowed_down(guarded: Server) -> None:
    """Too many wrong tries get 429 with Retry-After."""
    seen = []
    for number in range(40):
        status, headers, _ = guarded.request("POST", "/signin", {"password": f"wrong{number}"})
        seen.append(status)
        if status == 429:
            assert int(headers["retry-after"]) > 0
            break
    assert 429 in seen, json.dumps(seen)
