"""What one caller or address may hold, so that others find room: places, memory, sockets, and guesses held back."""

import http.client
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.access.conftest import Start, made
from tests.access.device import PASSWORD, Device, error_of, within
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
def guarded(provider: FakeProvider) -> Iterator[Server]:
    with made(provider, FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_MAX_STREAMS="30", **PROXY) as running:
        yield running


def owner(server: Server, address: str = "203.0.113.200") -> Device:
    return Device(server.address, {"Authorization": f"Bearer {PASSWORD}", "X-Forwarded-For": address})


def upgraded(stack: ExitStack, device: Device, count: int) -> list[int]:
    """Open so many WebSockets that stay open, and return what each was answered with."""
    statuses = []
    for _ in range(count):
        try:
            stack.enter_context(device.socket())
        except Refused as refused:
            statuses.append(refused.status)
        else:
            statuses.append(101)
    return statuses


def test_guesses_that_are_held_back_count_all_the_same(guarded: Server) -> None:
    """The limit was looked at before the body had come, and the bodies came all at once."""
    words = [f"guess {number}" for number in range(19)] + [PASSWORD]
    with ExitStack() as stack:
        held = []
        for word in words:
            form = f"password={word}".encode()
            head = {"Content-Type": FORM, "X-Forwarded-For": "203.0.113.1"}
            request = encode_request(guarded.address, "POST", "/signin", head, form)
            sock = stack.enter_context(dial(guarded.address))
            sock.sendall(request[:-1])
            held.append((sock, request[-1:]))
        statuses = []
        for sock, last in held:
            sock.sendall(last)
            statuses.append(Response(sock).status)
    assert statuses == [401] * 8 + [429] * 12


def test_one_silent_address_leaves_room_for_another(guarded: Server) -> None:
    silent = {"X-Forwarded-For": "203.0.113.2", "Content-Type": FORM, "Content-Length": "100000"}
    with ExitStack() as stack:
        for _ in range(60):
            sock = stack.enter_context(dial(guarded.address))
            sock.sendall(encode_request(guarded.address, "POST", "/signin", silent))
        person = Device(guarded.address, {"X-Forwarded-For": "203.0.113.3"})
        assert person.sign_in() == 303
        assert owner(guarded).ask() == "Hello"


def test_large_imports_that_do_not_come_hold_nobody_up(guarded: Server) -> None:
    head = owner(guarded).headers | {"Content-Type": "application/json", "Content-Length": "60000000"}
    with ExitStack() as stack:
        for _ in range(3):
            sock = stack.enter_context(dial(guarded.address))
            sock.sendall(encode_request(guarded.address, "POST", "/conversations/import", head))
        large = b" " * (17 * 1024**2)
        assert owner(guarded).do("POST", "/conversations/import", large)[0] == 400, "it is no conversation"


def test_sockets_that_do_not_say_who_they_are_have_a_part_of_their_own(
    guarded: Server, provider: FakeProvider
) -> None:
    with ExitStack() as stack:
        stranger = Device(guarded.address)
        assert set(upgraded(stack, stranger, 60)) <= {101, 503}
        assert owner(guarded).ask() == "Hello"
        with owner(guarded).socket() as socket:
            run = new_run()
            socket.send_json(type="start", query="Hi", run=run)
            socket.read_to_end(run)


def test_a_message_before_it_is_known_who_sends_it_is_small(guarded: Server) -> None:
    with WsClient(guarded.address) as socket:
        try:
            socket.send_json(type="auth", token="x" * 2_000_000)
        except OSError:
            pass  # it was closed meanwhile
        assert socket.read_close(5) == 1009
    with WsClient(guarded.address) as socket:
        socket.send_json(type="auth", token=PASSWORD)
        run = new_run()
        socket.send_json(type="start", query="x" * 100_000, run=run)
        socket.read_to_end(run)


def test_what_strangers_send_on_sockets_fills_no_memory_of_others(start: Start) -> None:
    server = start(FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_LOG_MAX_BYTES=str(16_000_000), **PROXY)
    person, run = owner(server), new_run()
    assert person.ask("Hi", run=run) == "Hello"
    with ExitStack() as stack:
        for _ in range(30):
            socket = stack.enter_context(WsClient(server.address))
            try:
                socket.send_frame(0x1, b"x" * 900_000, fin=False)
            except OSError:
                pass  # it was closed meanwhile
        assert person.ask("x" * 1_000_000) == "Hello"
        with person.start(run=run) as again:
            assert again.status == 200
            assert "Hello" in again.text or again.read_to_end()


def test_readers_of_one_address(start: Start, provider: FakeProvider) -> None:
    server = start(FRESHET_PUBLIC="true", FRESHET_MAX_STREAMS="40", **PROXY)
    visitor = Device(server.address, {"X-Forwarded-For": "203.0.113.4"})
    visitor.open()
    with ExitStack() as stack:
        upgraded(stack, visitor, 60)
        other = Device(server.address, {"X-Forwarded-For": "203.0.113.5"})
        other.open()
        assert other.ask() == "Hello"
        calls = len(provider.calls)
        status, headers, raw = visitor.do("POST", "/stream", {"query": "Hi"})
        assert (status, error_of(raw)["code"]) == (429, "too_many_readers")
        assert headers["x-ratelimit-limit"] == "50"
        assert len(provider.calls) == calls, "nothing is bought that nobody can read"


def test_a_ref_that_is_no_name(guarded: Server) -> None:
    with owner(guarded).socket() as socket:
        socket.send_json(type="start", query="Hi", ref="r" * 10_000)
        assert socket.read_close(5) == 4400


