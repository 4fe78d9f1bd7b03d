"""The client in this process: plain threads, a callback a delta, and nothing left behind."""

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


def test_streams_a_delta_a_callback(local: LocalClient) -> None:
    seen: list[tuple[str, str]] = []
    assert local.query_streaming("Hello", lambda delta, full: seen.append((delta, full))) == TEXT
    assert [delta for delta, _ in seen] == WORDS
    assert [full for _, full in seen] == ["".join(WORDS[: count + 1]) for count in range(len(WORDS))]


def test_keeps_the_last_response(local: LocalClient) -> None:
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
    provider.wait_closed(2)


def test_closing_the_iterator_stops_the_provider(local: LocalClient, provider: FakeProvider) -> None:
    stream = local.stream("Hello")
    assert next(stream) == WORDS[0]
    stream.close()
    stream.close()
    provider.wait_closed(2)
    assert stream.response.finish_reason == "cancelled"


def test_another_thread_may_close_while_the_provider_is_silent(
    local: LocalClient, provider: FakeProvider
) -> None:
    provider.play(Answer(steps=[openai_delta("one"), STALL]))
    stream = local.stream("Hello")
    assert next(stream) == "one"
    closer = threading.Timer(0.1, stream.close)
    closer.start()
    assert list(stream) == []
    closer.join(5)
    provider.wait_closed(2)


def test_a_timeout_ends_a_silent_answer(local: LocalClient, provider: FakeProvider) -> None:
    provider.play(Answer(steps=[openai_delta("one"), STALL]))
    with pytest.raises(UpstreamError) as caught:
        local.query("Hello", timeout_s=0.3)
    assert caught.value.code == "upstream_timeout"
    provider.wait_closed(2)


def test_a_timeout_and_a_close_end_a_backoff(local: LocalClient, provider: FakeProvider) -> None:
    """The wait that a provider asked for was slept to its end."""
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
        closer.join(5)
    assert time.monotonic() - began < 5


def test_falls_back_to_a_query_before_the_first_delta(local: LocalClient, provider: FakeProvider) -> None:
    provider.play([refusal(503), answer()])
    seen: list[tuple[str, str]] = []
    text = local.query_streaming("Hello", lambda *said: seen.append(said), fallback_to_query=True)
    assert text == TEXT
    assert seen == [(TEXT, TEXT)]


def test_does_not_fall_back_after_it(local: LocalClient, provider: FakeProvider) -> None:
    provider.play([Answer(steps=[openai_delta("one"), CLOSE]), answer()])
    with pytest.raises(Interrupted):
        local.query_streaming("Hello", lambda *_: None, fallback_to_query=True)
    assert len(provider.calls) == 1


def test_documents_go_to_the_model(local: LocalClient, provider: FakeProvider) -> None:
    documents = ["The sky is blue.", {"content": "Grass is green.", "metadata": {"source": "grass.txt"}}]
    local.query("What colour is the sky?", documents=documents, system="Be brief.")
    sent = provider.calls[-1].json["messages"]
    assert [message["role"] for message in sent] == ["system", "system", "user"]
    assert "[1]\nThe sky is blue." in sent[1]["content"]
    assert "[2] grass.txt\nGrass is green." in sent[1]["content"]


def test_a_document_without_content_is_named(local: LocalClient) -> None:
    with pytest.raises(InvalidRequest, match=r"documents\[1\]"):
        local.query("Hello", documents=["fine", {"metadata": {}}])


def test_retrieve_only_is_empty_until_there_is_an_index(local: LocalClient) -> None:
    assert local.retrieve_only("anything") == []
    assert local.query("Hello", retrieve=True) == TEXT


def test_max_tokens_and_temperature_reach_the_provider(local: LocalClient, provider: FakeProvider) -> None:
    local.query("Hello", max_tokens=77, temperature=0.5, model="gpt-4o-mini")
    sent = provider.calls[-1].json
    assert (sent["max_tokens"], sent["temperature"], sent["model"]) == (77, 0.5, "gpt-4o-mini")


def test_an_empty_question_reaches_nobody(local: LocalClient, provider: FakeProvider) -> None:
    with pytest.raises(InvalidRequest, match="query"):
        local.query("  ")
    assert provider.calls == []


def test_a_key_without_an_address_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="url"):
        create_query_client(key="secret")


