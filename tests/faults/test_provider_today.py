"""What providers send and refuse today: reports of people who run such servers (N9 to N22)."""

import gzip
import itertools
import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.faults.answers import KEY, ask
from tests.support.dialects import DONE, openai, openai_delta, openai_finish, sse
from tests.support.fake_provider import FakeProvider
from tests.support.promises import read_frames
from tests.support.script import RESET, STALL, Answer, Call, Raw, Step, refusal, whole
from tests.support.server import Server
from tests.support.sse import SseReader

WORDS = ["Hello ", "there"]
ENDS_SOON_S = 2.5


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {"FRESHET_RETRIES": "2", "FRESHET_IDLE_S": "60", "FRESHET_HEARTBEAT_S": "0.5"}


def error(message: str, **fields: object) -> dict[str, Any]:
    return {"error": {"message": message, **fields}}


def when(condition: Callable[[dict[str, Any]], bool], answer: Answer) -> Callable[[Call], Answer]:
    """Return a script that answers the bodies that meet a condition with `answer`, else as usual."""
    return lambda call: answer if condition(call.json) else Answer(steps=openai(WORDS))


# N9: a reset right after the last burst.


@pytest.mark.parametrize("size", [1, 40, 400], ids=["one word", "kilobytes", "more than one read"])
def test_n9_what_arrived_before_a_reset_is_used(server: Server, provider: FakeProvider, size: int) -> None:
    words = [f"word{number} " * 20 for number in range(size)]
    provider.play(Answer(steps=(b"".join(openai(words)), RESET)))
    answer = ask(server)
    assert (answer.code, answer.text) == (None, "".join(words))
    provider.play(Answer(steps=(b"".join(openai_delta(word) for word in words), RESET)))
    answer = ask(server)
    assert (answer.code, answer.text) == ("interrupted", "".join(words))
    assert len(provider.calls) == 1


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
def test_n9_an_answer_without_its_last_event_is_whole_in_any_framing(
    server: Server, provider: FakeProvider, framing: Any
) -> None:
    steps = (*openai(WORDS, done=False), RESET)
    provider.play(
        Answer(
            steps=steps, framing=framing, headers={"Content-Length": "99999"} if framing == "length" else {}
        )
    )
    answer = ask(server)
    assert (answer.code, answer.text, answer.counted) == (None, "Hello there", (3, 5, False))


# N11: a finish reason, then silence on an open connection.

FINISH = openai_finish(usage=None)[0]
SILENT: dict[str, tuple[Step, ...]] = {
    "no done": (*map(openai_delta, WORDS), FINISH, STALL),
    "usage and no done": (*openai(WORDS, done=False), STALL),
    "no last newlines": (*map(openai_delta, WORDS), FINISH.rstrip(), STALL),
    "no blank line": (*map(openai_delta, WORDS), FINISH.rstrip() + b"\r\n", STALL),
    "done without a newline": (*openai(WORDS, finish=None, done=False), b"data: [DONE]", STALL),
    "heartbeats for ever": (*openai(WORDS, done=False), *[0.4, b": ping\n\n"] * 20, STALL),
    "one object": (json.dumps({"choices": [{"message": {"content": "Hello there"}}]}).encode(), STALL),
}


@pytest.mark.parametrize("name", SILENT)
def test_n11_silence_after_a_finish_reason_ends_the_answer_soon(
    server: Server, provider: FakeProvider, name: str
) -> None:
    provider.play(Answer(steps=SILENT[name]))
    answer = ask(server)
    assert (answer.code, answer.text) == (None, "Hello there")
    assert answer.busy_s < ENDS_SOON_S


def test_n11_text_after_an_early_finish_reason_is_waited_for(server: Server, provider: FakeProvider) -> None:
    early = sse({"choices": [{"index": 0, "delta": {"content": "Hello "}, "finish_reason": "stop"}]})
    later = sse({"choices": [{"index": 0, "delta": {"content": "there"}, "finish_reason": "stop"}]})
    provider.play(Answer(steps=(early, later, 2.5, openai_delta(" you"), DONE)))
    assert ask(server).text == "Hello there you"


# N12: success that was refused.

PLAIN = b"".join(openai(WORDS))


def deflate(content: bytes, bits: int) -> bytes:
    compressor = zlib.compressobj(wbits=bits)
    return compressor.compress(content) + compressor.flush()


def flushed(content: list[bytes]) -> tuple[bytes, ...]:
    """Return gzip as a proxy streams it, each event at once."""
    compressor = zlib.compressobj(wbits=31)
    pieces = [compressor.compress(event) + compressor.flush(zlib.Z_SYNC_FLUSH) for event in content]
    return (*pieces, compressor.flush())


