"""One caller or address cannot use up connections, memory, sockets or guesses that others need."""

import http.client
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.access.conftest import Start, make_server
from tests.access.device import PASSWORD, Device, error_of, wait_within
from tests.faults.answers import new_run
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.rawhttp import Response, dial, encode_request
from tests.support.script import Answer
from tests.support.server import Server
from tests.support.ws import Refused, WsClient

PROXY = {"FRESHET_TRUSTED_PROXIES": "127.0.0.1"}
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def hello(provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["Hello"])))


@pytest.fixture(scope="module")
def password_server(provider: FakeProvider) -> Iterator[Server]:
    with make_server(
        provider, FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_MAX_STREAMS="30", **PROXY
    ) as running:
        yield running


def owner(server: Server, address: str = "203.0.113.200") -> Device:
    return Device(server.address, {"Authorization": f"Bearer {PASSWORD}", "X-Forwarded-For": address})


def open_sockets(stack: ExitStack, device: Device, count: int) -> list[int]:
    """Open WebSockets that stay open until the stack closes; return the status of each."""
    statuses = []
    for _ in range(count):
        try:
            stack.enter_context(device.socket())
        except Refused as refused:
            statuses.append(refused.status)
        else:
            statuses.append(101)
    return statuses


def test_concurrent_guesses_are_throttled(password_server: Server) -> None:
    """All requests pass the throttle before their bodies arrive; it must be checked again afterwards."""
    words = [f"guess {number}" for number in range(19)] + [PASSWORD]
    with ExitStack() as stack:
        pending = []
        for word in words:
            form = f"password={word}".encode()
            head = {"Content-Type": FORM, "X-Forwarded-For": "203.0.113.1"}
            request = encode_request(password_server.address, "POST", "/signin", head, form)
            sock = stack.enter_context(dial(password_server.address))
            sock.sendall(request[:-1])
            pending.append((sock, request[-1:]))
        statuses = []
        for sock, last in pending:
            sock.sendall(last)
            statuses.append(Response(sock).status)
    assert statuses == [401] * 8 + [429] * 12


def test_silent_connections_of_one_address_do_not_block_others(password_server: Server) -> None:
    silent = {"X-Forwarded-For": "203.0.113.2", "Content-Type": FORM, "Content-Length": "100000"}
    with ExitStack() as stack:
        for _ in range(60):
            sock = stack.enter_context(dial(password_server.address))
            sock.sendall(encode_request(password_server.address, "POST", "/signin", silent))
        person = Device(password_server.address, {"X-Forwarded-For": "203.0.113.3"})
        assert person.sign_in() == 303
        assert owner(password_server).ask() == "Hello"


def test_stalled_large_imports_do_not_block_others(password_server: Server) -> None:
    head = owner(password_server).headers | {"Content-Type": "application/json", "Content-Length": "60000000"}
    with ExitStack() as stack:
        for _ in range(3):
            sock = stack.enter_context(dial(password_server.address))
            sock.sendall(encode_request(password_server.address, "POST", "/conversations/import", head))
        large = b" " * (17 * 1024**2)
        assert owner(password_server).request("POST", "/conversations/import", large)[0] == 400, (
            "it was read, and is not a conversation"
        )


def test_unauthenticated_sockets_are_limited_separately(
    password_server: Server, provider: FakeProvider
) -> None:
    with ExitStack() as stack:
        anonymous = Device(password_server.address)
        assert set(open_sockets(stack, anonymous, 60)) <= {101, 503}
        assert owner(password_server).ask() == "Hello"
        with owner(password_server).socket() as socket:
            run = new_run()
            socket.send_json(type="start", query="Hi", run=run)
            socket.read_to_end(run)


def test_messages_before_authentication_must_be_small(password_server: Server) -> None:
    with WsClient(password_server.address) as socket:
        try:
            socket.send_json(type="auth", token="x" * 2_000_000)
        except OSError:
            pass  # closed while sending
        assert socket.read_close(5) == 1009
    with WsClient(password_server.address) as socket:
        socket.send_json(type="auth", token=PASSWORD)
        run = new_run()
        socket.send_json(type="start", query="x" * 100_000, run=run)
        socket.read_to_end(run)


