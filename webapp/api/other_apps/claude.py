"""Reads a conversation of Claude's `conversations.json`."""

from __future__ import annotations

import re

from webapp.api.other_apps.fields import JsonObject, bad_place
from webapp.api.other_apps.texts import fenced, with_document
from webapp.api.other_apps.tree import Draft, Node

_NO_PARENT = re.compile(r"0{8}-0{4}-[04]0{3}-[08]0{3}-0{12}")
_IMAGE_NAME = re.compile(r"\.(?:png|jpe?g|gif|webp|heic|bmp|svg)$", re.I)


def read(conversation: JsonObject) -> Draft:
    """Return a conversation. Raises `InvalidRequest` that names the place."""
    draft = Draft(
        title=conversation.text("name") or conversation.text("title"),
        created_at=conversation.time("created_at"),
        updated_at=conversation.time("updated_at"),
        leaf=conversation.text("current_leaf_message_uuid") or None,
        leaf_path=conversation.at("current_leaf_message_uuid"),
        parent_key="parent_message_uuid",
        id_key="uuid",
        nodes_path=conversation.at("chat_messages"),
    )
    model = conversation.text("model")
    messages = list(conversation.objects("chat_messages"))
    is_tree = any("parent_message_uuid" in message for message in messages)
    above: str | None = None  # an older export is a list
    for index, message in enumerate(messages):
        name = message.text("uuid") or f"#{index}"
        parent = message.text("parent_message_uuid") or None if is_tree else above
        if parent is not None and _NO_PARENT.fullmatch(parent):
            parent = None
        draft.add(_read_message(draft, message, name, parent, model))
        above = name
    return draft


def _read_message(draft: Draft, message: JsonObject, name: str, parent: str | None, model: str) -> Node:
    sender = message.text("sender")
    if sender not in ("human", "user", "assistant"):
        raise bad_place(message.at("sender"), "must be human or assistant")
    node = Node(
        id=name, parent=parent, path=message.path, role="assistant" if sender == "assistant" else "user"
    )
    node.created_at = message.time("created_at")
    _read_content(draft, node, message)
    for attachment in message.objects("attachments"):
        content = attachment.text("extracted_content")
        if content:
            node.text = with_document(node.text, attachment.text("file_name"), content)
        else:
            draft.leave_out("file")
    for file in message.objects("files"):
        is_image = file.text("file_kind") == "image" or _IMAGE_NAME.search(file.text("file_name"))
        draft.leave_out("image" if is_image else "file")
    if node.role == "assistant":
        node.model = message.text("model") or model
    return node


def _read_content(draft: Draft, node: Node, message: JsonObject) -> None:
    """Read the blocks of a message. Calls of tools are left out, but not what Claude wrote with one."""
    texts: list[str] = []
    thoughts: list[str] = []
    for block in message.objects("content"):
        match block.text("type"):
            case "text":
                texts.append(block.text("text"))
            case "thinking":
                thoughts.append(block.text("thinking"))
            case "tool_use":
                texts.append(_artifact(block))
            case "image":
                _read_image(draft, node, block)
    node.text = "\n\n".join(filter(None, texts)) or message.text("text")
    node.reasoning = "\n\n".join(filter(None, thoughts))


def _artifact(block: JsonObject) -> str:
    """Return the text of a document that Claude wrote beside the answer; empty for a call of another tool."""
    fields = block.object("input") if block.text("name") == "artifacts" else None
    content = fields.text("content") if fields else ""
    if fields is None or not content:
        return ""
    title = fields.text("title")
    block_text = (
        content if fields.text("type") == "text/markdown" else fenced(content, fields.text("language"))
    )
    return f"**{title}**\n\n{block_text}" if title else block_text


def _read_image(draft: Draft, node: Node, block: JsonObject) -> None:
    source = block.object("source")
    if source is not None and source.text("type") == "base64":
        node.images.append(f"data:{source.text('media_type')};base64,{source.text('data')}")
    else:
        draft.leave_out("image")