SUCCESSES = {
    "201": Answer(status=201, steps=openai(WORDS)),
    "206": Answer(status=206, steps=openai(WORDS)),
    "gzip": Answer(steps=(gzip.compress(PLAIN),), headers={"Content-Encoding": "gzip"}),
    "gzip in capitals": Answer(steps=(gzip.compress(PLAIN),), headers={"Content-Encoding": "X-GZIP"}),
    "gzip as it streams": Answer(steps=flushed(openai(WORDS)), headers={"Content-Encoding": "gzip"}),
    "gzip in two members": Answer(
        steps=(gzip.compress(PLAIN[:100]) + gzip.compress(PLAIN[100:]),), headers={"Content-Encoding": "gzip"}
    ),
    "gzip without a header": Answer(steps=(gzip.compress(PLAIN),)),
    "a header without gzip": Answer(steps=openai(WORDS), headers={"Content-Encoding": "gzip"}),
    "deflate": Answer(steps=(deflate(PLAIN, 15),), headers={"Content-Encoding": "deflate"}),
    "raw deflate": Answer(steps=(deflate(PLAIN, -15),), headers={"Content-Encoding": "deflate"}),
    "no coding": Answer(steps=openai(WORDS), headers={"Content-Encoding": "utf-8"}),
    "103": Answer(
        status=None,
        steps=(Raw(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"), PLAIN),
    ),
    "100 and 102": Answer(
        status=None,
        steps=(
            Raw(b"HTTP/1.1 100 Continue\r\n\r\n"),
            0.1,
            Raw(b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 203 OK\r\nContent-Length: %d\r\n\r\n" % len(PLAIN)),
            PLAIN,
        ),
    ),
}


@pytest.mark.parametrize("name", SUCCESSES)
def test_n12_any_success_is_an_answer(server: Server, provider: FakeProvider, name: str) -> None:
    provider.play(SUCCESSES[name])
    answer = ask(server)
    assert (answer.code, answer.text, len(provider.calls)) == (None, "Hello there", 1)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(steps=(b"\x1b\x00\x00",), headers={"Content-Encoding": "br"}),
        Answer(status=204, steps=(), framing="close"),
        Answer(steps=(gzip.compress(PLAIN)[:40],), headers={"Content-Encoding": "gzip"}),
    ],
    ids=["an unknown coding", "no content", "half of gzip"],
)
def test_n12_what_cannot_improve_is_not_bought_again(
    server: Server, provider: FakeProvider, answer: Answer
) -> None:
    provider.play(answer)
    assert ask(server).code in ("upstream_protocol", "interrupted")
    assert len(provider.calls) == 1


def test_n12_a_compressed_error_is_read(server: Server, provider: FakeProvider) -> None:
    body = gzip.compress(json.dumps(error("Your credit balance is too low")).encode())
    provider.play(Answer(status=400, steps=(body,), headers={"Content-Encoding": "gzip"}))
    assert ask(server).code == "upstream_quota"


# N13: one object, or a page, instead of a stream.


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
def test_n13_a_whole_answer_is_shown(server: Server, provider: FakeProvider, framing: Any) -> None:
    choice = {"message": {"content": "Hello whole"}, "finish_reason": "stop"}
    body = {"choices": [choice], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}
    provider.play(
        Answer(steps=(json.dumps(body).encode(),), framing=framing, content_type="application/json")
    )
    answer = ask(server)
    assert (answer.code, answer.text, answer.counted) == (None, "Hello whole", (1, 2, False))


@pytest.mark.parametrize(
    "body",
    [
        {"error": "Unexpected endpoint or method. (POST /chat/completions)"},
        {"message": "no Route matched with those values: route not found"},
        {"hello": "world"},
        ["hello"],
    ],
)
def test_n13_a_wrong_address_is_named_with_its_setting(
    server: Server, provider: FakeProvider, body: object
) -> None:
    provider.play(whole(body))
    terminal = ask(server).terminal
    assert (terminal["code"], terminal["retryable"]) == ("upstream_bad_request", False)
    assert "OPENAI_BASE_URL" in terminal["error"]
    assert "/v1" in terminal["error"]
    assert len(provider.calls) == 1


@pytest.mark.parametrize(
    "answer",
    [
        refusal(404, {"detail": "Not Found"}),
        refusal(404, error("Invalid URL (POST /v1/v1/chat/completions)")),
        refusal(404, b"<html><h1>404</h1></html>"),
        refusal(405, b""),
    ],
)
def test_n13_a_refused_path_is_a_wrong_address_too(
    server: Server, provider: FakeProvider, answer: Answer
) -> None:
    provider.play(answer)
    terminal = ask(server).terminal
    assert (terminal["code"], terminal["retryable"]) == ("upstream_bad_request", False)
    assert "OPENAI_BASE_URL" in terminal["error"]


def test_n13_an_error_with_a_status_of_success_is_read(server: Server, provider: FakeProvider) -> None:
    provider.play(whole(error("Incorrect API key provided", code="invalid_api_key")))
    assert ask(server).code == "upstream_auth"


# N15, N16, N17: the stream.

FAILED = {
    "at the choice": sse({"choices": [{"delta": {}, "error": {"code": 502, "message": "Upstream error"}}]}),
    "as a finish reason": sse({"choices": [{"delta": {}, "finish_reason": "error"}]}),
    "for want of capacity": sse(
        {"choices": [{"delta": {}, "finish_reason": "insufficient_system_resource"}]}
    ),
    "on a line of its own": b'error: {"code": 500, "message": "failed"}\n\n',
}


@pytest.mark.parametrize("name", FAILED)
def test_n15_an_error_that_reads_as_success_is_an_error(
    server: Server, provider: FakeProvider, name: str
) -> None:
    provider.play(Answer(steps=(openai_delta("Hello wor"), FAILED[name], DONE)))
    answer = ask(server)
    assert (answer.code, answer.text) == ("upstream_overloaded", "Hello wor")
    assert answer.terminal["partial"]


@pytest.mark.parametrize(
    ("reason", "ours"), [("MAX_TOKENS", "length"), ("SAFETY", "content_filter"), ("novelty", "stop")]
)
def test_n16_a_finish_reason_in_any_wording(
    server: Server, provider: FakeProvider, reason: str, ours: str
) -> None:
    provider.play(Answer(steps=openai(WORDS, finish=reason)))
    assert ask(server).terminal["finish_reason"] == ours
    if ours == "stop":
        assert "novelty" in server.log


THOUGHTS = {
    "tags": ["<think>", "\nLet me see", "\n</think>\n\n", "Hello"],
    "cut tags": ["<th", "inking>Let me", " see</thi", "nking>Hel", "lo"],
    "unopened": ["Let me ", "see\n", "</think>\n\n", "Hello"],
}


@pytest.mark.parametrize("pause_s", [0.0, 0.1])
@pytest.mark.parametrize("name", THOUGHTS)
def test_n17_reasoning_between_tags_is_apart(
    server: Server, provider: FakeProvider, name: str, pause_s: float
) -> None:
    events = openai(THOUGHTS[name])
    steps: list[Step] = (
        [step for event in events for step in (event, pause_s)] if pause_s else [b"".join(events)]
    )
    provider.play(Answer(steps=steps))
    answer = ask(server, model=f"{name} {pause_s}".replace(" ", "-"))
    assert (answer.text, answer.reasoning) == ("Hello", "Let me see")


def test_n17_text_that_turns_out_to_be_reasoning_is_replaced_everywhere(
    server: Server, provider: FakeProvider
) -> None:
    """A reset moves it; who resumes before or after it, and who reads a completion, gets the same."""
    events = openai(THOUGHTS["unopened"])

    def play() -> None:
        provider.play(Answer(steps=[step for event in events for step in (event, 0.1)]))

    play()
    answer = ask(server, model="first")
    assert answer.reading.resets == 1
    for seq in range(1, len(answer.received)):
        with SseReader(server.address, f"/stream/{answer.run}?after={answer.run}:1:{seq}") as reader:
            received = reader.read_to_end(5)
        reading = read_frames([*answer.received[:seq], *received])
        assert (reading.text, reading.reasoning) == ("Hello", "Let me see")
    play()
    body = {"model": "openai/second", "messages": [{"role": "user", "content": "Hi"}]}
    message = json.loads(server.request("POST", "/v1/chat/completions", body)[2])["choices"][0]["message"]
    assert (message["content"], message["reasoning_content"]) == ("Hello", "Let me see")
    play()
    _, _, raw = server.request(
        "POST", "/v1/chat/completions", {**body, "model": "openai/third", "stream": True}
    )
    assert raw.count(b"Hello") == 1
    assert b"</think>" not in raw


# N18 to N22: what is sent, and what is refused.


def test_n18_a_limit_as_long_as_the_window_is_repeated_once(server: Server, provider: FakeProvider) -> None:
    text = (
        "This model's maximum context length is 4096 tokens. However, you requested 4108 tokens (12 in the messages, 4096 in "
        "the completion)."
    )
    provider.play(when(lambda body: body.get("max_tokens", 0) + 12 > 4096, refusal(400, error(text))))
    answer = ask(server)
    assert (answer.code, answer.text) == (None, "Hello there")
    assert len(provider.calls) == 2


def test_n19_a_refused_parameter_is_left_out_and_named(server: Server, provider: FakeProvider) -> None:
    refused = refusal(400, error("Unsupported value: temperature may not be changed for this model"))
    provider.play(when(lambda body: "temperature" in body, refused))
    answer = ask(server, temperature=0.3)
    assert (answer.code, answer.text, len(provider.calls)) == (None, "Hello there", 2)
    notices = [one.frame["notice"] for one in answer.received if "notice" in one.frame]
    assert [(notice["code"], notice["parameter"]) for notice in notices] == [
        ("parameter_ignored", "temperature")
    ]
    for _ in range(10):
        assert ask(server, temperature=0.3).text == "Hello there"
    assert len(provider.calls) <= 11 + len(server.workers)  # each worker remembers it


def test_n19_the_endpoint_of_openai_names_it_in_a_header(server: Server, provider: FakeProvider) -> None:
    refused = refusal(422, {"detail": [{"loc": ["body", "stop"], "msg": "Extra inputs are not permitted"}]})
    provider.play(when(lambda body: "stop" in body, refused))
    body = {"model": "openai/other", "messages": [{"role": "user", "content": "Hi"}], "stop": ["END"]}
    for stream in (False, True):
        status, headers, _ = server.request("POST", "/v1/chat/completions", {**body, "stream": stream})
        assert (status, headers.get("freshet-ignored")) == (200, "stop")


def test_n20_turns_alternate_in_what_is_sent(server: Server, provider: FakeProvider) -> None:
    def repeats(body: dict[str, Any]) -> bool:
        roles = [message["role"] for message in body["messages"]]
        return any(first == second for first, second in itertools.pairwise(roles))

    refused = refusal(400, error("Conversation roles must alternate user/assistant/user/assistant/..."))
    provider.play(when(repeats, refused))
    messages = [{"role": "user", "content": text} for text in ("one", "two", "three")]
    body = {"model": "gpt-4.1", "messages": messages}
    status, _, raw = server.request("POST", "/v1/chat/completions", body)
    assert (status, json.loads(raw)["choices"][0]["message"]["content"]) == (200, "Hello there")
    assert len(provider.calls) == 1


WORDED = [
    (error("Your credit balance is too low to access the API."), "upstream_quota", "quota"),
    (error("The response was filtered.", code="content_filter"), "upstream_bad_request", "content filter"),
    (error("API key not valid. Please pass a valid API key."), "upstream_auth", "API key"),
]


@pytest.mark.parametrize(("body", "code", "words"), WORDED, ids=["credit", "filter", "key"])
def test_n22_a_400_is_told_apart_by_its_words(
    server: Server, provider: FakeProvider, body: object, code: str, words: str
) -> None:
    provider.play(refusal(400, body))
    answer = ask(server)
    assert (answer.code, answer.terminal["retryable"]) == (code, False)
    assert words in answer.terminal["error"]
    assert len(provider.calls) == 1


def test_n11_many_answers_end_on_time(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=(openai_delta("a"), 1.0, openai_delta("b"), 1.0, *openai_finish(), STALL)))
    watch = server.stopwatch()
    assert ask(server).text == "ab"
    assert watch.elapsed_s > 2
    assert watch.busy_s < 2 + ENDS_SOON_S


AZURE = "/openai/deployments/name"


@pytest.mark.parametrize(
    ("base", "path", "header"),
    [
        (f"{AZURE}?api-version=2024-10-21", f"{AZURE}/chat/completions?api-version=2024-10-21", KEY),
        ("/v1/chat/completions", "/v1/chat/completions", None),
    ],
    ids=["azure", "an endpoint"],
)
def test_n21_addresses_and_keys_as_people_write_them(
    provider: FakeProvider, base: str, path: str, header: str | None
) -> None:
    env = {"OPENAI_API_KEY": f'"{KEY}"', "OPENAI_BASE_URL": f"'{provider.url}{base}'"}
    with Server(env, secrets=(KEY,)) as server:
        provider.play(Answer(steps=openai(WORDS)))
        assert ask(server, model="name").text == "Hello there"
        call = next(call for call in provider.calls if call.method == "POST")
        assert (call.path, call.headers.get("api-key")) == (path, header)
        assert call.headers["authorization"] == f"Bearer {KEY}"