def test_a_hundred_pages_at_once_make_twenty_visitors(start: Start) -> None:
    server = start(FRESHET_PUBLIC="true")
    with ExitStack() as stack:
        held = []
        for _ in range(100):
            request = encode_request(server.address, "GET", "/", {"Accept": "text/html"})
            sock = stack.enter_context(dial(server.address))
            sock.sendall(request[:-1])
            held.append((sock, request[-1:]))
        for sock, last in held:
            sock.sendall(last)
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda one: Response(one[0]), held))
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
def test_another_site_s_image_makes_no_visitor(start: Start, headers: dict[str, str]) -> None:
    server = start(FRESHET_PUBLIC="true")
    for _ in range(25):
        device = Device(server.address)
        device.do("GET", "/", **headers)
        assert device.cookies == {}
    for _ in range(25):
        head = http.client.HTTPConnection(*server.address, timeout=10)
        head.request("HEAD", "/")
        response = head.getresponse()
        assert (response.status, response.getheader("Set-Cookie")) == (200, None)
        head.close()
    assert Device(server.address).open() == 200


def test_a_session_lives_on_with_every_visit(guarded: Server) -> None:
    person = Device(guarded.address, {"X-Forwarded-For": "203.0.113.6"})
    assert person.sign_in() == 303
    before = dict(person.cookies)
    person.cookies = dict(before)
    status, headers, _ = person.do("GET", "/", Accept="text/html")
    assert status == 200
    assert "freshet-session" in headers["set-cookie"] or "freshet-browser" in headers["set-cookie"]
    assert person.cookies == before


def test_a_browser_that_knew_another_password_is_a_stranger(
    start: Start, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = str(tmp_path_factory.mktemp("kept"))
    first = start(FRESHET_ACCESS_PASSWORD="the one before", FRESHET_DATA_DIR=folder, **PROXY)
    browsers = []
    for number in range(3):
        browser = Device(first.address, {"X-Forwarded-For": f"198.51.100.{number}"})
        assert browser.sign_in("the one before") == 303
        browsers.append(browser)
    second = start(FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_DATA_DIR=folder, **PROXY)
    statuses = []
    for number in range(12):
        guesser = Device(second.address, {"X-Forwarded-For": "203.0.113.7"})
        guesser.cookies = dict(browsers[number % 3].cookies)
        statuses.append(guesser.sign_in(f"guess {number}"))
    assert statuses == [401] * 8 + [429] * 4


# Large answers of the endpoints.


def imported(server: Server, size: int) -> tuple[Device, str]:
    """A conversation of that many bytes."""
    person = owner(server)
    message = {"parent": None, "role": "user", "created_at": 1, "state": "done"}
    messages = [
        message | {"id": str(number), "content": [{"type": "text", "text": "x" * 1_000_000}]}
        for number in range(size // 1_000_000)
    ]
    body = {"freshet": 1, "title": "Large", "messages": messages}
    return person, person.json("POST", "/conversations/import", body, status=201)["id"]


def test_a_slow_download_is_whole(start: Start) -> None:
    """It was cut when all of it had taken longer than one write may."""
    server = start(FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_WRITE_S="2", **PROXY)
    person, name = imported(server, 6_000_000)
    with dial(server.address, receive_buffer=65536, timeout_s=30) as sock:
        sock.sendall(encode_request(server.address, "GET", f"/conversations/{name}/export", person.sent))
        response = Response(sock, timeout_s=30)
        assert response.status == 200
        began, taken = time.monotonic(), 0
        while piece := response.read(time.monotonic() + 20, limit=65536):
            taken += len(piece)
            due = began + taken / 1_000_000  # the line's own pace
            time.sleep(max(0.0, due - time.monotonic()))
    assert taken > 6_000_000
    assert time.monotonic() - began > 4


def test_large_answers_that_nobody_reads_count(start: Start) -> None:
    server = start(
        FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_LOG_MAX_BYTES=str(40_000_000), FRESHET_WRITE_S="5", **PROXY
    )
    person, name = imported(server, 8_000_000)
    with ExitStack() as stack:
        statuses = []
        for _ in range(8):
            sock = stack.enter_context(dial(server.address, receive_buffer=65536))
            sock.sendall(encode_request(server.address, "GET", f"/conversations/{name}", person.sent))
            statuses.append(Response(sock).status)
        assert set(statuses) == {200, 429}
        assert statuses.count(200) <= 4
    within(lambda: person.do("GET", f"/conversations/{name}")[0] == 200, 10, "room again")


# Bodies that cost more than they weigh.


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
def test_a_body_of_a_million_values_is_refused_unread(guarded: Server, path: str, body: bytes) -> None:
    person = owner(guarded)
    before = guarded.memory_bytes()
    status, _, raw = person.do("POST", path, body, Content_Type="application/json")
    assert (status, error_of(raw)["code"]) == (400, "too_many_values")
    assert guarded.memory_bytes() - before < 60 * 1024**2


def test_a_question_about_much_json_is_answered(guarded: Server) -> None:
    """What stands in a text is no value."""
    text = json.dumps([{"a": [1, 2, {"b": '"'}]}] * 60_000)
    assert text.count("{") > 100_000
    assert owner(guarded).ask(text[:3_000_000]) == "Hello"


def test_a_question_of_combining_marks_stops_nobody(guarded: Server) -> None:
    """Putting 100,000 marks in order took 15 seconds in one piece."""
    person = owner(guarded)
    text = "a" + "\u0315" * 50_000 + "\u0300" * 50_000
    began = time.monotonic()
    person.ask(text, conversation=new_run())
    person.ask("\ufdfa" * 85_000, conversation=new_run())
    assert time.monotonic() - began < 5
