"""Providers that cannot be reached, and certificates that are not valid (docs/faults.md, U1 to U3)."""

import contextlib
from collections.abc import Iterator, Mapping

import pytest

from tests.faults.answers import KEY, SECRET_KEY, ask
from tests.support.certs import Certificates
from tests.support.companion import Companion
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider, closed_port
from tests.support.script import CLOSE, RESET, Answer, End
from tests.support.server import Server

GOOD = Answer(steps=openai(["Hello"]))


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Return the settings of this file's server, whose provider hangs up; other tests start their own servers."""
    return {"FRESHET_CONNECT_S": "2"}


@contextlib.contextmanager
def watched(companion: Companion, env: Mapping[str, str]) -> Iterator[Server]:
    """Start another server, and move the companion to it."""
    common = {"OLLAMA_HOST": companion.url, "OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY}
    common |= {"FRESHET_CONNECT_S": "2", "FRESHET_PROVIDER": "openai"}
    with Server(common | env, secrets=(KEY, SECRET_KEY)) as server:
        companion.start(server)
        try:
            yield server
        finally:
            companion.pace().check()
            companion.leave()


def test_u1_a_refused_connection(server: Server, companion: Companion) -> None:
    companion.leave()  # it moves to the other server and back
    with watched(companion, {"OPENAI_BASE_URL": f"http://127.0.0.1:{closed_port()}/v1"}) as other:
        answer = ask(other)
        assert (answer.code, answer.text) == ("upstream_unreachable", "")
        assert answer.terminal["retryable"]
        assert not answer.terminal["partial"]
        assert answer.headers_s < 1
        assert answer.busy_s < 10
    companion.start(server)


@pytest.mark.parametrize("way", [CLOSE, RESET])
def test_u1_a_call_that_was_sent_is_not_repeated(server: Server, provider: FakeProvider, way: End) -> None:
    """The provider may be working on it, and charge for it, although the connection broke before the response."""
    provider.play([Answer(status=None, steps=(way,)), GOOD])
    answer = ask(server)
    assert (answer.code, answer.text, len(provider.calls)) == ("upstream_unreachable", "", 1)
    assert answer.terminal["retryable"]


def test_u2_a_name_that_does_not_resolve(server: Server, companion: Companion) -> None:
    companion.leave()
    with watched(companion, {"OPENAI_BASE_URL": "http://no-such-provider.invalid/v1"}) as other:
        answer = ask(other)
        assert answer.code == "upstream_unreachable"
        assert "no-such-provider" not in answer.terminal["error"]
        assert answer.busy_s < 15
    companion.start(server)


@pytest.mark.parametrize("kind", ["expired", "untrusted", "wrong_name"])
def test_u3_a_bad_certificate(
    server: Server, companion: Companion, certificates: Certificates, kind: str
) -> None:
    companion.leave()
    with FakeProvider(GOOD, tls=getattr(certificates, kind)) as provider:
        env = {"OPENAI_BASE_URL": f"{provider.url}/v1", "SSL_CERT_FILE": str(certificates.ca_file)}
        with watched(companion, env) as other:
            answer = ask(other)
            assert answer.code == "upstream_tls"
            assert not answer.terminal["retryable"]
            assert not provider.calls
            assert answer.busy_s < 3
            provider.wait_closed()
    companion.start(server)


def test_a_valid_certificate_is_accepted(
    server: Server, companion: Companion, certificates: Certificates
) -> None:
    companion.leave()
    with FakeProvider(GOOD, tls=certificates.good) as provider:
        env = {"OPENAI_BASE_URL": f"{provider.url}/v1", "SSL_CERT_FILE": str(certificates.ca_file)}
        with watched(companion, env) as other:
            answer = ask(other)
            assert (answer.code, answer.text) == (None, "Hello")
    companion.start(server)
