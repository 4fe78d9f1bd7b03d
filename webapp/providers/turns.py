"""Changes the messages of a request into a form that strict models accept."""

from __future__ import annotations

from collections.abc import Sequence

from webapp.chat import ModelMessage, Part, TextPart


def merge_turns(messages: Sequence[ModelMessage]) -> list[ModelMessage]:
    """Return the messages with neighbours of the same role (and name) merged, and without empty answers.

    Two questions follow each other where an answer was stopped before its first word; many models' chat templates refuse
    such a conversation.
    """
    merged: list[ModelMessage] = []
    for message in messages:
        if message.role == "assistant" and not message.content:
            continue
        if merged and (merged[-1].role, merged[-1].name) == (message.role, message.name):
            merged[-1] = _merge(merged[-1], message)
        else:
            merged.append(message)
    return merged


def fold_system(messages: Sequence[ModelMessage]) -> list[ModelMessage]:
    """Return the messages with the system's texts at the beginning of the first question, for models without that role."""
    texts = [message.text for message in messages if message.role == "system" and message.text]
    turns = [message for message in messages if message.role != "system"]
    if not texts:
        return turns
    return merge_turns([ModelMessage.user("\n\n".join(texts)), *turns])


def _merge(first: ModelMessage, second: ModelMessage) -> ModelMessage:
    if isinstance(first.content, str) and isinstance(second.content, str):
        separator = "\n\n" if first.content and second.content else ""
        return ModelMessage(first.role, f"{first.content}{separator}{second.content}", first.name)
    parts: tuple[Part, ...] = (*first.parts, *second.parts)
    return ModelMessage(
        first.role, tuple(part for part in parts if not isinstance(part, TextPart) or part.text)
    )
