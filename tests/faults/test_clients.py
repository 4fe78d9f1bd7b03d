"""Other clients: OpenAI's library, and a naive reader of lines."""

import asyncio
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest
import requests

from tests.faults.answers import answered
from tests.support import dialects
from tests.support.dialects import DONE, openai_delta, openai_finish
from tests.support.fake_provider import FakeProvider
from tests.support.script import STALL, Answer, Step, refusal
from tests.support.server import Server
from tests.support.sse import SseReader

HEARTBEAT_S = 0.4
QUESTION = [{"role": "user", "content": "hello"}]
PIECES = ["Hé", "llo ", "th", "ere 😀\n", "data: x\n\n"]
TEXT = "".join(PIECES)


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {"FRESHET_HEARTBEAT_S": str(HEARTBEAT_S), "FRESHET_RETRIES": "0"}


def hesitant() -> Iterator[Step]:
    """Yield an answer with pauses of several heartbeats, before and after the first delta."""
    yield HEARTBEAT_S * 4
    yield openai_delta(PIECES[0])
    yield HEARTBEAT_S * 4
    yield from (openai_delta(piece) for piece in PIECES[1:])
    yield from openai_finish(usage=(3, 5))
    yield DONE


@pytest.fixture
def client(server: Server) -> Iterator[openai.OpenAI]:
    """OpenAI's client for our server, without retries."""
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0, timeout=20) as made:
        yield made


def test_openai_streaming(client: openai.OpenAI, provider: FakeProvider) -> None:
    provider.play(Answer(steps=hesitant))
    options = {"include_usage": True}
    with client.chat.completions.create(
        model="gpt-4.1", messages=QUESTION, stream=True, stream_options=options
    ) as stream:
        chunks = list(stream)
    choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
    assert "".join(choice.delta.content or "" for choice in choices) == TEXT
    assert choices[0].delta.role == "assistant"
    assert [choice.finish_reason for choice in choices if choice.finish_reason] == ["stop"]
    assert {(chunk.id, chunk.object) for chunk in chunks} == {(chunks[0].id, "chat.completion.chunk")}
    usage = [chunk.usage for chunk in chunks if chunk.usage]
    assert [(each.prompt_tokens, each.completion_tokens, each.total_tokens) for each in usage] == [(3, 5, 8)]
    assert len(provider.calls) == 1


def test_openai_whole(client: openai.OpenAI, provider: FakeProvider) -> None:
    provider.play(Answer(steps=hesitant))
    whole = client.chat.completions.create(
        model="gpt-4.1", messages=QUESTION, max_completion_tokens=50, temperature=0.2, seed=7, stop=["END"]
    )
    assert whole.choices[0].message.content == TEXT
    assert (whole.choices[0].finish_reason, whole.object) == ("stop", "chat.completion")
    assert whole.usage is not None
    assert whole.usage.total_tokens == 8
    asked = provider.calls[0].json
    assert (asked["temperature"], asked["seed"], asked["stop"]) == (0.2, 7, ["END"])
    assert 50 in (asked.get("max_tokens"), asked.get("max_completion_tokens"))


def test_openai_repeats_a_call_that_is_made_once(client: openai.OpenAI, provider: FakeProvider) -> None:
    provider.play(Answer(steps=hesitant))
    key = {"Idempotency-Key": "one-and-the-same"}
    texts = [
        client.chat.completions.create(model="gpt-4.1", messages=QUESTION, extra_headers=key)
        .choices[0]
        .message.content
        for _ in range(2)
    ]
    assert texts == [TEXT, TEXT]
    assert len(provider.calls) == 1


def test_openai_async(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=hesitant))

    async def ask_both() -> tuple[str, str | None]:
        address = f"{server.url}/v1"
        async with openai.AsyncOpenAI(base_url=address, api_key="none", max_retries=0, timeout=20) as client:
            stream = await client.chat.completions.create(model="gpt-4.1", messages=QUESTION, stream=True)
            text = "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])
            whole = await client.chat.completions.create(model="gpt-4.1", messages=QUESTION)
            return text, whole.choices[0].message.content

    with ThreadPoolExecutor(1) as fresh:  # a browser's driver may have left a loop in this thread
        assert fresh.submit(lambda: asyncio.run(ask_both())).result(60) == (TEXT, TEXT)


