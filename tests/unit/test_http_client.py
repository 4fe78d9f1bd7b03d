"""The HTTP transport, with fake providers on local sockets."""

import gzip
import math
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.certs import Certificates
from tests.support.fake_provider import FakeProvider, closed_port
from tests.support.script import CLOSE, RESET, STALL, Answer, Raw, Step, refusal
from tests.unit.splits import splits
from webapp.errors import AnswerError, Interrupted, Stopped, UpstreamError
from webapp.providers.base import CallControl
from webapp.providers.http import connection_pool
from webapp.providers.http.client import HttpTransport, Timeouts, create_tls_context
from webapp.seams import Body, Call

KEY = "sk-canary-0123456789"
TEXT = "naïve 你好 👩‍🚀".encode()
SHORT_TIMEOUTS = Timeouts(connect_s=2.0, first_byte_s=2.0, idle_s=2.0, max_body_bytes=200_000)


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as fake:
        yield fake


@pytest.fixture(scope="module")
def context(certificates: Certificates) -> ssl.SSLContext:
    return create_tls_context(str(certificates.ca_file))


@pytest.fixture
def transport(context: ssl.SSLContext) -> Iterator[HttpTransport]:
    created = HttpTransport(SHORT_TIMEOUTS, context)
    yield created
    created.close()


def fetch(
    transport: HttpTransport,
    provider: FakeProvider,
    answer: Answer | None = None,
    path: str = "/v1",
    key: str = KEY,
) -> bytes:
    if answer is not None:
        provider.play(answer)
    call = Call(url=provider.url + path, headers={"Authorization": f"Bearer {key}"}, body=b'{"q":1}')
    body = transport.post(call, CallControl())
    content = b""
    try:
        while not body.ended:
            content += body.read()
    except BaseException:
        body.close(reuse=False)
        raise
    body.close(reuse=True)
    return content


def expect_failure(transport: HttpTransport, provider: FakeProvider, answer: Answer) -> AnswerError:
    with pytest.raises(AnswerError) as failure:
        fetch(transport, provider, answer)
    provider.wait_closed()
    assert KEY not in str(vars(failure.value))
    return failure.value


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
def test_a_body_is_read_in_each_of_the_three_framings(
    transport: HttpTransport, provider: FakeProvider, framing: str
) -> None:
    answer = Answer(steps=[TEXT, TEXT[:5], TEXT[5:]], framing=framing)  # type: ignore[arg-type]
    assert fetch(transport, provider, answer) == TEXT * 2
    (call,) = provider.calls
    assert (call.method, call.path, call.body) == ("POST", "/v1", b'{"q":1}')
    assert call.headers["authorization"] == f"Bearer {KEY}"
    assert call.headers["accept-encoding"] == "identity"
    assert "cookie" not in call.headers


def test_a_truncated_response_is_an_error(transport: HttpTransport, provider: FakeProvider) -> None:
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    ways = list(splits(raw, 1))[1::9]
    for pieces in ways:
        steps = [step for piece in pieces for step in (Raw(piece), 0.001)]
        assert fetch(transport, provider, Answer(status=None, steps=steps)) == b"hello"


def test_cookies_are_ignored(transport: HttpTransport, provider: FakeProvider) -> None:
    fetch(transport, provider, Answer(steps=[b"x"], headers={"Set-Cookie": "track=canary; Path=/"}))
    fetch(transport, provider)
    assert "cookie" not in provider.calls[-1].headers


