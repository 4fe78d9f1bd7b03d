"""Writes a conversation as Markdown, for the export that people read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from webapp.chat import TextPart
from webapp.conversation import Message, find_branch
from webapp.events import Source
from webapp.store.rows import ConversationHead


def conversation_to_markdown(
    head: ConversationHead, messages: Sequence[Message], documents: Sequence[str] = ()
) -> str:
    """Return the current branch as Markdown, with the names of the conversation's documents."""
    by_id = {message.id: message for message in messages}
    ids = find_branch({id_: message.parent for id_, message in by_id.items()}, head.leaf)
    parts = [f"# {_escape_markdown(head.title)}"]
    if head.system:
        parts.append("\n".join(f"> {line}" for line in head.system.splitlines()))
    if documents:
        parts.append("Documents:\n\n" + "\n".join(f"- {_escape_markdown(name)}" for name in documents))
    for id_ in ids:
        message = by_id[id_]
        author = "You" if message.role == "user" else _escape_markdown(message.model or "Answer")
        pieces = [piece.text if isinstance(piece, TextPart) else "*(an image)*" for piece in message.content]
        parts += [f"## {author}", *pieces]
        if message.sources:
            parts.append("\n".join(_source_line(source) for source in message.sources))
        if message.state not in ("done", "streaming"):
            parts.append(f"*({message.state})*")
    return "\n\n".join(parts) + "\n"


def _source_line(source: Source) -> str:
    name = _escape_markdown(" ".join(source.title.split())) or f"<{source.source}>"
    link = f"[{name}](<{source.source}>)" if source.title and source.source else name
    return f"{source.n}. {link}"


def _escape_markdown(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>#])", r"\\\1", text)
