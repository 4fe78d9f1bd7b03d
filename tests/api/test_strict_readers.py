"""Strict SSE readers get our frames and nothing else: they dispatch any record, even one without data."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from httpx_sse import connect_sse

from tests.support import node
from tests.support.dialects import DONE, openai_delta, openai_finish
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer, Step
from tests.support.server import Server
from webapp.frames import new_run

HEARTBEAT_S = 0.3
PIECES = ["He", "llo\n\n", "data: x", "\u2028 end"]
TEXT = "".join(PIECES)
CACHE = Path(__file__).resolve().parents[2] / ".cache" / "sse-readers"
PACKAGES = ("eventsource-parser@3.1.1", "@microsoft/fetch-event-source@2.0.1")
READERS = """
import { readFileSync } from "node:fs";
import { createParser } from "eventsource-parser";
import parse from "@microsoft/fetch-event-source/lib/cjs/parse.js";
const raw = new Uint8Array(readFileSync(process.argv[2]));
const found = { parser: [], microsoft: [] };
const parser = createParser({ onEvent: (event) => found.parser.push(event.data) });
const onLine = parse.getLines(parse.getMessages(() => {}, () => {}, (event) => found.microsoft.push(event.data)));
const text = new TextDecoder();
for (let at = 0; at < raw.length; at += 7) {
  parser.feed(text.decode(raw.subarray(at, at + 7), { stream: true }));
  onLine(raw.slice(at, at + 7));
}
console.log(JSON.stringify(found));
"""


def hesitant() -> Iterator[Step]:
    yield HEARTBEAT_S * 4
    for piece in PIECES:
        yield openai_delta(piece)
        yield HEARTBEAT_S * 2.5
    yield from openai_finish(usage=(3, 5))
    yield DONE


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with FakeProvider(Answer(steps=hesitant)) as provider:
        env = {
            "OPENAI_API_KEY": "k",
            "OPENAI_BASE_URL": f"{provider.url}/v1",
            "FRESHET_MODEL": "gpt-4.1",
            "FRESHET_HEARTBEAT_S": str(HEARTBEAT_S),
        }
        with Server(env) as running:
            yield running


def openings(server: Server) -> dict[str, dict[str, Any]]:
    """Return the requests of all endpoints that stream over SSE."""
    message = {"messages": [{"role": "user", "content": "hi"}], "stream": True}
    return {
        "post": {"method": "POST", "url": f"{server.url}/stream", "json": {"query": "hi"}},
        "get": {"method": "GET", "url": f"{server.url}/stream", "params": {"query": "hi"}},
        "v1": {"method": "POST", "url": f"{server.url}/v1/chat/completions", "json": message},
        "chat": {"method": "POST", "url": f"{server.url}/chat/completions", "json": message},
    }


def text_of(data: list[str]) -> str:
    """Return the text of the frames or chunks; each must be JSON."""
    text = ""
    for frame in (json.loads(item) for item in data if item != "[DONE]"):
        text += frame.get("text", "")
        text += "".join(choice["delta"].get("content", "") for choice in frame.get("choices", ()))
    return text


@pytest.mark.parametrize("name", ["post", "get", "v1", "chat"])
def test_n25_httpx_sse_gets_no_empty_event(server: Server, name: str) -> None:
    options = openings(server)[name]
    with (
        httpx.Client(timeout=20) as client,
        connect_sse(client, options.pop("method"), options.pop("url"), **options) as source,
    ):
        data = [event.data for event in source.iter_sse()]
    assert all(data)
    assert text_of(data) == TEXT


@pytest.mark.parametrize("name", ["post", "get", "v1", "chat"])
def test_n25_readers_of_javascript_get_no_empty_event(server: Server, name: str, tmp_path: Path) -> None:
    found = node.find()
    if not (CACHE / "node_modules" / "@microsoft").is_dir():
        node.install(found, CACHE, *PACKAGES)
    raw = httpx.request(**openings(server)[name], timeout=20).content
    assert b"\n:\n" in raw or name in ("v1", "chat"), "no heartbeat"
    (tmp_path / "raw").write_bytes(raw)
    script = CACHE / "readers.mjs"
    script.write_text(READERS)
    ran = subprocess.run(
        [*found.node, str(script), str(tmp_path / "raw")],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    for data in json.loads(ran.stdout).values():
        assert all(data)
        assert text_of(data) == TEXT


def test_a_resumed_run_that_is_silent_sends_its_first_byte_at_once(server: Server) -> None:
    run = new_run()
    with httpx.Client(timeout=20) as client:
        body = {"query": "hi", "run": run}
        with client.stream("POST", f"{server.url}/stream", json=body) as first:
            assert next(first.iter_bytes()).startswith(b"retry: ")
            watch = server.stopwatch()
            with client.stream("GET", f"{server.url}/stream/{run}", params={"after": f"{run}:1:1"}) as second:
                piece = next(second.iter_raw())
            assert watch.busy_s < HEARTBEAT_S
    assert piece.startswith(b"retry: ")
    assert b"\n\n" not in piece
