"""The plain peer: what one writes first. `requests`, `iter_lines`, `json`, and a frame every five deltas."""

import json
import os
from collections.abc import Iterator

import requests
from flask import Flask, Response, request

BASE_URL = os.environ["OPENAI_BASE_URL"]
DELTAS_PER_FRAME = 5

app = Flask(__name__)


def deltas(body: object) -> Iterator[str]:
    answer = requests.post(
        f"{BASE_URL}/chat/completions",
        json=body,
        headers={"Authorization": "Bearer x"},
        stream=True,
        timeout=60,
    )
    for line in answer.iter_lines():
        if not line.startswith(b"data: ") or line == b"data: [DONE]":
            continue
        for choice in json.loads(line[6:])["choices"]:
            text = choice["delta"].get("content")
            if text:
                yield text


def frames(body: object) -> Iterator[str]:
    waiting: list[str] = []
    for text in deltas(body):
        waiting.append(text)
        if len(waiting) == DELTAS_PER_FRAME:
            yield f"data: {json.dumps({'text': ''.join(waiting)})}\n\n"
            waiting = []
    if waiting:
        yield f"data: {json.dumps({'text': ''.join(waiting)})}\n\n"
    yield "data: [DONE]\n\n"


@app.post("/v1/chat/completions")
def answer() -> Response:
    return Response(frames(request.get_json()), mimetype="text/event-stream")