def test_unauthenticated_messages_do_not_use_up_memory(start: Start) -> None:
    server = start(FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_LOG_MAX_BYTES=str(16_000_000), **PROXY)
    person, run = owner(server), new_run()
    assert person.ask("Hi", run=run) == "Hello"
    with ExitStack() as stack:
        for _ in range(30):
            socket = stack.enter_context(WsClient(server.address))
            try:
                socket.send_frame(0x1, b"x" * 900_000, fin=False)
            except OSError:
                pass  # closed while sending
        assert person.ask("x" * 1_000_000) == "Hello"
        with person.start(run=run) as again:
            assert again.status == 200
            assert "Hello" in again.text or again.read_to_end()


def test_readers_of_an_address_are_limited(start: Start, provider: FakeProvider) -> None:
    server = start(FRESHET_PUBLIC="true", FRESHET_MAX_STREAMS="40", **PROXY)
    visitor = Device(server.address, {"X-Forwarded-For": "203.0.113.4"})
    visitor.open()
    with ExitStack() as stack:
        open_sockets(stack, visitor, 60)
        other = Device(server.address, {"X-Forwarded-For": "203.0.113.5"})
        other.open()
        assert other.ask() == "Hello"
        calls = len(provider.calls)
        status, headers, raw = visitor.request("POST", "/stream", {"query": "Hi"})
        assert (status, error_of(raw)["code"]) == (429, "too_many_readers")
        assert headers["x-ratelimit-limit"] == "50"
        assert len(provider.calls) == calls, "no answer is started that nobody can read"


def test_a_ref_that_is_too_long_closes_the_socket(password_server: Server) -> None:
    with owner(password_server).socket() as socket:
        socket.send_json(type="start", query="Hi", ref="r" * 10_000)
        assert socket.read_close(5) == 4400


def test_a_hundred_concurrent_page_loads_create_twenty_visitors(start: Start) -> None:
    server = start(FRESHET_PUBLIC="true")
    with ExitStack() as stack:
        pending = []
        for _ in range(100):
            request = encode_request(server.address, "GET", "/", {"Accept": "text/html"})
            sock = stack.enter_context(dial(server.address))
            sock.sendall(request[:-1])
            pending.append((sock, request[-1:]))
        for sock, last in pending:
            sock.sendall(last)
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda one: Response(one[0]), pending))
    assert [answer.status for answer in answers].count(200) == 20
    assert sum(bool(answer.cookies) for answer in answers) == 20


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Dest": "image", "Sec_Fetch_Mode": "no-cors"},
        {"Accept": "image/avif,image/webp,*/*;q=0.8"},
        {"Sec_Purpose": "prefetch"},
    ],
)
def test_an_image_tag_or_prefetch_creates_no_visitor(start: Start, headers: dict[str, str]) -> None:
    server = start(FRESHET_PUBLIC="true")
    for _ in range(25):
        device = Device(server.address)
        device.request("GET", "/", **headers)
        assert device.cookies == {}
    for _ in range(25):
        head = http.client.HTTPConnection(*server.address, timeout=10)
        head.request("HEAD", "/")
        response = head.getresponse()
        assert (response.status, response.getheader("Set-Cookie")) == (200, None)
        head.close()
    assert Device(server.address).open() == 200


def test_opening_the_page_renews_the_session(password_server: Server) -> None:
    person = Device(password_server.address, {"X-Forwarded-For": "203.0.113.6"})
    assert person.sign_in() == 303
    before = dict(person.cookies)
    person.cookies = dict(before)
    status, headers, _ = person.request("GET", "/", Accept="text/html")
    assert status == 200
    assert "freshet-session" in headers["set-cookie"] or "freshet-browser" in headers["set-cookie"]
    assert person.cookies == before


