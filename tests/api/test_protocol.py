"""The examples of docs/protocol.md, sent to a real server."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.server import Server
from tests.support.sse import parse_record
from tests.support.ws import WsClient

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "protocol.md").read_text()
START, RESPONSE, RESUME, CHANGES, RESYNC = re.findall(r"```http\n(.*?)```", DOCUMENT, re.S)
RECEIPT = json.loads(re.findall(r"```json\n(.*?)```", DOCUMENT, re.S)[0])


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


def send(server: Server, example: str) -> requests.Response:
    """Send a request exactly as the document shows it."""
    head, _, body = example.partition("\n\n")
    line, *headers = head.strip().splitlines()
    method, path, _ = line.split()
    fields = dict(header.split(": ", 1) for header in headers)
    return requests.request(method, server.url + path, headers=fields, data=body.strip().encode(), timeout=20)


def parse_frames(text: str) -> list[tuple[str | None, dict[str, Any]]]:
    """Return the frames of a body of SSE records, each with its id."""
    records = [parse_record(block, 0.0) for block in text.strip().split("\n\n")]
    return [(record.id, record.frame) for record in records if record.frame is not None]


def summarize(frames: list[tuple[str | None, dict[str, Any]]]) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """Return the first frame, all text, and the last frame without `sha256`, which depends on the generated text."""
    text = "".join(frame.get("text", "") for _, frame in frames)
    last = {key: value for key, value in frames[-1][1].items() if key != "sha256"}
    return frames[0][1], text, last


def test_a_start_answers_as_in_the_example(server: Server) -> None:
    response = send(server, START)
    head, _, body = RESPONSE.partition("\n\n")
    assert f"HTTP/1.1 {response.status_code} {response.reason}" == head.splitlines()[0]
    assert response.headers["Content-Type"].startswith("text/event-stream")
    found, expected = parse_frames(response.content.decode()), parse_frames(body)
    assert summarize(found) == summarize(expected)
    run = json.loads(START.partition("\n\n")[2])["run"]
    assert [id_ for id_, _ in found] == [f"{run}:1:{seq}" for seq in range(1, len(found) + 1)]
    assert [id_ for id_, _ in expected] == [f"{run}:1:{seq}" for seq in range(1, len(expected) + 1)]


def test_a_resumption_answers_as_in_the_example(server: Server) -> None:
    all_frames, resumed = (
        parse_frames(send(server, START).content.decode()),
        parse_frames(send(server, RESUME).content.decode()),
    )
    assert resumed == all_frames[1:]


def test_a_receipt_is_that_of_the_example(server: Server) -> None:
    send(server, START)
    receipt = requests.post(f"{server.url}/stream/{RECEIPT['run']}/stop", timeout=20).json()
    assert receipt == RECEIPT


def test_a_feed_answers_as_in_the_example(server: Server) -> None:
    cookies = requests.get(server.url, headers={"Accept": "text/html"}, timeout=20).cookies
    method, path, _ = CHANGES.strip().split()
    response = requests.request(method, server.url + path, cookies=cookies, timeout=20)
    assert response.headers["Content-Type"].startswith("text/event-stream")
    found, expected = parse_frames(response.text), parse_frames(RESYNC.partition("\n\n")[2])
    assert [frame for _, frame in found] == [frame for _, frame in expected]
    assert re.fullmatch(r"[0-9a-f]+-[0-9]+", found[0][0] or "")


def test_a_websocket_answers_resume_and_refuses_unknown_runs(server: Server) -> None:
    body = json.loads(START.partition("\n\n")[2])
    send(server, START)
    with WsClient(server.address) as client:
        client.send_json(type="resume", ref="a", run=body["run"])
        first, *_ = client.read_to_end(body["run"])
        assert first.frame["ref"] == "a"
        assert first.id == f"{body['run']}:1:1"
        client.send_json(type="stop", ref="b", run="B" * 22)
        assert set(client.read_reply("refused")) == {"refused", "code", "status", "ref"}


@pytest.mark.parametrize("key", ["start", "text", "reasoning", "sources", "reset", "notice", "done", "error"])
def test_every_kind_of_frame_is_documented(key: str) -> None:
    assert f'| `{{"{key}"' in DOCUMENT
