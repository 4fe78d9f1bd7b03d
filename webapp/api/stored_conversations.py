"""The wire form of stored conversations, and of an answer in them that is still being generated."""

from __future__ import annotations

from typing import Any

import msgspec

from webapp.chat import TextPart
from webapp.conversation import Message
from webapp.runs.registry import Runs
from webapp.runs.run import Run
from webapp.store.rows import Head

SETTLE_S = 0.3  # how long an endpoint waits for a write that is under way


def head_body(head: Head) -> dict[str, Any]:
    """Return a conversation without its messages."""
    return {
        "id": head.id,
        "title": head.title,
        "system": head.system,
        "leaf": head.leaf,
        "created_at": head.created_at,
        "updated_at": head.updated_at,
    }


def run_id(run: Run | None) -> str | None:
    """Return the id of a run, None where there is no run."""
    return None if run is None else run.id


def current_message(message: Message, conversation: str, runs: Runs) -> Message:
    """Return a message as it is now: an answer that is not stored whole is streaming, has just ended, or was interrupted.

    The text of a streaming answer comes with its run.
    """
    if message.state != "streaming":
        return message
    run = runs.answering(message.id, conversation)
    if run is None:  # it was made by a process that is gone
        return msgspec.structs.replace(message, state="interrupted", error="interrupted")
    if run.ended_at is None:
        return message
    receipt = run.receipt()
    text = run.log.text_of("text")
    return msgspec.structs.replace(
        message,
        state=receipt.state,
        content=(TextPart(text),) if text else (),
        reasoning=run.log.text_of("reasoning"),
        usage=receipt.usage,
        cost=receipt.cost,
        finish_reason=receipt.finish_reason,
    )
