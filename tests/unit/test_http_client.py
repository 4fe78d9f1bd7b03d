"""The transport that all providers share, against a provider on a real local socket."""

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.certs import Certificates
from tests.support.fake_provider import FakeProvider, closed_port
from tests.support.script import CLOSE, RESET, STALL, Answer, Raw, refusal
from tests.unit.splits import cuts
from webapp.errors import AnswerError, Interrupted, Stopped, UpstreamError
from webapp.providers.base import FreeControl
from webapp.providers.http import connections
from webapp.providers.http.client import HttpTransport, Timeouts, trust
from webapp.seams import Call

KEY = "sk-canary-0123456789"
TEXT = "naïve 你好 👩‍🚀".encode()
QUICK = Timeouts(connect_s=2.0, first_byte_s=0.4, idle_s=0.4, max_body_bytes=200_000)


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as fake:
        yield fake


@pytest.fixture(scope="module")
def context(certificates: Certificates) -> ssl.SSLContext:
    return trust(str(certificates.ca_file))


@pytest.fixture
def transport(context: ssl.SSLContext) -> Iterator[HttpTransport]:
    made = HttpTransport(QUICK, context)
    yield made
    made.close()


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
    body = transport.post(call, FreeControl())
    content = b""
    try:
        while not body.ended:
            content += body.read()
    except BaseException:
        body.close(reuse=False)
        raise
    body.close(reuse=True)
    return content


def fails(transport: HttpTransport, provider: FakeProvider, answer: Answer) -> AnswerError:
    with pytest.raises(AnswerError) as failure:
        fetch(transport, provider, answer)
    provider.wait_closed()
    assert KEY not in str(vars(failure.value))
    return failure.value


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
def test_a_body_in_each_of_http_s_three_ways(
    transport: HttpTransport, provider: FakeProvider, framing: str
) -> None:
    answer = Answer(steps=[TEXT, TEXT[:5], TEXT[5:]], framing=framing)  # type: ignore[arg-type]
    assert fetch(transport, provider, answer) == TEXT * 2
    (call,) = provider.calls
    assert (call.method, call.path, call.body) == ("POST", "/v1", b'{"q":1}')
    assert call.headers["authorization"] == f"Bearer {KEY}"
    assert call.headers["accept-encoding"] == "identity"
    assert "cookie" not in call.headers


def test_a_body_cut_anywhere_in_its_head_or_its_chunks(
    transport: HttpTransport, provider: FakeProvider
) -> None:
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    ways = list(cuts(raw, 1))[1::9]
    for pieces in ways:
        steps = [step for piece in pieces for step in (Raw(piece), 0.001)]
        assert fetch(transport, provider, Answer(status=None, steps=steps)) == b"hello"


def test_cookies_are_not_kept(transport: HttpTransport, provider: FakeProvider) -> None:
    fetch(transport, provider, Answer(steps=[b"x"], headers={"Set-Cookie": "track=canary; Path=/"}))
    fetch(transport, provider)
    assert "cookie" not in provider.calls[-1].headers


def test_the_environment_s_proxy_is_not_used(
    context: ssl.SSLContext, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    made = HttpTransport(QUICK, context)
    assert fetch(made, provider, Answer(steps=[b"x"])) == b"x"
    made.close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
def test_a_redirect_is_refused_and_the_key_goes_nowhere(
    transport: HttpTransport, provider: FakeProvider, status: int, framing: str
) -> None:
    with FakeProvider() as elsewhere:
        error = fails(
            transport,
            provider,
            Answer(status=status, headers={"Location": elsewhere.url}, steps=[b"moved"], framing=framing),  # type: ignore[arg-type]
        )
        assert (error.code, error.retryable) == ("upstream_redirect", False)
        assert elsewhere.calls == []


def test_a_compressed_answer_is_refused(transport: HttpTransport, provider: FakeProvider) -> None:
    bomb = gzip.compress(b"\0" * 1_000_000)
    error = fails(transport, provider, Answer(steps=[bomb], headers={"Content-Encoding": "gzip"}))
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
def test_a_failure_has_its_code(
    transport: HttpTransport, provider: FakeProvider, answer: Answer, code: str
) -> None:
    assert fails(transport, provider, answer).code == code


@pytest.mark.parametrize(("status", "code"), [(500, "upstream_overloaded"), (307, "upstream_redirect")])
def test_of_an_error_only_the_beginning_is_read(
    transport: HttpTransport, provider: FakeProvider, status: int, code: str
) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 65_536

    headers = {"Location": "http://127.0.0.1:9/"} if status == 307 else {}
    assert fails(transport, provider, Answer(status=status, steps=endless, headers=headers)).code == code
    assert provider.calls[0].sent_bytes < 20_000_000


def test_nobody_listens(transport: HttpTransport) -> None:
    call = Call(url=f"http://127.0.0.1:{closed_port()}/v1", headers={}, body=b"{}")
    with pytest.raises(UpstreamError) as failure:
        transport.post(call, FreeControl())
    assert failure.value.code == "upstream_unreachable"


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 70 + ".example", "..", "[::2]x"])
def test_a_name_that_does_not_resolve(transport: HttpTransport, host: str) -> None:
    with pytest.raises(UpstreamError) as failure:
        transport.post(Call(url=f"http://{host}/", headers={}, body=b""), FreeControl())
    assert failure.value.code == "upstream_unreachable"


