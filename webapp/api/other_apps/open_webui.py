"""Reads a chat of an Open WebUI export: a list of chats, or the chat alone."""

from __future__ import annotations

from typing import Any

from webapp.api.other_apps.fields import JsonObject, bad_place
from webapp.api.other_apps.texts import split_details, split_thoughts, with_document
from webapp.api.other_apps.tree import Draft, Node

_ROLES = ("user", "assistant")


def read(item: JsonObject) -> Draft:
    """Return a conversation. Raises `InvalidRequest` that names the place."""
    chat = item.object("chat") or item
    params, history = chat.object("params"), chat.object("history")
    draft = Draft(
        title=item.text("title") or chat.text("title"),
        system=chat.text("system") or (params.text("system") if params else ""),
        created_at=item.time("created_at") or chat.time("timestamp"),
        updated_at=item.time("updated_at"),
        parent_key="parentId",
        nodes_path=chat.at("messages"),
    )
    messages = history.object("messages") if history else None
    if history is not None and messages is not None:
        draft.nodes_path = messages.path
        draft.leaf, draft.leaf_path = history.text("currentId") or None, history.at("currentId")
        for key, message in messages.members():
            if message.text("id") not in ("", key):
                raise bad_place(message.at("id"), "is not the name of its message")
            draft.add(_read_message(draft, message, key, message.text("parentId") or None))
        return draft
    above: str | None = None  # an old export has a list only
    for index, message in enumerate(chat.objects("messages")):
        name = message.text("id") or f"#{index}"
        parent = message.text("parentId") or None if "parentId" in message else above
        draft.add(_read_message(draft, message, name, parent))
        above = name
    return draft


def _read_message(draft: Draft, message: JsonObject, name: str, parent: str | None) -> Node:
    role = message.text("role")
    node = Node(id=name, parent=parent, path=message.path, children=message.texts("childrenIds"))
    node.created_at = message.time("timestamp")
    node.text = _read_content(node, message)
    if role == "system" and parent is None and not draft.system:
        draft.system = node.text
    if role not in _ROLES:
        return node
    node.role = "assistant" if role == "assistant" else "user"
    for file in message.objects("files"):
        _read_file(draft, node, file)
    if node.role == "assistant":
        _read_answer(node, message)
    return node


def _read_answer(node: Node, message: JsonObject) -> None:
    node.model = message.text("model")
    thoughts, node.text, node.thought_ms = split_details(node.text)
    if not thoughts:
        thoughts, node.text = split_thoughts(node.text)
    output = list(message.objects("output")) if isinstance(message.raw("output"), list) else []
    node.reasoning = thoughts or message.text("reasoning_content") or _output_text(output, "reasoning")
    node.text = node.text or _output_text(output, "message")
    if message.flag("done") is False:
        node.state = "interrupted"
    if message.raw("error") not in (None, False, "", {}):
        node.state, node.error = "failed", "internal"


def _output_text(output: list[JsonObject], kind: str) -> str:
    """Return the texts of the items of a kind in the newer form of an answer."""
    parts = [
        part.text("text") for item in output if item.text("type") == kind for part in item.objects("content")
    ]
    return "\n\n".join(filter(None, parts))


def _read_content(node: Node, message: JsonObject) -> str:
    """Return a message's text, which may come in parts."""
    content: Any = message.raw("content")
    if not isinstance(content, list):
        return message.text("content")
    texts = []
    for part in message.objects("content"):
        texts.append(part.text("text"))
        if image := part.object("image_url"):
            node.images.append(image.text("url"))
    return "\n".join(filter(None, texts))


def _read_file(draft: Draft, node: Node, file: JsonObject) -> None:
    kind = file.text("type")
    if kind == "image" or file.text("content_type").startswith("image/"):
        node.images.append(file.text("url"))
        return
    stored = file.object("file")
    data = stored.object("data") if stored else None
    content = data.text("content") if data else ""
    if content:
        name = file.text("name") or (stored.text("filename") if stored else "")
        node.text = with_document(node.text, name, content)
    else:
        draft.leave_out("file")
