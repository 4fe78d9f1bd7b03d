"""The client that calls providers from this process."""

import subprocess
import sys
import threading
import time
from decimal import Decimal

import pytest

from tests.client.conftest import TEXT, WORDS, answer
from tests.support.dialects import openai_delta
from tests.support.fake_provider import FakeProvider
from tests.support.script import CLOSE, STALL, Answer, refusal
from webapp import ModelMessage, ModelRequest, StreamStats, create_provider, create_query_client
from webapp.chat import Usage
from webapp.client import LocalClient
from webapp.errors import ConfigurationError, Interrupted, InvalidRequest, UpstreamError
from webapp.settings import Settings


def test_each_delta_calls_the_callback(local: LocalClient) -> None:
    received: list[tuple[str, str]] = []
    assert local.query_streaming("Hello", lambda delta, full: received.append((delta, full))) == TEXT
    assert [delta for delta, _ in received] == WORDS
    assert [full for _, full in received] == ["".join(WORDS[: count + 1]) for count in range(len(WORDS))]


def test_the_last_response_is_available(local: LocalClient) -> None:
    assert local.query("Hello") == TEXT
    response = local.last_response
    assert response is not None
    assert (response.usage.input_tokens, response.usage.output_tokens) == (7, 60)
    assert not response.usage.estimated
    assert response.cost == Decimal("0.000494")
    assert (response.provider, response.model, response.finish_reason) == ("openai", "gpt-4.1", "stop")


def test_an_exception_in_the_callback_stops_the_provider(local: LocalClient, provider: FakeProvider) -> None:
    class OwnError(Exception):
        pass

    def fail(delta: str, full: str) -> None:
        raise OwnError(delta)

    with pytest.raises(OwnError, match=WORDS[0].strip()):
        local.query_streaming("Hello", fail)
    provider.wait_left()


def test_closing_the_iterator_stops_the_provider(local: LocalClient, provider: FakeProvider) -> None:
    stream = local.stream("Hello")
    assert next(stream) == WORDS[0]
    stream.close()
    stream.close()
    provider.wait_left()
    assert stream.response.finish_reason == "cancelled"


def test_another_thread_can_close_a_silent_stream(local: LocalClient, provider: FakeProvider) -> None:
    provider.play(Answer(steps=[openai_delta("one"), STALL]))
    stream = local.stream("Hello")
    assert next(stream) == "one"
    closer = threading.Timer(0.1, stream.close)
    closer.start()
    assert list(stream) == []
    closer.join(10)
    provider.wait_left()


def test_a_timeout_ends_a_silent_answer(local: LocalClient, provider: FakeProvider) -> None:
    provider.play(Answer(steps=[openai_delta("one"), STALL]))
    with pytest.raises(UpstreamError) as caught:
        local.query("Hello", timeout_s=0.3)
    assert caught.value.code == "upstream_timeout"
    provider.wait_left()


def test_a_timeout_or_a_close_ends_a_backoff(local: LocalClient, provider: FakeProvider) -> None:
    """The client used to sleep for the provider's whole `Retry-After`."""
    provider.play(refusal(429, retry_after="15"))
    settings = Settings.read({"OPENAI_BASE_URL": provider.url + "/v1", "OPENAI_API_KEY": "sk-test"})
    began = time.monotonic()
    with LocalClient(settings=settings) as patient:
        with pytest.raises(UpstreamError) as caught:
            patient.query("Hello", timeout_s=0.3)
        assert caught.value.code == "upstream_timeout"
        stream = patient.stream("Hello")
        closer = threading.Timer(0.3, stream.close)
        closer.start()
        assert list(stream) == []
        closer.join(10)
    assert time.monotonic() - began < 12


def test_a_failure_before_the_first_delta_falls_back_to_a_query(
    local: LocalClient, provider: FakeProvider
) -> None:
    provider.play([refusal(503), answer()])
    received: list[tuple[str, str]] = []
    text = local.query_streaming(
        "Hello", lambda *arguments: received.append(arguments), fallback_to_query=True
    )
    assert text == TEXT
    assert received == [(TEXT, TEXT)]


def test_a_failure_after_the_first_delta_does_not_fall_back(
    local: LocalClient, provider: FakeProvider
) -> None:
    provider.play([Answer(steps=[openai_delta("one"), CLOSE]), answer()])
    with pytest.raises(Interrupted):
        local.query_streaming("Hello", lambda *_: None, fallback_to_query=True)
    assert len(provider.calls) == 1


def test_documents_are_sent_to_the_model(local: LocalClient, provider: FakeProvider) -> None:
    documents = ["The sky is blue.", {"content": "Grass is green.", "metadata": {"source": "grass.txt"}}]
    local.query("What colour is the sky?", documents=documents, system="Be brief.")
    sent = provider.calls[-1].json["messages"]
    assert sent[0] == {"role": "system", "content": "Be brief."}
    told = sent[1]["content"]
    assert '<passage n="1">\nThe sky is blue.\n</passage>' in told
    assert '<passage n="2" file="grass.txt">\nGrass is green.\n</passage>' in told
    assert told.endswith("What colour is the sky?")
    assert local.last_response is not None
    assert [source.source for source in local.last_response.sources] == ["", "grass.txt"]


def test_a_document_without_content_is_refused(local: LocalClient) -> None:
    with pytest.raises(InvalidRequest, match=r"documents\[1\]"):
        local.query("Hello", documents=["fine", {"metadata": {}}])


def test_retrieve_only_returns_nothing_without_an_index(local: LocalClient) -> None:
    assert local.retrieve_only("anything") == []
    assert local.query("Hello", retrieve=True) == TEXT


