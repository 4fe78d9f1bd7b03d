"""The message tree of a conversation, and the messages of it that a model gets. Pure functions.

A message names its parent. Messages with the same parent are siblings: regenerated answers or edited questions.
A branch is the path from a root to one message, the leaf.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from webapp.chat import (
    FinishReason,
    ImagePart,
    ModelMessage,
    ModelRequest,
    TextPart,
    Usage,
    estimate_input_tokens,
)
from webapp.events import Source

MAX_TITLE_CHARS = 80
MAX_IMAGES = 4  # per message
MAX_STORED_IMAGES = 1_000  # per conversation
MAX_REQUEST_IMAGES = 8  # the newest of a branch: every call sends them again, up to 2 MB each
_TITLE_SOURCE_CHARS = 2_000
_BIDI = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NO_QUESTION = "…"
_OMITTED_IMAGE = "[an image that is not shown again]"

MessageState = Literal["streaming", "done", "failed", "cancelled", "interrupted"]


class ImageRef(msgspec.Struct, frozen=True, tag_field="type", tag="image", kw_only=True, omit_defaults=True):
    """A reference to an image by its digest. Width and height are in pixels, 0 if unknown."""

    image: str
    media_type: str
    width: int = 0
    height: int = 0


StoredPart = TextPart | ImageRef


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stored message. The fields after `state` belong to answers; times are milliseconds since 1970."""

    id: str
    parent: str | None
    role: Literal["user", "assistant"]
    content: tuple[StoredPart, ...]
    created_at: int
    state: MessageState = "done"
    reasoning: str = ""
    provider: str | None = None
    model: str | None = None
    usage: Usage | None = None
    cost: Decimal | None = None
    finish_reason: FinishReason | None = None
    error: str | None = None
    thought_ms: int | None = None
    sources: tuple[Source, ...] = ()

    @property
    def text(self) -> str:
        """The text parts, joined by newlines."""
        return "\n".join(piece.text for piece in self.content if isinstance(piece, TextPart))

    @property
    def images(self) -> list[ImageRef]:
        """The references to images, in order."""
        return [piece for piece in self.content if isinstance(piece, ImageRef)]


# The tree.


def find_branch(parents: Mapping[str, str | None], leaf: str | None) -> list[str]:
    """Return the ids from the root down to `leaf`. A message with an unknown parent is a root; a cycle ends the path."""
    path: list[str] = []
    visited: set[str] = set()
    at = leaf
    while at is not None and at in parents and at not in visited:
        visited.add(at)
        path.append(at)
        at = parents[at]
    path.reverse()
    return path


def find_newest_leaf(nodes: Iterable[tuple[str, str | None]], start: str) -> str:
    """Return the leaf below a message along the newest children. `nodes` are (id, parent), the oldest first."""
    newest_child = {parent: message_id for message_id, parent in nodes if parent is not None}
    at, visited = start, {start}
    while (child := newest_child.get(at)) is not None and child not in visited:
        visited.add(child)
        at = child
    return at


def sort_parents_first(nodes: Sequence[tuple[str, str | None]]) -> list[int]:
    """Return the indexes of `nodes` sorted so that parents precede their children, otherwise in the given order.

    `nodes` are (id, parent). Raises `BrokenTree` for a repeated id, an unknown parent or a cycle.
    """
    positions: dict[str, int] = {}
    for index, (message_id, _) in enumerate(nodes):
        if message_id in positions:
            raise BrokenTree(index, "id", "is used twice")
        positions[message_id] = index
    done: set[str] = set()
    order: list[int] = []
    for index, (message_id, _) in enumerate(nodes):
        path: list[int] = []
        on_path: set[str] = set()
        at: str | None = message_id
        while at is not None and at not in done:
            if at in on_path:
                raise BrokenTree(index, "parent", "leads into a cycle")
            on_path.add(at)
            path.append(positions[at])
            parent = nodes[positions[at]][1]
            if parent is not None and parent not in positions:
                raise BrokenTree(positions[at], "parent", "is not the id of a message of this conversation")
            at = parent
        for position in reversed(path):
            done.add(nodes[position][0])
            order.append(position)
    return order


class BrokenTree(Exception):
    """The messages form no tree: `field` of the message at `index` is wrong, for the given reason."""

    def __init__(self, index: int, field: str, reason: str) -> None:
        super().__init__(f"messages[{index}].{field} {reason}")
        self.index = index
        self.field = field
        self.reason = reason


# The model's messages.


def from_first_question(messages: Sequence[Message]) -> list[Message]:
    """Return the messages from the first question on: where a branch was cut, its first may be an answer, which models refuse."""
    first = next((index for index, message in enumerate(messages) if message.role == "user"), len(messages))
    return list(messages[first:])


