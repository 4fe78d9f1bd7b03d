"""`logprobs` at the OpenAI-compatible endpoints: asked of the provider, and returned in OpenAI's form."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionChunk

from tests.support.dialects import DONE, openai_delta, openai_finish, sse
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer, Call
from tests.support.server import Server

HI: Any = {"role": "user", "content": "hi"}
WORDS = ["Hel", "lo ", "wörld", " 👍"]


def token(text: str, count: int = 2) -> dict[str, Any]:
    """Return one token in OpenAI's form."""
    raw = list(text.encode())
    others = [{"token": text, "logprob": -0.5 - n, "bytes": raw} for n in range(count)]
    return {"token": text, "logprob": -0.5, "bytes": raw, "top_logprobs": others}


def chunk(text: str, logprobs: object, field: str = "content") -> bytes:
    """Return a chunk with the probabilities of its tokens."""
    return sse({"choices": [{"index": 0, "delta": {field: text}, "logprobs": logprobs}]})


def streamed(*words: str) -> list[bytes]:
    """Return an answer with one token in each chunk."""
    tokens = [chunk(word, {"content": [token(word)], "refusal": None}) for word in words]
    return [openai_delta("", role="assistant"), *tokens, *openai_finish(), DONE]


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as fake:
        yield fake


@pytest.fixture(scope="module")
def server(provider: FakeProvider) -> Iterator[Server]:
    env = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": f"{provider.url}/v1", "FRESHET_PROVIDER": "openai"}
    with Server(env) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[OpenAI]:
    with OpenAI(api_key="k", base_url=f"{server.url}/v1", max_retries=0) as made:
        yield made


def tokens_of(chunks: list[ChatCompletionChunk]) -> list[dict[str, Any]]:
    """Return the tokens of a streamed answer."""
    found = [each.choices[0].logprobs for each in chunks if each.choices]
    return [one.model_dump() for logprobs in found if logprobs for one in logprobs.content or ()]


def test_n24_a_stream_has_the_tokens_beside_their_text(client: OpenAI, provider: FakeProvider) -> None:
    provider.play(Answer(steps=streamed(*WORDS)))
    chunks = list(
        client.chat.completions.create(
            model="m", messages=[HI], logprobs=True, top_logprobs=2, stream=True, seed=1
        )
    )
    assert tokens_of(chunks) == [token(word) for word in WORDS]
    for each in chunks:
        if each.choices and each.choices[0].logprobs:
            texts = [one.token for one in each.choices[0].logprobs.content or ()]
            assert "".join(texts) == each.choices[0].delta.content
    assert {name: provider.calls[-1].json[name] for name in ("logprobs", "top_logprobs")} == {
        "logprobs": True,
        "top_logprobs": 2,
    }


@pytest.mark.parametrize("stream", [True, False])
def test_n24_a_whole_answer_has_all_tokens(client: OpenAI, provider: FakeProvider, stream: bool) -> None:
    words = [f"w{number} " for number in range(300)]
    body = {
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "".join(words)},
                "logprobs": {"content": [token(word, 20) for word in words]},
                "finish_reason": "stop",
            }
        ],
    }
    whole = Answer(steps=[json.dumps(body).encode()], content_type="application/json")
    provider.play(Answer(steps=streamed(*words)) if stream else whole)
    completion = client.chat.completions.create(model="m", messages=[HI], logprobs=True, top_logprobs=20)
    logprobs = completion.choices[0].logprobs
    assert logprobs is not None
    assert "".join(one.token for one in logprobs.content or ()) == "".join(words)
    assert completion.choices[0].message.content == "".join(words)


@pytest.mark.parametrize(
    ("logprobs", "expected"),
    [
        (None, []),
        ({}, []),
        ({"content": None, "refusal": None}, []),
        ({"content": [{"token": "x", "logprob": -9999}]}, ["x"]),
        ({"content": [{"token": "x", "logprob": -1, "bytes": None, "top_logprobs": []}], "more": 1}, ["x"]),
        ({"content": [], "refusal": [token("x")]}, ["x"]),
        ({"tokens": ["x"], "token_logprobs": [-1.0], "text_offset": [0]}, []),
        ({"content": [{"token": 5, "logprob": "high"}]}, []),
        ([1, 2], []),
        ("many", []),
    ],
    ids=repr,
)
def test_tokens_of_another_form_cost_no_text(
    client: OpenAI, provider: FakeProvider, logprobs: object, expected: list[str]
) -> None:
    provider.play(Answer(steps=[chunk("x", logprobs), *openai_finish(), DONE]))
    chunks = list(client.chat.completions.create(model="m", messages=[HI], logprobs=True, stream=True))
    assert [one["token"] for one in tokens_of(chunks)] == expected
    assert "".join(each.choices[0].delta.content or "" for each in chunks if each.choices) == "x"


def test_tokens_without_text_come_with_the_end(client: OpenAI, provider: FakeProvider) -> None:
    last = sse({"choices": [{"index": 0, "delta": {}, "logprobs": {"content": [token("<end>")]}}]})
    provider.play(Answer(steps=[*streamed("x")[:2], last, *openai_finish(), DONE]))
    chunks = list(client.chat.completions.create(model="m", messages=[HI], logprobs=True, stream=True))
    assert [one["token"] for one in tokens_of(chunks)] == ["x", "<end>"]


@pytest.mark.parametrize("body", [{}, {"logprobs": False}, {"logprobs": None, "top_logprobs": 0}], ids=repr)
def test_who_does_not_ask_gets_none(server: Server, provider: FakeProvider, body: dict[str, Any]) -> None:
    provider.play(Answer(steps=streamed("x")))
    status, _, raw = server.request("POST", "/v1/chat/completions", {"messages": [HI], "stream": True} | body)
    assert status == 200
    assert b"logprobs" not in raw
    assert not {"logprobs", "top_logprobs"} & set(provider.calls[-1].json)


def test_n24_a_model_that_refuses_them_answers_without(server: Server, provider: FakeProvider) -> None:
    def refuse(call: Call) -> Answer:
        if "logprobs" not in call.json:
            return Answer(steps=[openai_delta("x"), *openai_finish(), DONE])
        error = {"message": "logprobs is not supported with this model.", "param": "logprobs"}
        return Answer(
            status=400, steps=[json.dumps({"error": error}).encode()], content_type="application/json"
        )

    provider.play(refuse)
    body = {"model": "refuses", "messages": [HI], "logprobs": True}
    status, headers, raw = server.request("POST", "/v1/chat/completions", body)
    assert (status, json.loads(raw)["choices"][0]["logprobs"]) == (200, None)
    assert {name.lower(): value for name, value in headers.items()}["freshet-ignored"] == "logprobs"
