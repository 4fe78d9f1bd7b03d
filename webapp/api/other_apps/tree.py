"""Turns the nodes of another app's conversation into our own export file.

Other apps keep nodes that are no messages: system prompts, tool calls, empty roots. They are left out, and what is below
them moves up, so that the branches stay.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Literal

import msgspec

from webapp.api import image_upload
from webapp.api.import_reader import MAX_MESSAGES, VERSION, ExportedImage, ExportFile
from webapp.api.other_apps.fields import bad_place
from webapp.chat import FinishReason, TextPart
from webapp.conversation import (
    MAX_IMAGES,
    MAX_STORED_IMAGES,
    BrokenTree,
    ImageRef,
    Message,
    MessageState,
    StoredPart,
    sort_parents_first,
)
from webapp.errors import InvalidRequest
from webapp.offload import yield_control

MAX_NODES = 5 * MAX_MESSAGES  # with those that are no messages
_MAX_TITLE_CHARS = 200
_MAX_NAME_CHARS = 200
_MAX_SYSTEM_CHARS = 100_000
_MAX_MS = 2**31 - 1
_YIELD_EVERY = 200
_NOTHING_LEFT = "[…]"  # the text of a question whose images could not be imported

LeftOutReason = Literal[
    "not_in_file", "too_many", "image_too_large", "bad_image", "animated_image", "in_answer"
]


class LeftOut(msgspec.Struct, frozen=True):
    """Images or files of a conversation that could not be imported for one reason."""

    kind: Literal["image", "file"]
    reason: LeftOutReason
    count: int


class Node(msgspec.Struct, kw_only=True):
    """A node of another app's tree. With neither role nor reasoning, it only connects others."""

    id: str
    parent: str | None
    path: str  # its place in the file
    role: Literal["user", "assistant"] | None = None
    text: str = ""
    images: list[str] = []  # data URLs
    reasoning: str = ""
    created_at: int | None = None
    state: MessageState = "done"
    model: str = ""
    finish_reason: FinishReason | None = None
    error: str | None = None
    thought_ms: int | None = None
    continues: bool = False  # the app goes on with the same answer in a child
    children: Sequence[str] = ()  # in the app's order, where it has one


class Draft(msgspec.Struct, kw_only=True):
    """A conversation as another app's reader found it."""

    nodes: list[Node] = []
    title: str = ""
    system: str = ""
    created_at: int | None = None
    updated_at: int | None = None
    leaf: str | None = None
    leaf_path: str = ""
    parent_key: str = "parent"  # the app's names of the two fields, for errors
    id_key: str = "id"
    nodes_path: str = ""
    left_out: Counter[tuple[Literal["image", "file"], LeftOutReason]] = msgspec.field(default_factory=Counter)

    def add(self, node: Node) -> None:
        """Add a node. Raises `InvalidRequest` when there are too many."""
        if len(self.nodes) >= MAX_NODES:
            raise _too_many(self.nodes_path)
        self.nodes.append(node)

    def leave_out(self, kind: Literal["image", "file"], reason: LeftOutReason = "not_in_file") -> None:
        """Count an image or a file that cannot be imported."""
        self.left_out[kind, reason] += 1


class Converted(msgspec.Struct, frozen=True):
    """A conversation in our own format, and what of it could not be imported."""

    file: ExportFile
    updated_at: int | None
    left_out: list[LeftOut]


def convert(draft: Draft) -> Converted:
    """Convert a draft. Raises `InvalidRequest` that names the place."""
    if len(draft.system) > _MAX_SYSTEM_CHARS:
        raise bad_place("system", f"may have at most {_MAX_SYSTEM_CHARS} characters")
    _fill_parents(draft)
    order = _sort(draft)
    tree = _Tree(draft)
    for count, index in enumerate(order):
        if count % _YIELD_EVERY == 0:
            yield_control()
        tree.add(draft.nodes[index])
    if not tree.messages:
        raise bad_place(draft.nodes_path, "has no messages", "no_messages")
    file = ExportFile(
        freshet=VERSION,
        messages=list(tree.messages.values()),
        title=_shorten(draft.title, _MAX_TITLE_CHARS),
        system=draft.system or None,
        leaf=tree.place.get(draft.leaf or "") or tree.newest_leaf(),
        created_at=draft.created_at,
        images=tree.images,
    )
    left_out = [LeftOut(kind, reason, count) for (kind, reason), count in draft.left_out.items()]
    return Converted(file, draft.updated_at, left_out)