# TLS.


def test_many_small_records_are_all_read(transport: HttpTransport, certificates: Certificates) -> None:
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


def test_plain_http_where_tls_was_meant(context: ssl.SSLContext, provider: FakeProvider) -> None:
    hasty = HttpTransport(Timeouts(connect_s=0.3), context)
    call = Call(url=provider.url.replace("http:", "https:"), headers={}, body=b"{}")
    with pytest.raises(UpstreamError) as failure:
        hasty.post(call, FreeControl())
    assert failure.value.code in ("upstream_tls", "upstream_timeout", "upstream_unreachable")
    hasty.close()


# Stopping.


@pytest.mark.parametrize("tls", [False, True])
def test_a_stop_shuts_a_silent_socket(context: ssl.SSLContext, certificates: Certificates, tls: bool) -> None:
    patient = HttpTransport(Timeouts(first_byte_s=30, idle_s=30), context)
    control, reached = FreeControl(), threading.Event()
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
        assert reached.wait(5)
        control.stop()
        thread.join(2)
        assert not thread.is_alive()
        provider.wait_closed(2)
    assert len(failures) == 1
    patient.close()


def test_a_call_that_is_stopped_already_is_not_sent(transport: HttpTransport, provider: FakeProvider) -> None:
    control = FreeControl()
    control.stop()
    with pytest.raises(Stopped):
        transport.post(Call(url=provider.url, headers={}, body=b""), control)
    assert provider.calls == []


def test_leaving_early_closes_the_connection(transport: HttpTransport, provider: FakeProvider) -> None:
    provider.play(Answer(steps=[b"x", STALL]))
    body = transport.post(Call(url=provider.url, headers={}, body=b"{}"), FreeControl())
    assert body.read() == b"x"
    assert body.read(wait=False) == b""
    body.close(reuse=False)
    provider.wait_closed(2)


def test_a_clean_end_and_an_interrupted_one_are_told_apart(
    transport: HttpTransport, provider: FakeProvider
) -> None:
    assert fetch(transport, provider, Answer(steps=[b"x"])) == b"x"
    assert isinstance(fails(transport, provider, Answer(steps=[b"x", CLOSE])), Interrupted)


# Reusing connections.