def test_a_browser_that_knew_an_earlier_password_is_throttled_by_address(
    start: Start, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = str(tmp_path_factory.mktemp("kept"))
    first = start(FRESHET_ACCESS_PASSWORD="the earlier password", FRESHET_DATA_DIR=folder, **PROXY)
    browsers = []
    for number in range(3):
        browser = Device(first.address, {"X-Forwarded-For": f"198.51.100.{number}"})
        assert browser.sign_in("the earlier password") == 303
        browsers.append(browser)
    second = start(FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_DATA_DIR=folder, **PROXY)
    statuses = []
    for number in range(12):
        guesser = Device(second.address, {"X-Forwarded-For": "203.0.113.7"})
        guesser.cookies = dict(browsers[number % 3].cookies)
        statuses.append(guesser.sign_in(f"guess {number}"))
    assert statuses == [401] * 8 + [429] * 4


# Large responses.


def imported(server: Server, size: int) -> tuple[Device, str]:
    """Import a conversation of `size` bytes; return its owner and id."""
    person = owner(server)
    message = {"parent": None, "role": "user", "created_at": 1, "state": "done"}
    messages = [
        message | {"id": str(number), "content": [{"type": "text", "text": "x" * 1_000_000}]}
        for number in range(size // 1_000_000)
    ]
    body = {"freshet": 1, "title": "Large", "messages": messages}
    return person, person.json("POST", "/conversations/import", body, status=201)["id"]


def test_a_slow_download_is_complete(start: Start) -> None:
    """FRESHET_WRITE_S limits each write, not the whole download."""
    server = start(FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_WRITE_S="2", **PROXY)
    person, name = imported(server, 6_000_000)
    with dial(server.address, receive_buffer=65536, timeout_s=30) as sock:
        sock.sendall(
            encode_request(server.address, "GET", f"/conversations/{name}/export", person.all_headers)
        )
        response = Response(sock, timeout_s=30)
        assert response.status == 200
        started_at, received = time.monotonic(), 0
        while piece := response.read(time.monotonic() + 20, limit=65536):
            received += len(piece)
            due = started_at + received / 1_000_000  # the rate of the connection
            time.sleep(max(0.0, due - time.monotonic()))
    assert received > 6_000_000
    assert time.monotonic() - started_at > 4


def test_unread_large_responses_are_limited(start: Start) -> None:
    server = start(
        FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_LOG_MAX_BYTES=str(40_000_000), FRESHET_WRITE_S="5", **PROXY
    )
    person, name = imported(server, 8_000_000)
    with ExitStack() as stack:
        statuses = []
        for _ in range(8):
            sock = stack.enter_context(dial(server.address, receive_buffer=65536))
            sock.sendall(encode_request(server.address, "GET", f"/conversations/{name}", person.all_headers))
            statuses.append(Response(sock).status)
        assert set(statuses) == {200, 429}
        assert statuses.count(200) <= 4
    wait_within(
        lambda: person.request("GET", f"/conversations/{name}")[0] == 200, 10, "the memory to be released"
    )


# Bodies that are expensive to parse.


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/stream", b'{"messages":[' + b"{}," * 2_000_000 + b"{}]}"),
        ("/v1/chat/completions", b'{"prompt":"x","tools":[' + b"{}," * 2_000_000 + b"{}]}"),
        ("/stream", b'{"query":"x","images":[' + b'"",' * 2_000_000 + b'""]}'),
        (
            "/conversations/import",
            b'{"freshet":1,"messages":[' + b'{"\\u0072ole":"user"},' * 300_000 + b"{}]}",
        ),
    ],
)
def test_a_body_with_millions_of_values_is_refused_before_parsing(
    password_server: Server, path: str, body: bytes
) -> None:
    person = owner(password_server)
    before = password_server.memory_bytes()
    status, _, raw = person.request("POST", path, body, Content_Type="application/json")
    assert (status, error_of(raw)["code"]) == (400, "too_many_values")
    assert password_server.memory_bytes() - before < 60 * 1024**2


def test_a_question_that_quotes_json_is_answered(password_server: Server) -> None:
    """Brackets inside a string are not counted as values."""
    text = json.dumps([{"a": [1, 2, {"b": '"'}]}] * 60_000)
    assert text.count("{") > 100_000
    assert owner(password_server).ask(text[:3_000_000]) == "Hello"


def test_a_question_of_combining_marks_does_not_block_the_server(password_server: Server) -> None:
    """Normalizing 100,000 combining marks takes 15 seconds."""
    person = owner(password_server)
    text = "a" + "\u0315" * 50_000 + "\u0300" * 50_000
    started_at = time.monotonic()
    person.ask(text, conversation=new_run())
    person.ask("\ufdfa" * 85_000, conversation=new_run())
    assert time.monotonic() - started_at < 5
