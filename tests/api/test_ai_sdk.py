"""The AI SDK's chat: every part is one that version 5 knows, a running answer is resumed, and what cannot be sent is refused."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.access.device import Device
from tests.faults.answers import new_run
from tests.faults.conversations import Gated
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer
from tests.support.server import Server
from tests.support.sse import SseReader

# The keys that version 5 knows of each part, the required ones first: `ui-message-chunks.ts` in vercel/ai, where other keys throw.
KNOWN = {
    "start": ((), ("messageId", "messageMetadata")),
    "start-step": ((), ()),
    "finish-step": ((), ()),
    "text-start": (("id",), ("providerMetadata",)),
    "text-delta": (("id", "delta"), ("providerMetadata",)),
    "text-end": (("id",), ("providerMetadata",)),
    "reasoning-start": (("id",), ("providerMetadata",)),
    "reasoning-delta": (("id", "delta"), ("providerMetadata",)),
    "reasoning-end": (("id",), ("providerMetadata",)),
    "source-url": (("sourceId", "url"), ("title", "providerMetadata")),
    "source-document": (("sourceId", "mediaType", "title"), ("filename", "providerMetadata")),
    "data-freshet": (("data",), ("id", "transient")),
    "error": (("errorText",), ()),
    "abort": ((), ()),
    "finish": ((), ("messageMetadata",)),
}


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with FakeProvider(Answer(steps=openai(["Hel", "lo"]))) as fake:
        yield fake


@pytest.fixture(scope="module")
def server(provider: FakeProvider) -> Iterator[Server]:
    env = {"OPENAI_API_KEY": "sk-canary-1", "OPENAI_BASE_URL": f"{provider.url}/v1", "FRESHET_RETRIES": "0"}
    with Server(env | {"WEB_CONCURRENCY": "2"}) as running:
        yield running


def chat(question: str = "Hi", **more: Any) -> dict[str, Any]:
    messages = [{"id": "m1", "role": "user", "parts": [{"type": "text", "text": question}]}]
    return {"id": f"chat-{new_run()}", "messages": messages, "trigger": "submit-message"} | more


def visitor(server: Server) -> Device:
    device = Device(server.address)
    assert device.open() == 200
    return device


def parse(raw: bytes) -> list[dict[str, Any]]:
    """Parse a stream and check that each part is known and in its place; it ends with `[DONE]`."""
    *records, last = [block for block in raw.decode().split("\n\n") if block and not block.startswith(":")]
    assert last == "data: [DONE]"
    parts = [json.loads(record.removeprefix("data: ")) for record in records]
    opened: set[tuple[str, str]] = set()
    for part in parts:
        required, optional = KNOWN[part["type"]]
        assert set(required) <= part.keys() <= {"type", *required, *optional}, part
        kind, _, step = part["type"].partition("-")
        if step == "start" and "id" in part:
            opened.add((kind, part["id"]))
        elif step in ("delta", "end") and "id" in part:
            assert (kind, part["id"]) in opened, part
    return parts


def text_of(parts: list[dict[str, Any]]) -> str:
    return "".join(part["delta"] for part in parts if part["type"] == "text-delta")


def test_an_answer_is_a_stream_of_known_parts(server: Server) -> None:
    status, headers, raw = Device(server.address).request("POST", "/ai-sdk/chat", chat())
    assert status == 200
    assert headers["x-vercel-ai-ui-message-stream"] == "v1"
    assert headers["content-type"].startswith("text/event-stream")
    parts = parse(raw)
    kinds = [part["type"] for part in parts if part["type"] != "data-freshet"]
    assert kinds[:2] == ["start", "start-step"]
    assert kinds[-2:] == ["finish-step", "finish"]
    assert text_of(parts) == "Hello"
    cursors = [part for part in parts if part["type"] == "data-freshet"]
    assert all(part["transient"] for part in cursors)
    assert cursors[0]["data"]["run"] == parts[0]["messageId"]


def test_reasoning_is_a_block_of_its_own(server: Server, provider: FakeProvider) -> None:
    thinking = {"choices": [{"index": 0, "delta": {"reasoning_content": "Hm."}}]}
    step = f"data: {json.dumps(thinking)}\n\n".encode()
    provider.play(Answer(steps=[step, *openai(["Hel", "lo"])]))
    parts = parse(Device(server.address).request("POST", "/ai-sdk/chat", chat())[2])
    assert "".join(part["delta"] for part in parts if part["type"] == "reasoning-delta") == "Hm."
    kinds = [part["type"] for part in parts]
    assert kinds.index("reasoning-end") < kinds.index("text-start")
    assert text_of(parts) == "Hello"
    provider.play(Answer(steps=openai(["Hel", "lo"])))


def test_a_running_answer_is_resumed_by_its_chat_on_any_worker(
    server: Server, provider: FakeProvider
) -> None:
    body, device = chat(), visitor(server)
    with Gated("Hel", "lo") as gated:
        provider.play(gated.answer)
        with SseReader(server.address, "/ai-sdk/chat", body, headers=device.all_headers) as reader:
            gated.open(1)
            reader.read_until(lambda: "Hel" in str(reader.records))
        path = f"/ai-sdk/chat/{body['id']}/stream"
        readers = [SseReader(server.address, path, headers=device.all_headers) for _ in range(6)]
        assert Device(server.address).request("GET", path)[0] == 204, "it is somebody else's"
        gated.open()
        for again in readers:
            with again:
                assert again.status == 200, again.response.read_all()
                assert text_of(parse(again.response.read_all())) == "Hello"
    assert device.request("GET", f"/ai-sdk/chat/{body['id']}/stream")[0] == 204
    assert device.request("GET", "/ai-sdk/chat/unknown/stream")[0] == 204
    provider.play(Answer(steps=openai(["Hel", "lo"])))


def test_stop_ends_the_answer_with_an_abort(server: Server, provider: FakeProvider) -> None:
    body, device = chat(), visitor(server)
    with Gated("Hel", "lo") as gated:
        provider.play(gated.answer)
        with SseReader(server.address, "/ai-sdk/chat", body, headers=device.all_headers) as reader:
            gated.open(1)
            reader.read_until(lambda: "Hel" in str(reader.records))
            assert device.request("POST", f"/ai-sdk/chat/{body['id']}/stop")[0] == 200
            began = time.monotonic()
            reader.read_until(lambda: "abort" in str(reader.records))
            assert time.monotonic() - began < 3
    assert device.request("POST", "/ai-sdk/chat/unknown/stop")[0] == 404
    provider.play(Answer(steps=openai(["Hel", "lo"])))


def test_a_failed_answer_says_so_in_one_sentence(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(status=500, steps=[b"canary of the provider"]))
    status, _, raw = Device(server.address).request("POST", "/ai-sdk/chat", chat())
    assert status == 200
    (error,) = [part for part in parse(raw) if part["type"] == "error"]
    assert "provider" in error["errorText"]
    assert b"canary" not in raw
    provider.play(Answer(steps=openai(["Hel", "lo"])))


def test_the_whole_exchange_and_images_go_to_the_model(server: Server, provider: FakeProvider) -> None:
    pixel = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
    messages = [
        {"id": "1", "role": "user", "parts": [{"type": "text", "text": "One"}]},
        {
            "id": "2",
            "role": "assistant",
            "parts": [
                {"type": "step-start"},
                {"type": "reasoning", "text": "x"},
                {"type": "text", "text": "Two"},
            ],
        },
        {
            "id": "3",
            "role": "user",
            "parts": [
                {"type": "file", "mediaType": "image/gif", "url": pixel},
                {"type": "text", "text": "Three"},
            ],
        },
    ]
    before = len(provider.calls)
    assert Device(server.address).request("POST", "/ai-sdk/chat", chat() | {"messages": messages})[0] == 200
    (call,) = provider.calls[before:]
    sent = call.json["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "user"]
    assert sent[1]["content"] == "Two"
    assert [part["type"] for part in sent[2]["content"]] == ["image_url", "text"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "tool", "parts": []}]}, "messages[...].role"),
        ({"messages": [{"role": "user", "parts": [{"type": "odd"}]}]}, "messages[0].parts[0]"),
        (
            {
                "messages": [
                    {"role": "user", "parts": [{"type": "file", "mediaType": "text/plain", "url": "x"}]}
                ]
            },
            "messages[0].parts[0]",
        ),
        ({"id": ""}, "id"),
        ({"query": "Hi"}, "query"),
        ({"conversation": "c"}, "conversation"),
        ({"temperature": 9}, "temperature"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_name(server: Server, body: dict[str, Any], param: str) -> None:
    error = Device(server.address).json("POST", "/ai-sdk/chat", chat() | body, status=400)["error"]
    assert error["param"] in (param, param.replace("[...]", "[0]"))