class KeepingServer:
    """Answers requests on connections that it keeps open; `served` holds the requests of each, in order."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, answers: int = 100, endless: int = 100) -> None:
        self._tls = tls
        self._endless = endless  # the request whose answer has no end
        self._answers = answers  # on one connection; then it is closed
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
            pass  # the client has left
        sock.close()
        self.closed.release()


@pytest.fixture
def keeping() -> Iterator[KeepingServer]:
    server = KeepingServer()
    yield server
    server.close()


def ask(transport: HttpTransport, server: KeepingServer, key: str = KEY) -> None:
    body = transport.post(Call(url=server.url, headers={"x-api-key": key}, body=b"{}"), FreeControl())
    assert body.read() == b"x"
    body.close(reuse=True)


def has_idle(transport: HttpTransport, count: int = 1) -> bool:
    """Whether so many connections have been idle for long enough to be used again."""
    idle = [each for some in list(transport._pool._idle.values()) for each in some]
    latest = time.monotonic() - connections.MIN_IDLE_S
    return len(idle) == count and all(each.idle_since <= latest for each in idle)


def until(met: Callable[[], bool]) -> None:
    """Wait for what the watchdog does by itself."""
    deadline = time.monotonic() + 5
    while not met():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@pytest.mark.parametrize("tls", [False, True])
def test_a_connection_is_used_again(transport: HttpTransport, certificates: Certificates, tls: bool) -> None:
    server = KeepingServer(tls=certificates.good if tls else None)
    for _ in range(3):
        ask(transport, server)
        until(lambda: has_idle(transport))
    assert [len(requests) for requests in server.served] == [3]
    server.close()


def test_two_keys_never_share_a_connection(transport: HttpTransport, keeping: KeepingServer) -> None:
    for key in ("one", "two", "one", "two"):
        ask(transport, keeping, key)
        until(lambda: has_idle(transport, len(keeping.served)))
    assert [b"".join(requests).count(b"one") for requests in keeping.served] == [2, 0]


def test_a_connection_that_was_closed_meanwhile_is_replaced(transport: HttpTransport) -> None:
    server = KeepingServer(answers=1)
    for _ in range(3):
        ask(transport, server)
        assert server.closed.acquire(timeout=5)
    assert [len(requests) for requests in server.served] == [1, 1, 1]
    server.close()


def test_a_request_of_which_no_byte_was_sent_goes_to_a_new_connection(
    transport: HttpTransport, keeping: KeepingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(transport, keeping)
    until(lambda: has_idle(transport))
    monkeypatch.setattr(connections.Connection, "has_news", lambda _: False)
    (idle,) = next(iter(transport._pool._idle.values()))
    idle.shut()  # closed at the last moment, unseen
    ask(transport, keeping)
    assert [len(requests) for requests in keeping.served] == [1, 1]


def test_a_request_that_was_sent_is_not_sent_again(transport: HttpTransport, provider: FakeProvider) -> None:
    error = fails(transport, provider, Answer(status=None, steps=[CLOSE]))
    assert isinstance(error, UpstreamError)
    assert error.taken
    assert len(provider.calls) == 1


def test_idle_connections_are_few_and_are_closed(
    transport: HttpTransport, keeping: KeepingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MAX_IDLE", 2)
    bodies = [transport.post(Call(url=keeping.url, headers={}, body=b"{}"), FreeControl()) for _ in range(4)]
    for body in bodies:
        body.read()
        body.close(reuse=True)
    assert keeping.closed.acquire(timeout=5)
    assert keeping.closed.acquire(timeout=5)
    monkeypatch.setattr(connections, "MAX_IDLE_S", 0.0)
    assert keeping.closed.acquire(timeout=5)
    assert keeping.closed.acquire(timeout=5)
    assert transport._pool._idle == {}


@pytest.mark.parametrize("tls", [False, True])
def test_a_connection_that_is_used_again_can_be_stopped(
    context: ssl.SSLContext, certificates: Certificates, tls: bool
) -> None:
    patient = HttpTransport(Timeouts(first_byte_s=30, idle_s=30), context)
    server = KeepingServer(tls=certificates.good if tls else None, endless=2)
    first = FreeControl()
    body = patient.post(Call(url=server.url, headers={}, body=b"{}"), first)
    body.read()
    body.close(reuse=True)
    until(lambda: has_idle(patient))
    first.stop()  # too late to stop anything
    assert not next(iter(patient._pool._idle.values()))[0].has_news()
    control = FreeControl()
    second = patient.post(Call(url=server.url, headers={}, body=b"{}"), control)
    assert len(server.served) == 1
    assert second.read() == b"x"
    control.stop()
    with pytest.raises(Stopped):
        second.read()
    second.close(reuse=False)
    patient.close()
    server.close()


def test_an_answer_that_was_not_read_to_its_end_leaves_no_connection(
    transport: HttpTransport, provider: FakeProvider
) -> None:
    provider.play(Answer(steps=[b"x", 30.0]))
    body = transport.post(Call(url=provider.url, headers={}, body=b"{}"), FreeControl())
    assert body.read() == b"x"
    body.close(reuse=True)  # its last words were read, but the body goes on
    provider.wait_closed(4)
    assert transport._pool._idle == {}


def test_descriptors_come_back(transport: HttpTransport, provider: FakeProvider) -> None:
    def spare() -> int:
        with socket.socket() as probe:
            return probe.fileno()

    fetch(transport, provider, Answer(steps=[b"x"]))
    before = spare()
    for _ in range(20):
        fetch(transport, provider, Answer(steps=[b"x"]))
    provider.wait_closed()
    assert spare() <= before + 1


def test_a_name_that_is_looked_up_for_too_long(
    context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()

    def hang(*_: object) -> list[object]:
        release.wait(30)
        return []

    monkeypatch.setattr("socket.getaddrinfo", hang)
    transport = HttpTransport(Timeouts(connect_s=0.2), context)
    call = Call(url="http://slow.example/v1", headers={}, body=b"{}")
    control = FreeControl()
    with pytest.raises(AnswerError) as failure:
        transport.post(call, control)
    release.set()
    assert failure.value.code == "upstream_unreachable"  # type: ignore[attr-defined]
    assert not control.taken