def branch_messages(
    messages: Sequence[Message], images: Mapping[str, str], *, accepts_images: bool = True
) -> list[ModelMessage]:
    """Convert a branch to a model's messages. `images` maps digests to base64.

    Empty messages are left out. Only the newest images are included, and none for a model that does not accept images;
    a placeholder text replaces the others. A branch that begins with an answer, such as an imported greeting, gets a
    placeholder before it, because strict models refuse one without a question.
    """
    images_left = MAX_REQUEST_IMAGES if accepts_images else 0
    found: list[ModelMessage] = []
    for message in reversed(messages):
        parts: list[TextPart | ImagePart] = []
        for part in message.content:
            if isinstance(part, TextPart):
                parts.append(part)
            elif images_left > 0 and part.image in images:
                images_left -= 1
                parts.append(ImagePart(media_type=part.media_type, data=images[part.image]))
            else:
                parts.append(TextPart(_OMITTED_IMAGE))
        if any(isinstance(model_part, ImagePart) for model_part in parts):
            found.append(ModelMessage(message.role, tuple(parts)))
        elif text := "\n".join(
            text_part.text for text_part in parts if isinstance(text_part, TextPart)
        ).strip():
            found.append(ModelMessage(message.role, message.text if not message.images else text))
    found.reverse()
    if found and found[0].role == "assistant":
        found.insert(0, ModelMessage.user(_NO_QUESTION))
    return found


def trim(
    messages: Sequence[ModelMessage], max_tokens: int | None, max_bytes: int | None = None
) -> list[ModelMessage]:
    """Drop the oldest turns until the rest has at most `max_tokens`, as estimated, and `max_bytes` of text.

    None means no limit. A turn begins with a user's message. System messages and the last turn always stay.
    """
    system = [message for message in messages if message.role == "system"]
    turns: list[list[ModelMessage]] = []
    for message in messages:
        if message.role == "system":
            continue
        if not turns or (message.role == "user" and turns[-1][-1].role == "assistant"):
            turns.append([])
        turns[-1].append(message)
    if (max_tokens is None and max_bytes is None) or not turns:
        return [*system, *(message for turn in turns for message in turn)]
    required = [*system, *turns[-1]]
    tokens_left = math.inf if max_tokens is None else max_tokens - _count_tokens(required)
    bytes_left = math.inf if max_bytes is None else max_bytes - _count_bytes(required)
    newest_first = [turns[-1]]
    for turn in reversed(turns[:-1]):
        tokens_left -= 0 if max_tokens is None else _count_tokens(turn)
        bytes_left -= _count_bytes(turn)
        if tokens_left < 0 or bytes_left < 0:
            break
        newest_first.append(turn)
    return [*system, *(message for turn in reversed(newest_first) for message in turn)]


def _count_tokens(messages: Sequence[ModelMessage]) -> int:
    return estimate_input_tokens(ModelRequest(messages=messages)) if messages else 0


def _count_bytes(messages: Sequence[ModelMessage]) -> int:
    return sum(len(message.text.encode(errors="replace")) for message in messages)


# Text.


UNTITLED = "…"
"""The title of a conversation without a question, or whose first one has no words."""


def make_title(text: str) -> str:
    """Return a title for a conversation that begins with `text`: one line of at most 80 characters, cut at a word."""
    line = to_one_line(text[:_TITLE_SOURCE_CHARS])
    if len(line) <= MAX_TITLE_CHARS:
        return line
    head = line[: MAX_TITLE_CHARS - 1]
    at_word = head if line[MAX_TITLE_CHARS - 1] == " " else head.rpartition(" ")[0]
    if len(at_word) < MAX_TITLE_CHARS // 2:  # one long word, or a script without spaces
        at_word = head
    return at_word.rstrip(" ,;:.–—-") + "…"


def to_one_line(text: str) -> str:
    """Return a text as one line, without control characters and without those that change the writing direction."""
    visible = "".join(
        " " if unicodedata.category(char) == "Cc" else char for char in text if char not in _BIDI
    )
    return " ".join(visible.split())


def fold(text: str) -> str:
    """Return a text as a search compares it: without case, accents and compatibility forms."""
    if text.isascii():
        return text.lower()
    return text.casefold().translate(_FOLDED)


class _Folded(dict[int, str]):
    """A cache of each character's base letters. Normalizing a whole text is quadratic in a long run of combining marks."""

    def __missing__(self, code: int) -> str:
        decomposed = unicodedata.normalize("NFKD", chr(code))
        self[code] = "".join(char for char in decomposed if not unicodedata.combining(char))
        return self[code]


_FOLDED = _Folded()
