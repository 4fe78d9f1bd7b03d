"""The message tree of a conversation, and what of it a model is branch_messages. Pure.

A message names its parent; messages of one parent are siblings: an answer that was asked for again, a question
that was edited. A branch leads from a root to one message, the leaf.
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

MOST_TITLE_CHARS = 80
MOST_IMAGES = 4
MOST_IMAGES_KEPT = 1_000  # in one conversation
MOST_IMAGES_TOLD = 8  # of a whole branch, the newest: each is up to 2 MB in every call
_TITLE_FROM = 2_000
_BIDI = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_ABSENT = "[an image that is not shown again]"

MessageState = Literal["streaming", "done", "failed", "cancelled", "interrupted"]


class ImageRef(msgspec.Struct, frozen=True, tag_field="type", tag="image", kw_only=True, omit_defaults=True):
    """An image of a message, kept with the conversation under its digest; sizes in pixels, 0 for unknown."""

    image: str
    media_type: str
    width: int = 0
    height: int = 0


Piece = TextPart | ImageRef


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message as it is kept. What comes after `state` is an answer's; times are milliseconds since 1970."""

    id: str
    parent: str | None
    role: Literal["user", "assistant"]
    content: tuple[Piece, ...]
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

    @property
    def text(self) -> str:
        """All text of the message."""
        return "\n".join(piece.text for piece in self.content if isinstance(piece, TextPart))

    @property
    def images(self) -> list[ImageRef]:
        """Its images."""
        return [piece for piece in self.content if isinstance(piece, ImageRef)]


# The tree.


def branch(parents: Mapping[str, str | None], leaf: str | None) -> list[str]:
    """Name the messages from the root down to `leaf`; a parent that is not there makes a root, a cycle ends."""
    found: list[str] = []
    seen: set[str] = set()
    at = leaf
    while at is not None and at in parents and at not in seen:
        seen.add(at)
        found.append(at)
        at = parents[at]
    found.reverse()
    return found


def leaf_below(nodes: Iterable[tuple[str, str | None]], start: str) -> str:
    """Follow the newest child down from a message. `nodes` are (id, parent), the oldest first."""
    newest = {parent: name for name, parent in nodes if parent is not None}
    at, seen = start, {start}
    while (child := newest.get(at)) is not None and child not in seen:
        seen.add(child)
        at = child
    return at


def in_order(nodes: Sequence[tuple[str, str | None]]) -> list[int]:
    """Give places in `nodes` such that every parent comes before its children, otherwise as they stand.

    Raises `BrokenTree` for a name that stands twice, a parent that is nowhere, and a cycle.
    """
    place: dict[str, int] = {}
    for index, (name, _) in enumerate(nodes):
        if name in place:
            raise BrokenTree(index, "id", "stands twice")
        place[name] = index
    done: set[str] = set()
    order: list[int] = []
    for index, (name, _) in enumerate(nodes):
        path: list[int] = []
        on_path: set[str] = set()
        at: str | None = name
        while at is not None and at not in done:
            if at in on_path:
                raise BrokenTree(index, "parent", "leads in a circle")
            on_path.add(at)
            path.append(place[at])
            parent = nodes[place[at]][1]
            if parent is not None and parent not in place:
                raise BrokenTree(place[at], "parent", "names no message of this conversation")
            at = parent
        for step in reversed(path):
            done.add(nodes[step][0])
            order.append(step)
    return order


class BrokenTree(Exception):
    """These messages are no tree: which one is wrong, by its place, in which field, and how."""

    def __init__(self, index: int, field: str, reason: str) -> None:
        super().__init__(f"messages[{index}].{field} {reason}")
        self.index = index
        self.field = field
        self.reason = reason


# What the model is branch_messages.