def test_a_provider_streams_with_a_callback_that_sees_the_response_grow() -> None:
    provider = create_provider("mock", delay_ms=0)
    request = ModelRequest(messages=[ModelMessage.user("Hello")], max_tokens=300)
    seen: list[tuple[int, int]] = []
    final = provider.stream_with_callback(
        request, lambda _, response: seen.append((len(response.content), response.usage.output_tokens))
    )
    assert seen == sorted(seen)
    assert seen[-1][0] == len(final.content)
    assert (final.model, final.provider, final.finish_reason) == ("mock-standard", "mock", "stop")
    assert final.cost == 0
    assert provider.model_name == "mock-standard"


def test_stats_count_what_streams(local: LocalClient) -> None:
    seen: list[str] = []
    stats = StreamStats(lambda delta, _: seen.append(delta))
    local.query_streaming("Hello", stats)
    assert seen == WORDS
    assert (stats.tokens, stats.estimated, stats.words, stats.deltas) == (60, False, 60, 60)
    assert stats.time_to_first_token_s is not None
    assert stats.tokens_per_second is not None
    assert 60 < stats.tokens_per_second < 240


def test_stats_say_that_they_guess() -> None:
    clock = iter([0.0, 1.0, 2.0, 3.0])
    stats = StreamStats(clock=lambda: next(clock))
    stats("one two", "one two")
    stats("three", "one twothree")
    assert stats.estimated
    assert stats.words == 2
    assert stats.time_to_first_token_s == 1.0
    assert str(stats).startswith("about ")


@pytest.mark.parametrize("code", ["import webapp", "import webapp; webapp.__version__"])
def test_importing_the_package_loads_nothing_heavy(code: str) -> None:
    report = (
        f"{code}\nimport sys\nprint([m for m in ('flask','requests','gevent','msgspec') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, timeout=30)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_client_does_not_need_gevent_or_flask() -> None:
    code = (
        "import sys\nfrom webapp import create_query_client\n"
        "c = create_query_client('mock', delay_ms=0)\nc.query('hi')\n"
        "print([m for m in ('gevent', 'flask') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.stdout.strip() == "[]", done.stderr


WRONG = {
    "max_tokens": ({"max_tokens": -5}, "max_tokens must be 1 to 1000000, not -5"),
    "max_tokens of another type": ({"max_tokens": True}, "max_tokens must be a number"),
    "temperature": ({"temperature": "hot"}, "temperature must be a number, not str"),
    "no number": ({"temperature": float("nan")}, "temperature must be 0 to 2"),
    "timeout_s": ({"timeout_s": 0}, "timeout_s must be seconds"),
    "a text for documents": ({"documents": "one"}, "documents must be a sequence"),
    "a number for a document": ({"documents": [5]}, r"documents\[0\] must be"),
    "metadata of another type": ({"documents": [{"content": 5, "metadata": 5}]}, r"documents\[0\] must be"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named_and_reaches_nobody(
    local: LocalClient, provider: FakeProvider, name: str
) -> None:
    options, message = WRONG[name]
    with pytest.raises(InvalidRequest, match=message):
        local.query("Hello", **options)
    assert provider.calls == []


@pytest.mark.parametrize("query", [5, None, [], ["Hello"], [{"role": "user", "content": "Hello"}]])
def test_what_is_no_question_is_named(local: LocalClient, provider: FakeProvider, query: object) -> None:
    with pytest.raises(InvalidRequest, match=r"^query"):
        local.query(query)  # type: ignore[arg-type]
    assert provider.calls == []


def test_a_request_of_one_s_own_is_checked_too() -> None:
    with pytest.raises(InvalidRequest, match=r"messages\[0\]\.role"):
        ModelRequest(messages=[ModelMessage("narrator", "Hello")])  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match="stop must be"):
        ModelRequest(messages=[ModelMessage.user("Hello")], stop="END")  # type: ignore[arg-type]


def test_a_timeout_ends_the_lookup_of_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can interrupt a resolver: the call waited for as long as it liked."""
    release = threading.Event()

    def hang(*_: object) -> list[object]:
        release.wait(30)
        return []

    monkeypatch.setattr("socket.getaddrinfo", hang)
    settings = Settings.read({"OPENAI_BASE_URL": "http://slow.example/v1", "OPENAI_API_KEY": "sk-test"})
    began = time.monotonic()
    with LocalClient(settings=settings) as client, pytest.raises(UpstreamError) as caught:
        client.query("Hello", timeout_s=0.3)
    release.set()
    assert caught.value.code == "upstream_timeout"
    assert time.monotonic() - began < 5
    assert client.last_response is not None
    assert client.last_response.usage == Usage()  # nobody was asked