def test_proxy_variables_are_ignored(
    context: ssl.SSLContext, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    created = HttpTransport(SHORT_TIMEOUTS, context)
    assert fetch(created, provider, Answer(steps=[b"x"])) == b"x"
    created.close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
def test_a_redirect_is_refused_without_sending_the_key(
    transport: HttpTransport, provider: FakeProvider, status: int, framing: str
) -> None:
    with FakeProvider() as elsewhere:
        error = expect_failure(
            transport,
            provider,
            Answer(status=status, headers={"Location": elsewhere.url}, steps=[b"moved"], framing=framing),  # type: ignore[arg-type]
        )
        assert (error.code, error.retryable) == ("upstream_redirect", False)
        assert elsewhere.calls == []


def test_a_compressed_response_is_refused(transport: HttpTransport, provider: FakeProvider) -> None:
    bomb = gzip.compress(b"\0" * 1_000_000)
    error = expect_failure(transport, provider, Answer(steps=[bomb], headers={"Content-Encoding": "gzip"}))
    assert error.code == "upstream_protocol"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(steps=[b"x", CLOSE]), "interrupted"),
        (Answer(steps=[b"x", RESET]), "interrupted"),
        (Answer(steps=[Raw(b"9\r\nhel"), CLOSE]), "interrupted"),
        (Answer(steps=[Raw(b"not chunked at all\r\n")]), "interrupted"),
        (Answer(steps=[b"x" * 50, CLOSE], framing="length", headers={"Content-Length": "99"}), "interrupted"),
        (Answer(steps=[b"x", STALL]), "upstream_stalled"),
        (Answer(status=None, steps=[STALL]), "upstream_timeout"),
        (Answer(status=None, steps=[Raw(b"HTTP/1.1 200 OK\r\nX: "), STALL]), "upstream_timeout"),
        (Answer(status=None, steps=[CLOSE]), "upstream_unreachable"),
        (Answer(status=None, steps=[RESET]), "upstream_unreachable"),
        (Answer(steps=[b"x" * 1000] * 300), "upstream_protocol"),
        (refusal(503, {"error": {"message": f"no {KEY}"}}), "upstream_overloaded"),
        (Answer(status=500, steps=[b"x" * 1000] * 500), "upstream_overloaded"),
        (Answer(status=429, steps=[b"{", CLOSE]), "upstream_rate_limited"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_failure_has_its_code(
    transport: HttpTransport, provider: FakeProvider, answer: Answer, code: str
) -> None:
    assert expect_failure(transport, provider, answer).code == code


@pytest.mark.parametrize(("status", "code"), [(500, "upstream_overloaded"), (307, "upstream_redirect")])
def test_only_the_beginning_of_an_error_body_is_read(
    transport: HttpTransport, provider: FakeProvider, status: int, code: str
) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 65_536

    headers = {"Location": "http://127.0.0.1:9/"} if status == 307 else {}
    assert (
        expect_failure(transport, provider, Answer(status=status, steps=endless, headers=headers)).code
        == code
    )
    assert provider.calls[0].sent_bytes < 20_000_000


def test_a_refused_connection_is_unreachable(transport: HttpTransport) -> None:
    call = Call(url=f"http://127.0.0.1:{closed_port()}/v1", headers={}, body=b"{}")
    with pytest.raises(UpstreamError) as failure:
        transport.post(call, CallControl())
    assert failure.value.code == "upstream_unreachable"


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 70 + ".example", "..", "[::2]x"])
def test_an_unresolvable_host_is_unreachable(transport: HttpTransport, host: str) -> None:
    with pytest.raises(UpstreamError) as failure:
        transport.post(Call(url=f"http://{host}/", headers={}, body=b""), CallControl())
    assert failure.value.code == "upstream_unreachable"


# TLS.


def test_many_small_tls_records_are_all_read(transport: HttpTransport, certificates: Certificates) -> None:
    with FakeProvider(tls=certificates.good) as provider:
        assert fetch(transport, provider, Answer(steps=[TEXT] * 300)) == TEXT * 300


@pytest.mark.parametrize("kind", ["expired", "untrusted", "wrong_name"])
def test_a_bad_certificate_is_refused_before_the_key_is_sent(
    transport: HttpTransport, certificates: Certificates, kind: str
) -> None:
    with FakeProvider(tls=getattr(certificates, kind)) as provider:
        with pytest.raises(UpstreamError) as failure:
            fetch(transport, provider)
        assert (failure.value.code, failure.value.retryable) == ("upstream_tls", False)
        assert provider.calls == []


def test_plain_http_on_a_tls_url_is_a_tls_error(context: ssl.SSLContext, provider: FakeProvider) -> None:
    hasty = HttpTransport(Timeouts(connect_s=0.3), context)
    call = Call(url=provider.url.replace("http:", "https:"), headers={}, body=b"{}")
    with pytest.raises(UpstreamError) as failure:
        hasty.post(call, CallControl())
    assert failure.value.code in ("upstream_tls", "upstream_timeout", "upstream_unreachable")
    hasty.close()


# Stopping.


