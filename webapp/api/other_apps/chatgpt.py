"""Reads a conversation of ChatGPT's `conversations.json`.

`mapping` is a tree of nodes. Images are pointers to other files of the export. The page puts those it finds in the zip file into a
field of its own, `image_files`: data URLs by the id of the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from webapp.api.other_apps.fields import JsonObject, bad_place
from webapp.api.other_apps.texts import fenced, without_citations
from webapp.api.other_apps.tree import Draft, Node
from webapp.chat import FinishReason
from webapp.conversation import MessageState

_CODE_READERS = ("", "all", "python")  # code for another reader is a call of a tool
_FILE_ID = re.compile(r"//(file[-_][A-Za-z0-9]+)")
_FINISH_REASONS: dict[str, FinishReason] = {"max_tokens": "length", "content_filter": "content_filter"}
_STATES: dict[str, MessageState] = {"in_progress": "interrupted", "finished_partial_completion": "cancelled"}


def read(conversation: JsonObject) -> Draft:
    """Return a conversation. Raises `InvalidRequest` that names the place."""
    mapping = conversation.object("mapping")
    draft = Draft(
        title=conversation.text("title"),
        created_at=conversation.time("create_time"),
        updated_at=conversation.time("update_time"),
        leaf=conversation.text("current_node") or None,
        leaf_path=conversation.at("current_node"),
        nodes_path=conversation.at("mapping"),
    )
    model = conversation.text("default_model_slug")
    files = conversation.raw("image_files")
    files = files if isinstance(files, dict) else {}
    for key, item in mapping.members() if mapping else ():
        if item.text("id") not in ("", key):
            raise bad_place(item.at("id"), "is not the name of its node")
        node = Node(
            id=key, parent=item.text("parent") or None, path=item.path, children=item.texts("children")
        )
        if message := item.object("message"):
            _read_message(draft, node, message, model, files)
        draft.add(node)
    return draft


def _read_message(
    draft: Draft, node: Node, message: JsonObject, model: str, files: Mapping[str, Any]
) -> None:
    author, content = message.object("author"), message.object("content")
    metadata = message.object("metadata")
    role = author.text("role") if author else ""
    kind = content.text("content_type") if content else ""
    node.created_at = message.time("create_time")
    if content is None:
        return
    if kind == "thoughts":
        node.reasoning = "\n\n".join(_thoughts(content))
        return
    if kind == "reasoning_recap":
        seconds = metadata.number("finished_duration_sec") if metadata else None
        node.thought_ms = int(min(max(seconds or 0, 0), 1e6) * 1000) or None
        return
    recipient = message.text("recipient")
    images: list[str] = []
    text = _text(draft, content, kind, recipient, files, images)
    is_hidden = message.number("weight") == 0 or (
        metadata is not None and metadata.flag("is_visually_hidden_from_conversation") is True
    )
    if (
        role not in ("user", "assistant")
        or is_hidden
        or text is None
        or (role == "assistant" and (not text.strip() or (recipient not in ("", "all") and kind != "code")))
    ):
        for _ in images:  # of a tool that draws
            draft.leave_out("image", "in_answer")
        return
    node.images = images
    node.role = "assistant" if role == "assistant" else "user"
    node.text = without_citations(text)
    node.continues = message.flag("end_turn") is False
    node.state = _STATES.get(message.text("status"), "done")
    node.model = (metadata.text("model_slug") if metadata else "") or model
    details = metadata.object("finish_details") if metadata else None
    if details is not None:
        node.finish_reason = _FINISH_REASONS.get(details.text("type"))
        if details.text("type") == "interrupted":
            node.state = "cancelled"
    for attachment in metadata.objects("attachments") if metadata else ():
        if not attachment.text("mime_type").startswith("image/"):  # an image is a part of the text, too
            draft.leave_out("file")


def _text(
    draft: Draft,
    content: JsonObject,
    kind: str,
    recipient: str,
    files: Mapping[str, Any],
    images: list[str],
) -> str | None:
    """Return the text of a message, and add its images to `images`; None if it is no message."""
    if kind in ("text", "multimodal_text"):
        parts = [
            _part(draft, content, index, part, files, images)
            for index, part in enumerate(content.items("parts"))
        ]
        return "\n".join(filter(None, parts))
    if kind == "code":
        language = content.text("language").replace("unknown", "")
        code = content.text("text")
        return fenced(code, language) if recipient in _CODE_READERS and code.strip() else None
    return None


def _part(
    draft: Draft, content: JsonObject, index: int, part: Any, files: Mapping[str, Any], images: list[str]
) -> str:
    """Return the text of a part of a message; empty if it has none. Adds an image that the export has to `images`."""
    path = f"{content.at('parts')}[{index}]"
    if part is None or isinstance(part, str):
        return part or ""
    if not isinstance(part, dict):
        raise bad_place(path, "must be a string or an object")
    fields = JsonObject(part, path)
    kind = fields.text("content_type")
    if kind == "image_asset_pointer":
        found = _FILE_ID.search(fields.text("asset_pointer"))
        url = files.get(found[1]) if found else None
        if isinstance(url, str):
            images.append(url)
        else:
            draft.leave_out("image")
    elif kind.endswith("asset_pointer"):
        draft.leave_out("file")
    return fields.text("text")


def _thoughts(content: JsonObject) -> list[str]:
    found = []
    for thought in content.objects("thoughts"):
        summary, text = thought.text("summary"), thought.text("content")
        found.append(f"{summary}\n\n{text}" if summary and text else summary or text)
    return list(filter(None, found))
