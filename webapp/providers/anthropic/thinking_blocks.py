"""The blocks of thinking that an answer begins with, stored so that they can be given back where the answer is continued.

A block is of use only to the model that made it, after the same messages, and only as it came: Anthropic refuses one that was
changed, moved, or made in another conversation; https://platform.claude.com/docs/en/build-with-claude/preserved-thinking. So all
of the first run of blocks is kept, or none, with a digest of what they depend on. Blocks after text are not kept: they depend
on that text, too, and leaving out the last ones is allowed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from webapp.events import MAX_SEALED_CHARS

_MAX_BLOCKS = 64
_TEXT = "text"
_THINKING, _REDACTED = "thinking", "redacted_thinking"


class ThinkingBlock(msgspec.Struct, frozen=True, tag_field="type", tag=_THINKING):
    """A block as Anthropic sends and takes it; `thinking` is empty where it is not displayed."""

    thinking: str
    signature: str


class RedactedBlock(msgspec.Struct, frozen=True, tag_field="type", tag=_REDACTED):
    """A block that only Anthropic can read."""

    data: str


Block = ThinkingBlock | RedactedBlock


class _Sealed(msgspec.Struct, frozen=True):
    binding: str
    blocks: tuple[Block, ...]


_decode = msgspec.json.Decoder(_Sealed).decode


def open_blocks(sealed: str, binding: str) -> tuple[Block, ...]:
    """Return the blocks that `ThinkingCollector.seal` returned; none if they depend on something else than `binding`."""
    try:
        found = _decode(sealed)
    except msgspec.DecodeError:
        return ()
    return found.blocks if found.binding == binding else ()


class ThinkingCollector:
    """Collects the blocks of one answer from the events of its stream, up to its first text.

    `bind` returns the digest of what blocks depend on. It is called once, when the first block begins.
    """

    def __init__(self, bind: Callable[[], str]) -> None:
        self._bind: Callable[[], str] | None = bind
        self._binding = ""
        self._blocks: list[Block] = []
        self._is_open = False
        self._pieces: list[str] = []  # of the open block's thinking
        self._signature = ""
        self._chars_left = MAX_SEALED_CHARS
        self._is_over = False

    def start(self, kind: str | None, thinking: object, signature: object, data: object) -> None:
        """Begin a block with the fields that its event has."""
        self.stop()
        if self._is_over:
            return
        if kind in (_THINKING, _REDACTED) and self._bind is not None:
            self._binding, self._bind = self._bind(), None
        if kind == _THINKING:
            self._is_open, self._pieces, self._signature = True, [], ""
            self.add(thinking, signature)
        elif kind == _REDACTED and isinstance(data, str) and data:
            self._append(RedactedBlock(data))
        elif kind in (_TEXT, None):  # compatible servers leave the type out
            self._is_over = True
        else:
            self._give_up()  # what cannot be given back stands between the thinking and the text

    def add(self, thinking: object, signature: object) -> None:
        """Add a delta's fields to the open block. A later signature replaces an earlier one."""
        if not self._is_open:
            return
        if isinstance(thinking, str) and thinking:
            self._pieces.append(thinking)
            self._count(thinking)
        if isinstance(signature, str) and signature:
            self._signature = signature
            self._count(signature)

    def stop(self) -> None:
        """End the open block. One without a signature makes all useless: it may not be left out from between them."""
        if not self._is_open:
            return
        self._is_open = False
        thinking = _join_surrogates("".join(self._pieces))
        if thinking is None or not self._signature:
            self._give_up()
        else:
            self._append(ThinkingBlock(thinking, self._signature))

    def seal(self) -> str | None:
        """Return the blocks for `events.ReasoningSealed` when the text begins; None if there are none, or they are too long."""
        self.stop()
        self._is_over = True
        if not self._blocks:
            return None
        sealed = msgspec.json.encode(_Sealed(self._binding, tuple(self._blocks))).decode()
        return sealed if len(sealed) <= MAX_SEALED_CHARS else None

    def _append(self, block: Block) -> None:
        self._blocks.append(block)
        if isinstance(block, RedactedBlock):
            self._count(block.data)
        if len(self._blocks) > _MAX_BLOCKS:
            self._give_up()

    def _count(self, text: str) -> None:
        self._chars_left -= len(text)
        if self._chars_left < 0:
            self._give_up()

    def _give_up(self) -> None:
        self._is_over, self._is_open = True, False
        self._blocks, self._pieces, self._signature, self._bind = [], [], "", None


def _join_surrogates(text: str) -> str | None:
    """Return a text with the halves of characters joined that deltas have split; None if one has no other half."""
    if text.isascii():
        return text
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        return None


def to_content(blocks: tuple[Block, ...], text: str) -> list[dict[str, Any]]:
    """Return the content of an answer that begins with these blocks and goes on with a text."""
    return [*map(msgspec.to_builtins, blocks), {"type": _TEXT, "text": text}]
