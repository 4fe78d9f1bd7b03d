"""Responses made of given frames, for what no provider sends."""

import json
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Route


def respond_with_frames(*frames: dict[str, Any]) -> Callable[[Route], None]:
    """Answer `POST /stream` with these frames between a start and an end."""

    def handle(route: Route) -> None:
        run = route.request.post_data_json["run"]
        start = {"start": {"v": 1, "run": run, "provider": "openai", "model": "gpt-4.1"}}
        records = [f"data: {json.dumps(start)}\n\n"]
        records += [
            f"id: {run}:2:{seq}\ndata: {json.dumps(frame)}\n\n" for seq, frame in enumerate(frames, 1)
        ]
        done = json.dumps({"done": True, "finish_reason": "stop"})
        records.append(f"id: {run}:2:{len(frames) + 1}\nevent: done\ndata: {done}\n\n")
        route.fulfill(status=200, content_type="text/event-stream", body="".join(records))

    return handle
