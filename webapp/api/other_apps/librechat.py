"""Reads an export of LibreChat, which is one conversation: a list of messages, or nested ones."""

from __future__ import annotations

from typing import Any

from webapp.api.other_apps.fields import JsonObject, bad_place
from webapp.api.other_apps.texts import split_thoughts
from webapp.api.other_apps.tree import Draft, Node
from webapp.chat import FinishReason

NO_PARENT = "00000000-0000-0000-0000-000000000000"
_FINISH_REASONS: dict[str, FinishReason] = {
    "length": "length",
    "max_tokens": "length",
    "incomplete": "length",
    "content_filter": "content_filter",
    "stop": "stop",
}


def read(conversation: JsonObject) -> Draft:
    """Return a conversation. Raises `InvalidRequest` that names the place."""
    options = conversation.object("options")
    key = "messagesTree" if "messagesTree" in conversation else "messages"
    draft = Draft(
        title=conversation.text("title"),
        system=_system(options) or _system(conversation),
        created_at=conversation.time("createdAt"),
        updated_at=conversation.time("updatedAt"),
        parent_key="parentMessageId",
        id_key="messageId",
        nodes_path=conversation.at(key),
    )
    waiting: list[tuple[JsonObject, str | None]] = [(message, None) for message in conversation.objects(key)]
    waiting.reverse()
    while waiting:  # not recursive: a conversation is as deep as it is long
        message, above = waiting.pop()
        name = message.text("messageId")
        if not name:
            raise bad_place(message.at("messageId"), "must be the id of the message")
        parent = above or message.text("parentMessageId")
        draft.add(_read_message(draft, message, name, None if parent in ("", NO_PARENT) else parent))
        # The place of a nested message begins at its parent's id: that of the last of ten thousand would be very long.
        nested = message.moved_to(f"{draft.nodes_path}[{name[:60]}]")
        waiting.extend(reversed([(child, name) for child in nested.objects("children")]))
    if draft.created_at is None:
        times = [node.created_at for node in draft.nodes if node.created_at is not None]
        draft.created_at = min(times, default=None)
        draft.updated_at = draft.updated_at or max(times, default=None)
    return draft


def _system(fields: JsonObject | None) -> str:
    return (fields.text("promptPrefix") or fields.text("system")) if fields else ""


def _read_message(draft: Draft, message: JsonObject, name: str, parent: str | None) -> Node:
    is_user = message.flag("isCreatedByUser")
    if is_user is None:
        is_user = message.text("sender").lower() == "user"
    node = Node(id=name, parent=parent, path=message.path, role="user" if is_user else "assistant")
    node.created_at = message.time("createdAt")
    _read_content(draft, node, message)
    node.text = node.text or message.text("text")
    for key in ("files", "attachments"):
        for file in message.objects(key):
            _read_file(draft, node, file)
    if is_user:
        return node
    if not node.reasoning:
        node.reasoning, node.text = split_thoughts(node.text)
    node.model = message.text("model")
    node.finish_reason = _FINISH_REASONS.get(message.text("finish_reason"))
    if message.flag("unfinished"):
        node.state = "interrupted"
    if message.flag("error"):
        node.state, node.error = "failed", "internal"
    return node


def _read_content(draft: Draft, node: Node, message: JsonObject) -> None:
    texts: list[str] = []
    thoughts: list[str] = []
    for index, item in enumerate(message.items("content")):
        path = f"{message.at('content')}[{index}]"
        if isinstance(item, str):
            texts.append(item)
            continue
        if not isinstance(item, dict):
            raise bad_place(path, "must be an object")
        part = JsonObject(item, path)
        kind = part.text("type")
        if kind == "text":
            texts.append(_value(part, "text"))
        elif kind == "think":
            thoughts.append(_value(part, "think"))
        elif kind == "error":
            node.state, node.error = "failed", "internal"
        elif kind == "image_url":
            node.images.append(_image_url(part))
        elif kind == "image_file":
            draft.leave_out("image")
    node.text = "\n\n".join(filter(None, texts))
    node.reasoning = "\n\n".join(filter(None, thoughts))


def _value(part: JsonObject, key: str) -> str:
    """Return a text that is given as such, or as an object with a `value`."""
    raw: Any = part.raw(key)
    nested = part.object(key) if isinstance(raw, dict) else None
    return nested.text("value") if nested else part.text(key)


def _image_url(part: JsonObject) -> str:
    raw: Any = part.raw("image_url")
    nested = part.object("image_url") if isinstance(raw, dict) else None
    return nested.text("url") if nested else part.text("image_url")


def _read_file(draft: Draft, node: Node, file: JsonObject) -> None:
    is_image = file.text("type").startswith("image/")
    address = file.text("filepath") or file.text("url")
    if is_image and address.startswith("data:"):
        node.images.append(address)
    else:
        draft.leave_out("image" if is_image else "file")
