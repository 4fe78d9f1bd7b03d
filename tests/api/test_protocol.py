"""The examples of docs/protocol.md, played against the server."""

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
START, RESPONSE, RESUME = re.findall(r"```http\n(.*?)```", DOCUMENT, re.S)
RECEIPT = json.loads(re.findall(r"```json\n(.*?)```", DOCUMENT, re.S)[0])


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as one:
        yield one


def send(server: Server, example: str) -> requests.Response:
    """Send a request as it is written in the document."""
    head, _, body = example.partition("\n\n")
    line, *headers = head.strip().splitlines()
    method, path, _ = line.split()
    fields = dict(header.split(": ", 1) for header in headers)
    return requests.request(method, server.url + path, headers=fields, data=body.strip().encode(), timeout=20)


def frames(text: str) -> list[tuple[str | None, dict[str, Any]]]:
    """The frames of a body of SSE records, each with its id."""
    records = [parse_record(block, 0.0) for block in text.strip().split("\n\n")]
    return [(record.id, record.frame) for record in records if record.frame is not None]


def joined(found: list[tuple[str | None, dict[str, Any]]]) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """The first frame, all text, and the last frame without what depends on the text."""
    text = "".join(frame.get("text", "") for _, frame in found)
    last = {key: value for key, value in found[-1][1].items() if key != "sha256"}
    return found[0][1], text, last


def test_the_example_of_a_start(server: Server) -> None:
    response = send(server, START)
    head, _, body = RESPONSE.partition("\n\n")
    assert f"HTTP/1.1 {response.status_code} {response.reason}" == head.splitlines()[0]
    assert response.headers["Content-Type"].startswith("text/event-stream")
    found, expected = frames(response.content.decode()), frames(body)
    assert joined(found) == joined(expected)
    run = json.loads(START.partition("\n\n")[2])["run"]
    assert [id_ for id_, _ in found] == [f"{run}:1:{seq}" for seq in range(1, len(found) + 1)]
    assert [id_ for id_, _ in expected] == [f"{run}:1:{seq}" for seq in range(1, len(expected) + 1)]


def test_the_example_of_a_resumption(server: Server) -> None:
    whole, rest = frames(send(server, START).content.decode()), frames(send(server, RESUME).content.decode())
    assert rest == whole[1:]


def test_the_example_of_a_receipt(server: Server) -> None:
    send(server, START)
    receipt = requests.post(f"{server.url}/stream/{RECEIPT['run']}/stop", timeout=20).json()
    assert receipt == RECEIPT


def test_the_messages_of_a_websocket(server: Server) -> None:
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
def test_every_kind_of_frame_has_its_row(key: str) -> None:
    assert f'| `{{"{key}"' in DOCUMENT
