"""JSON bodies of stored conversations."""

from __future__ import annotations

from typing import Any

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
