"""The wire form of what is kept: conversations, messages, images."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Response

from webapp.chat import TextPart
from webapp.conversation import Message
from webapp.runs.registry import Runs
from webapp.runs.run import Run
from webapp.store.pictures import Picture
from webapp.store.rows import Head

SETTLE_S = 0.3  # how long a door waits for what is about to be saved
_KEPT_FOR_S = 365 * 24 * 3600
_ENCODE = msgspec.json.Encoder(decimal_format="number").encode


def reply(body: object, status: int = 200) -> Response:
    """Answer with JSON that nothing keeps; amounts of money are numbers."""
    response = Response(_ENCODE(body), status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def head_body(head: Head) -> dict[str, Any]:
    """Tell of a conversation without its messages."""
    return {
        "id": head.id,
        "title": head.title,
        "system": head.system,
        "leaf": head.leaf,
        "created_at": head.created_at,
        "updated_at": head.updated_at,
    }


def name_of(run: Run | None) -> str | None:
    """Name a run, if there is one."""
    return None if run is None else run.id


def as_it_is(message: Message, conversation: str, runs: Runs) -> Message:
    """Tell an answer that was not stored whole as it stands: being made, ended just now, or interrupted.

    The text of one that is being made comes with its run.
    """
    if message.state != "streaming":
        return message
    run = runs.answering(message.id, conversation)
    if run is None:  # it was made by a process that is gone
        return msgspec.structs.replace(message, state="interrupted", error="interrupted")
    if run.ended_at is None:
        return message
    receipt = run.receipt()
    text = run.log.said("text")
    return msgspec.structs.replace(
        message,
        state=receipt.state,
        content=(TextPart(text),) if text else (),
        reasoning=run.log.said("reasoning"),
        usage=receipt.usage,
        cost=receipt.cost,
        finish_reason=receipt.finish_reason,
    )


def picture_reply(picture: Picture) -> Response:
    """Answer with an image. It was checked when it came; a browser is told to take it for nothing else."""
    response = Response(picture.content, mimetype=picture.media_type)
    response.headers["Cache-Control"] = f"private, max-age={_KEPT_FOR_S}, immutable"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