@pytest.mark.parametrize("tls", [False, True])
def test_a_stop_shuts_a_silent_socket(context: ssl.SSLContext, certificates: Certificates, tls: bool) -> None:
    patient = HttpTransport(Timeouts(first_byte_s=30, idle_s=30), context)
    control, reached = CallControl(), threading.Event()
    failures: list[BaseException] = []

    def read(url: str) -> None:
        try:
            body = patient.post(Call(url=url, headers={}, body=b"{}"), control)
            try:
                while body.read():
                    reached.set()
            finally:
                body.close(reuse=False)
        except Stopped as stopped:
            failures.append(stopped)

    with FakeProvider(Answer(steps=[b"x", STALL]), tls=certificates.good if tls else None) as provider:
        thread = threading.Thread(target=read, args=(provider.url,))
        thread.start()
        assert reached.wait(10)
        control.stop()
        thread.join(10)
        assert not thread.is_alive()
        provider.wait_closed()
    assert len(failures) == 1
    patient.close()


def test_a_stopped_call_is_not_sent(transport: HttpTransport, provider: FakeProvider) -> None:
    control = CallControl()
    control.stop()
    with pytest.raises(Stopped):
        transport.post(Call(url=provider.url, headers={}, body=b""), control)
    assert provider.calls == []


def test_closing_a_body_early_closes_the_connection(transport: HttpTransport, provider: FakeProvider) -> None:
    provider.play(Answer(steps=[b"x", STALL]))
    body = transport.post(Call(url=provider.url, headers={}, body=b"{}"), CallControl())
    assert body.read() == b"x"
    assert body.read(wait=False) == b""
    body.close(reuse=False)
    provider.wait_closed()


def test_a_truncated_body_differs_from_a_complete_one(
    transport: HttpTransport, provider: FakeProvider
) -> None:
    assert fetch(transport, provider, Answer(steps=[b"x"])) == b"x"
    assert isinstance(expect_failure(transport, provider, Answer(steps=[b"x", CLOSE])), Interrupted)


# Reusing connections.