def test_max_tokens_and_temperature_reach_the_provider(local: LocalClient, provider: FakeProvider) -> None:
    local.query("Hello", max_tokens=77, temperature=0.5, model="gpt-4o-mini")
    sent = provider.calls[-1].json
    assert (sent["max_tokens"], sent["temperature"], sent["model"]) == (77, 0.5, "gpt-4o-mini")


def test_an_empty_query_is_refused_without_a_call(local: LocalClient, provider: FakeProvider) -> None:
    with pytest.raises(InvalidRequest, match="query"):
        local.query("  ")
    assert provider.calls == []


def test_a_key_without_a_url_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="url"):
        create_query_client(key="secret")


def test_a_provider_calls_back_with_the_growing_response() -> None:
    provider = create_provider("mock", delay_ms=0)
    request = ModelRequest(messages=[ModelMessage.user("Hello")], max_tokens=300)
    received: list[tuple[int, int]] = []
    final = provider.stream_with_callback(
        request, lambda _, response: received.append((len(response.content), response.usage.output_tokens))
    )
    assert received == sorted(received)
    assert received[-1][0] == len(final.content)
    assert (final.model, final.provider, final.finish_reason) == ("mock-standard", "mock", "stop")
    assert final.cost == 0
    assert provider.model_name == "mock-standard"


def test_stats_count_tokens_words_and_deltas(local: LocalClient) -> None:
    received: list[str] = []
    stats = StreamStats(lambda delta, _: received.append(delta))
    local.query_streaming("Hello", stats)
    assert received == WORDS
    assert (stats.tokens, stats.estimated, stats.words, stats.deltas) == (60, False, 60, 60)
    assert stats.time_to_first_token_s is not None
    assert stats.tokens_per_second is not None
    assert 60 < stats.tokens_per_second < 240


def test_stats_are_estimates_without_reported_usage() -> None:
    clock = iter([0.0, 1.0, 2.0, 3.0])
    stats = StreamStats(clock=lambda: next(clock))
    stats("one two", "one two")
    stats("three", "one twothree")
    assert stats.estimated
    assert stats.words == 2
    assert stats.time_to_first_token_s == 1.0
    assert str(stats).startswith("about ")


@pytest.mark.parametrize("code", ["import webapp", "import webapp; webapp.__version__"])
def test_importing_the_package_imports_no_dependency(code: str) -> None:
    report = (
        f"{code}\nimport sys\nprint([m for m in ('flask','requests','gevent','msgspec') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, timeout=30)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_client_imports_neither_gevent_nor_flask() -> None:
    code = (
        "import sys\nfrom webapp import create_query_client\n"
        "c = create_query_client('mock', delay_ms=0)\nc.query('hi')\n"
        "print([m for m in ('gevent', 'flask') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.stdout.strip() == "[]", done.stderr


INVALID_OPTIONS = {
    "max_tokens": ({"max_tokens": -5}, "max_tokens must be 1 to 1000000, not -5"),
    "max_tokens of another type": ({"max_tokens": True}, "max_tokens must be a number"),
    "temperature": ({"temperature": "hot"}, "temperature must be a number, not str"),
    "no number": ({"temperature": float("nan")}, "temperature must be 0 to 2"),
    "timeout_s": ({"timeout_s": 0}, "timeout_s must be a number of seconds"),
    "a text for documents": ({"documents": "one"}, "documents must be a sequence"),
    "a number for a document": ({"documents": [5]}, r"documents\[0\] must be"),
    "metadata of another type": ({"documents": [{"content": 5, "metadata": 5}]}, r"documents\[0\] must be"),
}


@pytest.mark.parametrize("name", INVALID_OPTIONS)
def test_an_invalid_option_is_refused_without_a_call(
    local: LocalClient, provider: FakeProvider, name: str
) -> None:
    options, message = INVALID_OPTIONS[name]
    with pytest.raises(InvalidRequest, match=message):
        local.query("Hello", **options)
    assert provider.calls == []


@pytest.mark.parametrize("query", [5, None, [], ["Hello"], [{"role": "user", "content": "Hello"}]])
def test_a_query_of_a_wrong_type_is_refused(
    local: LocalClient, provider: FakeProvider, query: object
) -> None:
    with pytest.raises(InvalidRequest, match=r"^query"):
        local.query(query)  # type: ignore[arg-type]
    assert provider.calls == []


def test_model_request_checks_its_fields() -> None:
    with pytest.raises(InvalidRequest, match=r"messages\[0\]\.role"):
        ModelRequest(messages=[ModelMessage("narrator", "Hello")])  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match="stop must be"):
        ModelRequest(messages=[ModelMessage.user("Hello")], stop="END")  # type: ignore[arg-type]


def test_a_timeout_ends_a_dns_lookup(monkeypatch: pytest.MonkeyPatch) -> None:
    """A DNS lookup cannot be interrupted: the call used to wait for its end."""
    release = threading.Event()

    def hang(*_: object) -> list[object]:
        release.wait(40)
        return []

    monkeypatch.setattr("socket.getaddrinfo", hang)
    settings = Settings.read({"OPENAI_BASE_URL": "http://slow.example/v1", "OPENAI_API_KEY": "sk-test"})
    began = time.monotonic()
    with LocalClient(settings=settings) as client, pytest.raises(UpstreamError) as caught:
        client.query("Hello", timeout_s=0.3)
    release.set()
    assert caught.value.code == "upstream_timeout"
    assert time.monotonic() - began < 20
    assert client.last_response is not None
    assert client.last_response.usage == Usage()  # the request was never sent