def test_openai_lists_models(client: openai.OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert names
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, openai.APIStatusError), (429, openai.RateLimitError), (404, openai.APIStatusError)],
)
@pytest.mark.parametrize("stream", [False, True])
def test_openai_sees_an_early_failure_as_a_status(
    client: openai.OpenAI,
    provider: FakeProvider,
    status: int,
    kind: type[openai.APIStatusError],
    stream: bool,
) -> None:
    provider.play(refusal(status, {"error": {"message": "secret words"}}))
    with pytest.raises(kind) as caught:
        client.chat.completions.create(model="gpt-4.1", messages=QUESTION, stream=stream)
    assert 400 <= caught.value.status_code < 600
    assert "secret words" not in str(caught.value)
    assert set(caught.value.body) == {"message", "type", "param", "code"}
    assert str(caught.value.code).startswith("upstream_")


def test_openai_sees_a_late_failure_as_an_error(client: openai.OpenAI, provider: FakeProvider) -> None:
    provider.play(Answer(steps=(*[openai_delta(piece) for piece in PIECES], 0.2)))
    seen: list[str] = []

    def read() -> None:
        with client.chat.completions.create(model="gpt-4.1", messages=QUESTION, stream=True) as stream:
            for chunk in stream:
                seen.extend(choice.delta.content or "" for choice in chunk.choices)

    with pytest.raises(openai.APIError) as caught:
        read()
    assert "".join(seen) == TEXT
    assert caught.value.code == "interrupted"


def test_a_client_that_leaves_stops_the_run(
    client: openai.OpenAI, server: Server, provider: FakeProvider
) -> None:
    provider.play(Answer(steps=(openai_delta("Hello"), STALL)))
    with client.chat.completions.create(model="gpt-4.1", messages=QUESTION, stream=True) as stream:
        for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                break
    watch = server.stopwatch()
    provider.wait_closed()
    assert watch.busy_s < 2


@pytest.mark.parametrize(
    ("field", "value"), [("n", 2), ("tools", [{"type": "function", "function": {"name": "f"}}])]
)
def test_openai_gets_an_error_for_what_is_not_supported(
    client: openai.OpenAI, provider: FakeProvider, field: str, value: object
) -> None:
    provider.play(Answer(steps=hesitant))
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="gpt-4.1", messages=QUESTION, **{field: value})
    assert caught.value.param == field
    assert not provider.calls


class Notebook:
    """Parse as the simplest notebooks do: a line is JSON after an optional `data: `, or printed raw."""

    def __init__(self, url: str) -> None:
        self.text, self.raw, self.times = "", [], []
        body = {"model": "gpt-4.1", "prompt": "hello", "max_tokens": 64, "temperature": 0.5, "stream": True}
        with requests.post(f"{url}/chat/completions", json=body, stream=True, timeout=20) as reply:
            assert reply.status_code == 200, reply.text
            for line in reply.iter_lines():
                if line:
                    self._read(line.decode())

    def _read(self, line: str) -> None:
        payload = line.removeprefix("data: ")
        if payload == "[DONE]":
            return
        try:
            chunk = json.loads(payload)
        except ValueError:
            self.raw.append(line)
            return
        self.times.append(time.monotonic())
        self.text += (
            chunk["choices"][0].get("delta", {}).get("content") or chunk["choices"][0].get("text") or ""
        )


@pytest.mark.parametrize("base", ["", "/v1"])
def test_a_naive_reader_prints_nothing_raw(server: Server, provider: FakeProvider, base: str) -> None:
    provider.play(Answer(steps=hesitant))
    notebook = Notebook(server.url + base)
    assert (notebook.text, notebook.raw) == (TEXT, [])
    gaps = [after - before for before, after in zip(notebook.times, notebook.times[1:], strict=False)]
    assert max(gaps) < HEARTBEAT_S * 2, gaps
    asked = provider.calls[0].json
    assert asked["messages"] == [{"role": "user", "content": "hello"}]


def test_a_naive_reader_of_the_stream_endpoint(server: Server, provider: FakeProvider) -> None:
    """Each `data:` line of /stream is one JSON object."""
    provider.play(Answer(steps=hesitant))
    with requests.post(f"{server.url}/stream", json={"query": "x"}, stream=True, timeout=20) as reply:
        lines = [line.decode() for line in reply.iter_lines() if line.startswith(b"data: ")]
    frames = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert "".join(frame.get("text", "") for frame in frames) == TEXT


def test_the_older_format_is_read(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=dialects.openai_text(PIECES)))
    assert Notebook(server.url).text == TEXT
    with SseReader(server.address, body={"query": "x"}) as reader:
        assert answered(reader, reader.read_to_end()).text == TEXT