def branch_messages(
    messages: Sequence[Message], images: Mapping[str, str], *, sees: bool = True
) -> list[ModelMessage]:
    """Say a branch in the model's terms; `images` holds base64 by digest.

    A message that came to nothing is left out. Only the newest images are branch_messages, and none to a model that does
    not see: words stand in their place.
    """
    left = MOST_IMAGES_TOLD if sees else 0
    found: list[ModelMessage] = []
    for message in reversed(messages):
        parts: list[TextPart | ImagePart] = []
        for piece in message.content:
            if isinstance(piece, TextPart):
                parts.append(piece)
            elif left > 0 and piece.image in images:
                left -= 1
                parts.append(ImagePart(media_type=piece.media_type, data=images[piece.image]))
            else:
                parts.append(TextPart(_ABSENT))
        if any(isinstance(part, ImagePart) for part in parts):
            found.append(ModelMessage(message.role, tuple(parts)))
        elif text := "\n".join(part.text for part in parts if isinstance(part, TextPart)).strip():
            found.append(ModelMessage(message.role, message.text if not message.images else text))
    found.reverse()
    return found


def trim(
    messages: Sequence[ModelMessage], room: int | None, most_bytes: int | None = None
) -> list[ModelMessage]:
    """Leave out the oldest turns until the rest has at most `room` tokens, by our guess, and `most_bytes` of text.

    None is no limit. A turn begins with a user's message. System messages are kept, and so is the last turn, whatever its size.
    """
    system = [message for message in messages if message.role == "system"]
    turns: list[list[ModelMessage]] = []
    for message in messages:
        if message.role == "system":
            continue
        if not turns or (message.role == "user" and turns[-1][-1].role == "assistant"):
            turns.append([])
        turns[-1].append(message)
    if (room is None and most_bytes is None) or not turns:
        return [*system, *(message for turn in turns for message in turn)]
    first = [*system, *turns[-1]]
    left = math.inf if room is None else room - _tokens(first)
    left_bytes = math.inf if most_bytes is None else most_bytes - _text_bytes(first)
    kept = [turns[-1]]
    for turn in reversed(turns[:-1]):
        left -= 0 if room is None else _tokens(turn)
        left_bytes -= _text_bytes(turn)
        if left < 0 or left_bytes < 0:
            break
        kept.append(turn)
    return [*system, *(message for turn in reversed(kept) for message in turn)]


def _tokens(messages: Sequence[ModelMessage]) -> int:
    return estimate_input_tokens(ModelRequest(messages=messages)) if messages else 0


def _text_bytes(messages: Sequence[ModelMessage]) -> int:
    return sum(len(message.text.encode(errors="replace")) for message in messages)


# Words.


def title_of(text: str) -> str:
    """Make a title of a first message: one line of at most 80 characters, cut at a word."""
    line = plain(text[:_TITLE_FROM])
    if len(line) <= MOST_TITLE_CHARS:
        return line
    head = line[: MOST_TITLE_CHARS - 1]
    at_word = head if line[MOST_TITLE_CHARS - 1] == " " else head.rpartition(" ")[0]
    if len(at_word) < MOST_TITLE_CHARS // 2:  # one long word, or a script without spaces
        at_word = head
    return at_word.rstrip(" ,;:.–—-") + "…"


def plain(text: str) -> str:
    """Put a text on one line, without control characters and without what turns the order of others."""
    kept = "".join(" " if unicodedata.category(char) == "Cc" else char for char in text if char not in _BIDI)
    return " ".join(kept.split())


def fold(text: str) -> str:
    """Make what a search compares: no case, no accents, no difference between forms of a letter."""
    if text.isascii():
        return text.lower()
    return text.casefold().translate(_FOLDED)


class _Folded(dict[int, str]):
    """Each character's base letters. One by one, because a long run of marks takes quadratic time to put in order."""

    def __missing__(self, code: int) -> str:
        decomposed = unicodedata.normalize("NFKD", chr(code))
        self[code] = "".join(char for char in decomposed if not unicodedata.combining(char))
        return self[code]


_FOLDED = _Folded()