def _fill_parents(draft: Draft) -> None:
    """Set the parents that only the lists of children name: some tools write no others."""
    above = {child: node.id for node in reversed(draft.nodes) for child in node.children}
    for node in draft.nodes:
        if node.parent is None:
            node.parent = above.get(node.id)


def _sort(draft: Draft) -> list[int]:
    """Return the indexes of the nodes, parents first and siblings in the app's order."""
    try:
        order = sort_parents_first([(node.id, node.parent) for node in draft.nodes])
    except BrokenTree as broken:
        field = draft.parent_key if broken.field == "parent" else draft.id_key
        raise bad_place(f"{draft.nodes[broken.index].path}.{field}", broken.reason) from None
    if draft.leaf is not None and not any(node.id == draft.leaf for node in draft.nodes):
        raise bad_place(draft.leaf_path, "is not the id of a message of this conversation")
    rank = {child: at for node in draft.nodes for at, child in enumerate(node.children)}
    depth: dict[str | None, int] = {None: 0}
    for index in order:
        node = draft.nodes[index]
        depth[node.id] = depth[node.parent] + 1
    order.sort(key=lambda index: (depth[draft.nodes[index].id], rank.get(draft.nodes[index].id, MAX_NODES)))
    return order


class _Tree:
    """The messages so far."""

    def __init__(self, draft: Draft) -> None:
        self.messages: dict[str, Message] = {}
        self.images: dict[str, ExportedImage] = {}
        self.place: dict[str, str | None] = {}  # of each node, the id of the last message at or above it
        self._draft = draft
        self._reasoning: dict[str, Node] = {}  # thoughts whose answer is still to come, by their node
        self._open: set[str] = set()  # answers that a child goes on with
        self._passed: set[str] = set()  # nodes that are no messages
        self._branched: set[str | None] = set()  # those with siblings, and those below them
        self._children: Counter[str | None] = Counter(node.parent for node in draft.nodes)

    def add(self, node: Node) -> None:
        """Add a node whose parent was added before."""
        parent = None if node.parent is None else self.place[node.parent]
        thoughts = self._reasoning.pop(node.parent or "", None)
        if thoughts is not None and node.role != "user":
            node.reasoning = "\n\n".join(filter(None, (thoughts.reasoning, node.reasoning)))
            node.thought_ms = node.thought_ms or thoughts.thought_ms
        elif thoughts is not None:
            parent = self._add_stopped(thoughts, parent)
        if node.role is None:
            self._pass(node, parent)
            return
        if node.role == "assistant" and parent is not None and self._is_continued(node, parent):
            self._append(node, parent)
            return
        self._check_count()
        self.messages[node.id] = self._message(node, parent)
        self.place[node.id] = node.id
        if node.continues:
            self._open.add(node.id)

    def newest_leaf(self) -> str:
        """Return the newest message that has no children."""
        parents = {message.parent for message in self.messages.values()}
        leaves = [message for message in self.messages.values() if message.id not in parents]
        return max(reversed(leaves), key=lambda message: message.created_at).id

    def _pass(self, node: Node, parent: str | None) -> None:
        """Note a node that is no message. Thoughts that no answer follows become an empty one, which was stopped."""
        self._passed.add(node.id)
        if self._children[node.parent] > 1 or node.parent in self._branched:
            self._branched.add(node.id)
        if node.reasoning and not self._children[node.id]:
            self.place[node.id] = self._add_stopped(node, parent)
            return
        self.place[node.id] = parent
        if node.reasoning:
            self._reasoning[node.id] = node

    def _add_stopped(self, node: Node, parent: str | None) -> str:
        self._check_count()
        node.role, node.state = "assistant", "cancelled"
        self.messages[node.id] = self._message(node, parent)
        return node.id

    def _is_continued(self, node: Node, parent: str) -> bool:
        """Return whether the answer `parent` goes on in this node, as around the calls of tools."""
        is_only = self._children[node.parent] == 1 and node.parent not in self._branched
        if self.messages[parent].role != "assistant" or not is_only:
            return False
        return parent in self._open or node.parent in self._passed

    def _append(self, node: Node, parent: str) -> None:
        before = self.messages[parent]
        added = self._message(node, before.parent)
        text = "\n\n".join(filter(None, (before.text, added.text)))
        self.messages[parent] = msgspec.structs.replace(
            before,
            content=(TextPart(text),) if text else (),
            reasoning="\n\n".join(filter(None, (before.reasoning, added.reasoning))),
            state=added.state,
            finish_reason=added.finish_reason,
            error=added.error,
            model=added.model or before.model,
            thought_ms=before.thought_ms or added.thought_ms,
        )
        self.place[node.id] = parent
        (self._open.add if node.continues else self._open.discard)(parent)

    def _message(self, node: Node, parent: str | None) -> Message:
        # A message is younger than the one before it, also where the app notes one time for both, or none.
        above = self.messages[parent].created_at + 1 if parent is not None else 0
        created_at = max(above, node.created_at or self._draft.created_at or 0)
        is_answer = node.role == "assistant"
        content: list[StoredPart] = [TextPart(node.text)] if node.text else []
        content += self._add_images(node)
        if not content and not is_answer:
            content.append(TextPart(_NOTHING_LEFT))
        return Message(
            id=node.id,
            parent=parent,
            role="assistant" if is_answer else "user",
            content=tuple(content),
            created_at=created_at,
            state=node.state if is_answer else "done",
            reasoning=node.reasoning if is_answer else "",
            model=_shorten(node.model, _MAX_NAME_CHARS) or None if is_answer else None,
            finish_reason=node.finish_reason if is_answer else None,
            error=node.error if is_answer else None,
            thought_ms=min(node.thought_ms, _MAX_MS) if is_answer and node.thought_ms else None,
        )

    def _add_images(self, node: Node) -> list[ImageRef]:
        """Return references to a node's images, after storing those that can be imported."""
        found: list[ImageRef] = []
        for index, url in enumerate(node.images):
            if node.role == "assistant":  # neither the page nor the providers have a place for them
                self._draft.leave_out("image", "in_answer")
            elif not url.startswith("data:"):
                self._draft.leave_out("image", "not_in_file")
            elif len(found) >= MAX_IMAGES:
                self._draft.leave_out("image", "too_many")
            elif isinstance(image := self._add_image(f"{node.path}.images[{index}]", url), str):
                self._draft.leave_out("image", image)
            else:
                found.append(image)
        return found

    def _add_image(self, path: str, url: str) -> ImageRef | LeftOutReason:
        try:
            declared, raw = image_upload.read_data_url(path, url)
            info = image_upload.check(raw, declared)
        except InvalidRequest:
            return "bad_image"
        except image_upload.BadImage as bad:
            if bad.code in ("image_too_large", "animated_image"):
                return "image_too_large" if bad.code == "image_too_large" else "animated_image"
            return "bad_image"
        key = hashlib.sha256(raw).hexdigest()
        if key not in self.images and len(self.images) >= MAX_STORED_IMAGES:
            return "too_many"
        self.images[key] = ExportedImage(info.media_type, base64.b64encode(raw).decode())
        return ImageRef(image=key, media_type=info.media_type, width=info.width, height=info.height)

    def _check_count(self) -> None:
        if len(self.messages) >= MAX_MESSAGES:
            raise _too_many(self._draft.nodes_path)


def _too_many(path: str) -> InvalidRequest:
    return bad_place(
        path, f"has too many messages: a conversation may have at most {MAX_MESSAGES}", "too_many_messages"
    )


def _shorten(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