class KeepAliveServer:
    """Answers requests on kept-alive connections; `served` has the requests of each connection, in order."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, answers: int = 100, endless: int = 100) -> None:
        self._tls = tls
        self._endless = endless  # the number of the request whose response has no end
        self._answers = answers  # on one connection, which is then closed
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._listener.getsockname()[1]}/v1"
        self.served: list[list[bytes]] = []
        self.closed = threading.Semaphore(0)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            requests: list[bytes] = []
            self.served.append(requests)
            threading.Thread(target=self._serve, args=(sock, requests), daemon=True).start()

    def _serve(self, sock: socket.socket, requests: list[bytes]) -> None:
        try:
            if self._tls:
                sock = self._tls.wrap_socket(sock, server_side=True)
            while len(requests) < self._answers and (raw := sock.recv(65536)):
                requests.append(raw)
                end = b"" if len(requests) == self._endless else b"0\r\n\r\n"
                sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n" + end)
        except OSError:
            pass  # the client has disconnected
        sock.close()
        self.closed.release()


@pytest.fixture
def keep_alive_server() -> Iterator[KeepAliveServer]:
    server = KeepAliveServer()
    yield server
    server.close()


def send_call(transport: HttpTransport, server: KeepAliveServer, key: str = KEY) -> None:
    body = transport.post(Call(url=server.url, headers={"x-api-key": key}, body=b"{}"), CallControl())
    assert body.read() == b"x"
    body.close(reuse=True)


def has_reusable(transport: HttpTransport, count: int = 1) -> bool:
    """Return whether `count` connections have been idle for long enough to be reused."""
    idle = [each for some in list(transport._pool._idle.values()) for each in some]
    latest = time.monotonic() - connection_pool.MIN_IDLE_S
    return len(idle) == count and all(each.idle_since <= latest for each in idle)


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until a condition is met by the watchdog."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "the condition was not met in time"
        time.sleep(0.01)


@pytest.mark.parametrize("tls", [False, True])
def test_a_connection_is_reused(transport: HttpTransport, certificates: Certificates, tls: bool) -> None:
    server = KeepAliveServer(tls=certificates.good if tls else None)
    for _ in range(3):
        send_call(transport, server)
        wait_until(lambda: has_reusable(transport))
    assert [len(requests) for requests in server.served] == [3]
    server.close()


def test_connections_are_not_shared_between_keys(
    transport: HttpTransport, keep_alive_server: KeepAliveServer
) -> None:
    for key in ("one", "two", "one", "two"):
        send_call(transport, keep_alive_server, key)
        wait_until(lambda: has_reusable(transport, len(keep_alive_server.served)))
    assert [b"".join(requests).count(b"one") for requests in keep_alive_server.served] == [2, 0]


def test_a_closed_idle_connection_is_replaced(transport: HttpTransport) -> None:
    server = KeepAliveServer(answers=1)
    for _ in range(3):
        send_call(transport, server)
        assert server.closed.acquire(timeout=10)
    assert [len(requests) for requests in server.served] == [1, 1, 1]
    server.close()


def test_a_request_without_a_byte_sent_uses_a_new_connection(
    transport: HttpTransport, keep_alive_server: KeepAliveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_call(transport, keep_alive_server)
    wait_until(lambda: has_reusable(transport))
    monkeypatch.setattr(connection_pool.Connection, "is_readable", lambda _: False)
    (idle,) = next(iter(transport._pool._idle.values()))
    idle.shut()  # closed after the pool has checked it
    send_call(transport, keep_alive_server)
    assert [len(requests) for requests in keep_alive_server.served] == [1, 1]


def test_a_sent_request_is_not_repeated(transport: HttpTransport, provider: FakeProvider) -> None:
    error = expect_failure(transport, provider, Answer(status=None, steps=[CLOSE]))
    assert isinstance(error, UpstreamError)
    assert error.delivered
    assert len(provider.calls) == 1


def test_idle_connections_are_limited_and_closed(
    transport: HttpTransport, keep_alive_server: KeepAliveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_pool, "MAX_IDLE", 2)
    bodies = [
        transport.post(Call(url=keep_alive_server.url, headers={}, body=b"{}"), CallControl())
        for _ in range(4)
    ]
    for body in bodies:
        body.read()
        body.close(reuse=True)
    assert keep_alive_server.closed.acquire(timeout=10)
    assert keep_alive_server.closed.acquire(timeout=10)
    monkeypatch.setattr(connection_pool, "MAX_IDLE_S", 0.0)
    assert keep_alive_server.closed.acquire(timeout=10)
    assert keep_alive_server.closed.acquire(timeout=10)
    assert transport._pool._idle == {}


@pytest.mark.parametrize("tls", [False, True])
def test_a_stop_reaches_only_the_current_call_of_a_reused_connection(
    context: ssl.SSLContext, certificates: Certificates, tls: bool
) -> None:
    patient = HttpTransport(Timeouts(first_byte_s=30, idle_s=30), context)
    server = KeepAliveServer(tls=certificates.good if tls else None, endless=2)
    first = CallControl()
    body = patient.post(Call(url=server.url, headers={}, body=b"{}"), first)
    body.read()
    body.close(reuse=True)
    wait_until(lambda: has_reusable(patient))
    first.stop()  # the connection serves another call now
    assert not next(iter(patient._pool._idle.values()))[0].is_readable()
    control = CallControl()
    second = patient.post(Call(url=server.url, headers={}, body=b"{}"), control)
    assert len(server.served) == 1
    assert second.read() == b"x"
    control.stop()
    with pytest.raises(Stopped):
        second.read()
    second.close(reuse=False)
    patient.close()
    server.close()


def test_a_connection_with_an_endless_body_is_not_reused(
    transport: HttpTransport, provider: FakeProvider
) -> None:
    provider.play(Answer(steps=[b"x", 30.0]))
    body = transport.post(Call(url=provider.url, headers={}, body=b"{}"), CallControl())
    assert body.read() == b"x"
    body.close(reuse=True)  # the answer is complete, but the body continues
    provider.wait_closed()
    assert transport._pool._idle == {}


def test_file_descriptors_are_released(transport: HttpTransport, provider: FakeProvider) -> None:
    def spare() -> int:
        with socket.socket() as probe:
            return probe.fileno()

    fetch(transport, provider, Answer(steps=[b"x"]))
    before = spare()
    for _ in range(20):
        fetch(transport, provider, Answer(steps=[b"x"]))
    provider.wait_closed()
    assert spare() <= before + 1


def test_a_slow_dns_lookup_is_unreachable(context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def hang(*_: object) -> list[object]:
        release.wait(30)
        return []

    monkeypatch.setattr("socket.getaddrinfo", hang)
    transport = HttpTransport(Timeouts(connect_s=0.2), context)
    call = Call(url="http://slow.example/v1", headers={}, body=b"{}")
    control = CallControl()
    with pytest.raises(AnswerError) as failure:
        transport.post(call, control)
    release.set()
    assert failure.value.code == "upstream_unreachable"  # type: ignore[attr-defined]
    assert not control.delivered


# Resets, compressed bodies and ends.


def read_all(body: Body) -> bytes:
    content = b""
    while not body.ended:
        content += body.read()
    return content


def read_until_broken(transport: HttpTransport, provider: FakeProvider, pause_s: float) -> bytes:
    """Return what arrives before the body breaks off; the first read comes late, when all of it and the reset are there."""
    body = transport.post(Call(url=provider.url, headers={}, body=b"{}"), CallControl())
    content = b""
    time.sleep(pause_s)
    try:
        while not body.ended:
            content += body.read()
    except Interrupted:
        pass
    body.close(reuse=False)
    return content


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("size", [10, 5_000, 60_000, 100_000])
def test_n9_all_that_arrived_before_a_reset_is_returned(
    transport: HttpTransport, certificates: Certificates, tls: bool, size: int
) -> None:
    steps = [b"x" * (size // 5)] * 5
    with FakeProvider(
        Answer(steps=[*steps, 0.05, RESET]), tls=certificates.good if tls else None
    ) as provider:
        for pause_s in (0.0, 0.3):
            assert read_until_broken(transport, provider, pause_s) == b"x" * size


@pytest.mark.parametrize("forever", [[STALL], [0.1, b"x"] * 300])
def test_n11_a_body_can_be_made_to_end_soon(
    context: ssl.SSLContext, provider: FakeProvider, forever: list[Step]
) -> None:
    patient = HttpTransport(Timeouts(first_byte_s=30, idle_s=30), context)
    provider.play(Answer(steps=[b"x", *forever]))
    body = patient.post(Call(url=provider.url, headers={}, body=b"{}"), CallControl())
    body.read()
    began = time.monotonic()
    body.end_within(0.4)
    with pytest.raises(UpstreamError) as failure:
        read_all(body)
    assert (failure.value.code, 0.4 <= time.monotonic() - began < 10) == ("upstream_stalled", True)
    body.close(reuse=True)
    provider.wait_closed()
    patient.close()


def test_n11_an_end_can_be_put_off(transport: HttpTransport, provider: FakeProvider) -> None:
    provider.play(Answer(steps=[b"x", 0.25, b"y"]))
    body = transport.post(Call(url=provider.url, headers={}, body=b"{}"), CallControl())
    body.read()
    body.end_within(0.1)
    body.end_within(math.inf)
    assert body.read() == b"y"
    body.close(reuse=False)


@pytest.mark.parametrize("wait", [True, False])
def test_n12_a_compressed_body_expands_piece_by_piece(
    context: ssl.SSLContext, provider: FakeProvider, wait: bool
) -> None:
    content = b"abc" * 1_000_000
    transport = HttpTransport(Timeouts(), context)
    provider.play(Answer(steps=[gzip.compress(content)], headers={"Content-Encoding": "gzip"}))
    body = transport.post(Call(url=provider.url, headers={}, body=b"{}"), CallControl())
    pieces = []
    while not body.ended:
        pieces.append(body.read(wait=wait))
    assert max(map(len, pieces)) <= 64 * 1024
    assert b"".join(pieces) == content
    body.close(reuse=True)
    transport.close()


def test_n12_a_compressed_body_is_bounded_by_what_it_expands_to(
    context: ssl.SSLContext, provider: FakeProvider
) -> None:
    provider.play(Answer(steps=[gzip.compress(b"x" * 3_000_000)], headers={"Content-Encoding": "gzip"}))
    small = HttpTransport(Timeouts(max_body_bytes=1_000_000), context)
    body = small.post(Call(url=provider.url, headers={}, body=b"{}"), CallControl())
    with pytest.raises(UpstreamError, match="could not be read"):
        read_all(body)
    body.close(reuse=False)
    small.close()


def test_n12_interim_responses_are_bounded(transport: HttpTransport, provider: FakeProvider) -> None:
    endless = (Raw(b"HTTP/1.1 103 Early Hints\r\nLink: </%d>\r\n\r\n" % number) for number in range(100_000))
    provider.play(Answer(status=None, steps=lambda: endless))
    with pytest.raises(UpstreamError):
        fetch(transport, provider)
