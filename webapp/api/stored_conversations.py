"""JSON bodies of stored conversations, with the current state of answers that are still being generated."""

from __future__ import annotations

from typing import Any

import msgspec

from webapp.chat import TextPart
from webapp.conversation import Message
from webapp.errors import Unavailable
from webapp.runs.registry import Runs
from webapp.store.rows import ConversationHead

SETTLE_S = 0.3  # how long an endpoint waits for a pending write


def conversation_body(head: ConversationHead) -> dict[str, Any]:
    """Return the JSON body of a conversation, without its messages."""
    return {
        "id": head.id,
        "title": head.title,
        "system": head.system,
        "leaf": head.leaf,
        "created_at": head.created_at,
        "updated_at": head.updated_at,
    }


def current_message(message: Message, conversation: str, runs: Runs) -> Message:
    """Return a message in its current state.

    A message stored as `streaming` may have ended since, which its run knows, or was interrupted, if there is no such run.
    The text of a streaming answer is not included: the client reads it from the run.
    """
    if message.state != "streaming":
        return message
    try:
        run = runs.find_in_conversation(message.id, conversation)
    except Unavailable:
        return message  # another worker may have the run: the client learns more when it reads it
    if run is None:
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
        sources=run.log.sources(),
        usage=receipt.usage,
        cost=receipt.cost,
        finish_reason=receipt.finish_reason,
    )
