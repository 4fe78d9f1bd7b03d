"""Separates reasoning that a model writes into its answer between tags, `<think>…</think>`, from the answer's text.

Chat templates have other tags for it, too, such as `[THINK]` or gpt-oss' channels, which a server without a parser for them passes on.
An opening tag counts only where the answer begins, so a tag within the answer, in code or in prose, stays text. Some chat
templates write the opening tag into the prompt: the answer then has only a closing one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from webapp.events import Event, ReasoningDelta, TextDelta, TextWasReasoning
from webapp.providers.code_blocks import closes_block, stops_in_code
from webapp.providers.end_marks import EndMarks

_NAMES = ("think", "thinking", "thought", "thoughts", "reasoning", "reason", "seed:think", "antthinking")
# Only these are recognised where the opening tag is missing: others are common in answers about XML.
_UNOPENED_NAMES = ("think", "thinking", "thought", "seed:think")
_CHANNEL, _MESSAGE = "<|channel|>", "<|message|>"
_OTHER_TAGS = {
    "◁think▷": ("◁/think▷",),
    "[think]": ("[/think]",),
    "<|begin_of_thought|>": ("<|end_of_thought|>",),
    "<|start_thinking|>": ("<|end_thinking|>",),
    "<|channel>thought": ("<channel|>",),
    f"{_CHANNEL}analysis{_MESSAGE}": ("<|end|>", f"<|start|>assistant{_CHANNEL}"),
}
# What such templates put before the answer.
_MARKS = (
    *("<|begin_of_solution|>", "<|start_response|>", "<|start|>assistant", f"{_CHANNEL}final{_MESSAGE}"),
    *(f"final{_MESSAGE}",),
)


def _any_of(names: Iterable[str], slash: str = "") -> re.Pattern[str]:
    return re.compile(rf"<\s*{slash}\s*(?:{'|'.join(names)})\s*>", re.I)


def _literally(texts: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, texts)), re.I)


_OPENING_TAG = _any_of(_NAMES)
_CLOSING_TAG = _any_of(_NAMES, "/")
_UNOPENED_TAG = _any_of(_UNOPENED_NAMES, "/")
_MARK = _literally(_MARKS)
_OTHERS = tuple((_literally([opening]), _literally(closing)) for opening, closing in _OTHER_TAGS.items())
_CLOSING = tuple(f"</{name}>" for name in _NAMES)
# All that an answer may begin with before its text, without white space.
_BEGINNINGS = (*(f"<{name}>" for name in _NAMES), *_CLOSING, *_OTHER_TAGS, *_MARKS)
_ENDS = (*_CLOSING, *(text for texts in _OTHER_TAGS.values() for text in texts))
_UNOPENED_ENDS = tuple(f"</{name}>" for name in _UNOPENED_NAMES)
_FIRST_CHAR = re.compile(f"[{re.escape(''.join({end[0] for end in _ENDS}))}]")
_MAX_TAG_CHARS = 60  # with white space within
_SPACE = re.compile(r"\s+")
_BLANK = " \t\r\n\f\v\u00a0\u200b\u2028\ufeff"
# Before a closing tag that a sentence may speak of: a space or a quotation mark, and no end of a sentence before that.
_SPOKEN_OF = re.compile(r"[^\s.!?…:;。！？)\]}*_>`][ \t]+[\"'“‘«(]?\Z|[\"'“‘«(]\Z")
_REASONS = re.compile(
    r"\W*(?:okay|ok|alright|all right|hmm+|let me|let's|the user|user|i need|i should|i'll|we need|we should|we have|so|wait|first)\b",
    re.I,
)
# Text that is kept to decide whether a tag stands within code, or to repeat it as text if it was no reasoning.
_MAX_KEPT_CHARS = 256 * 1024
# Models whose chat template usually opens the reasoning in the prompt.
_STARTS_INSIDE = re.compile(r"qwq|deepseek-r1|r1-distill|qwen3.*thinking", re.I)


class ReasoningHabit:
    """How a model's answers begin, as learned from its last one. One object serves all answers of a model."""

    def __init__(self, model_name: str) -> None:
        self.starts_inside = bool(_STARTS_INSIDE.search(model_name))

    def __deepcopy__(self, memo: object) -> ReasoningHabit:
        return self  # a copied decoder is of the same model


class ReasoningSplitter:
    """Splits one answer's text, which may be cut anywhere, into events of text and reasoning."""

    def __init__(self, habit: ReasoningHabit | None = None) -> None:
        self._habit = habit or ReasoningHabit("")
        self._add = self._at_start
        self._held = ""  # what may be the beginning of a tag, or white space at an edge
        self._kept: list[str] = []  # what came before, since the last tag
        self._kept_chars = 0
        self._is_plain = False  # within the text, with nothing held
        self._is_unopened = False
        self._retold: list[str] | None = None  # repeated as text if the reasoning never ends
        self._has_reasoning = False
        self._marks = EndMarks()
        self._last_char = ""  # of the text that was returned
        self._closing = _CLOSING_TAG
        self._is_reported = self._is_from_tags = False  # where the reasoning comes from: it is returned once

    def note_reasoning(self) -> bool:
        """Record that the provider reports reasoning in a field of its own; return whether that is new.

        It is not where the text has had it between tags. The text has no unopened reasoning then, and tags repeat the field's.
        """
        self._has_reasoning = True
        if not self._is_from_tags:
            self._is_reported = True
        return self._is_reported

    def add(self, text: str, events: list[Event]) -> None:
        """Append the events of a piece of the answer's text to `events`.

        If the piece ends reasoning that was never opened, the text in `events` becomes reasoning.
        """
        if (
            self._is_plain and "<" not in text and "[" not in text and not self._marks.held
        ):  # almost every piece
            events.append(TextDelta(text))
            self._last_char = text[-1:] or self._last_char
            if self._kept_chars <= _MAX_KEPT_CHARS:
                self._kept.append(text)
                self._kept_chars += len(text)
            return
        if self._held:
            text, self._held = self._held + text, ""
        self._is_plain = False
        count = len(events)
        self._marks.restore(events)
        self._add(text, events)
        self._last_char = self._marks.hold(events, count, self._last_char)

    def flush(self, events: list[Event], *, is_complete: bool = True) -> None:
        """Append the rest at the end of the answer. Reasoning that never ends stays reasoning."""
        held, self._held = self._held, ""
        if self._add == self._inside:
            if not self._is_reported:
                _append(events, ReasoningDelta, held.rstrip())
            if self._retold is not None and is_complete:
                retold = "".join([*self._retold, held]).strip()
                if self._is_unopened:
                    self._habit.starts_inside = False
                _append(events, TextDelta, retold)
        else:
            if self._marks.held:
                is_after_block = self._stops_after_block(self._marks.held)
                is_text = bool(held) or (self._is_in_code("") and not is_after_block)
                self._marks.flush(events, is_text=is_text, is_after_block=is_after_block)
            _append(events, TextDelta, held)
        self._add = _as_text

    def _at_start(self, text: str, events: list[Event]) -> None:
        """Add a piece where only white space has come since the beginning, or since a closing tag."""
        start = text.lstrip(_BLANK)
        tag = _match_beginning(start)
        if tag is not None:
            end, closing = tag
            self._has_reasoning = True
            if closing is not None:
                self._closing = closing
                self._enter()
            else:
                self._add = self._after_reasoning
            self._add(start[end:], events)
        elif not start or _may_become(start, _BEGINNINGS):
            self._held = text
        elif self._habit.starts_inside and not self._has_reasoning:
            self._enter()
            self._has_reasoning = self._is_unopened = True
            self._retold = []
            self._add(text, events)
        else:
            self._add = _as_text if self._has_reasoning else self._in_text
            self._add(text, events)

    def _after_reasoning(self, text: str, events: list[Event]) -> None:
        """Add a piece after a closing tag: the white space there belongs to neither."""
        text = text.lstrip(_BLANK)
        if text:
            self._add = self._at_start
            self._add(text, events)

    def _enter(self) -> None:
        self._add = self._inside
        self._kept, self._kept_chars = [], 0
        self._is_unopened, self._retold = False, None

    def _inside(self, text: str, events: list[Event]) -> None:
        """Add a piece of reasoning."""
        if not self._kept:
            text = text.lstrip(_BLANK)
        at = 0
        for found in self._closing.finditer(text):
            if self._is_in_code(text[at : found.start()]):
                # Perhaps the reasoning ends here nevertheless, with a block of code that was never closed.
                self._reason(text[at : found.end()], events)
                at = found.end()
                if self._retold is None:
                    self._retold = []
                continue
            self._reason(text[at : found.start()].rstrip(), events)
            self._habit.starts_inside = self._is_unopened
            self._add = self._after_reasoning
            self._add(text[found.end() :], events)
            return
        rest = text[at:]
        end = len(_without_partial_tag(rest, _ENDS).rstrip())
        self._reason(rest[:end], events)
        self._held = rest[end:]

    def _reason(self, text: str, events: list[Event]) -> None:
        if not self._is_reported:
            self._is_from_tags = self._is_from_tags or bool(text)
            _append(events, ReasoningDelta, text)
        self._keep(text)
        if self._retold is not None and self._kept_chars <= _MAX_KEPT_CHARS:
            self._retold.append(text)

    def _in_text(self, text: str, events: list[Event]) -> None:
        """Add a piece of text, unless it turns out to be reasoning that was never opened."""
        for found in _UNOPENED_TAG.finditer(text):
            before = text[: found.start()]
            if not self._is_in_code(before) and not self._has_opening(before):
                spoken_of = self._is_spoken_of(before, text[found.end() :])
                if spoken_of is None:  # what follows shows it
                    self._put(before, text[found.start() :], events)
                    return
                if spoken_of:
                    continue
                self._close_unopened(text[: found.start()], events)
                self._add = self._after_reasoning
                self._add(text[found.end() :], events)
                return
        end = len(_without_partial_tag(text, _UNOPENED_ENDS))
        self._put(text[:end], text[end:], events)

    def _put(self, text: str, held: str, events: list[Event]) -> None:
        _append(events, TextDelta, text)
        self._keep(text)
        self._held = held
        self._is_plain = not held
        if self._kept_chars > _MAX_KEPT_CHARS:
            self._add = _as_text

    def _is_spoken_of(self, before: str, after: str) -> bool | None:
        """Return whether a sentence speaks of a closing tag, so that it stays text; None while more is needed to know."""
        so_far = "".join([*self._kept, before])
        if not _SPOKEN_OF.search(so_far[-4:]) or _REASONS.match(so_far):
            return False
        rest = after.lstrip(" \t")
        return None if not rest else rest[0] not in "\r\n"

    def _close_unopened(self, text: str, events: list[Event]) -> None:
        """Turn the text so far into reasoning: at once where it has not been returned yet, else by an event."""
        if self._kept_chars > sum(len(event.text) for event in events if isinstance(event, TextDelta)):
            _append(events, TextDelta, text)
            events.append(TextWasReasoning())
            self._has_reasoning = self._habit.starts_inside = True
            return
        pieces = [event.text for event in events if isinstance(event, TextDelta)]
        events[:] = [event for event in events if not isinstance(event, TextDelta)]
        _append(events, ReasoningDelta, "".join([*pieces, text]).strip())
        self._has_reasoning = self._habit.starts_inside = True

    def _keep(self, text: str) -> None:
        if self._kept_chars <= _MAX_KEPT_CHARS and text:
            self._kept.append(text)
            self._kept_chars += len(text)

    def _has_opening(self, text: str) -> bool:
        """Return whether the text so far has an opening tag, so that a closing one belongs to that."""
        return _OPENING_TAG.search("".join([*self._kept, text])) is not None

    def _stops_after_block(self, end: str) -> bool:
        """Return whether the text before `end`, its last characters, ends with a code block's closing fence."""
        return self._kept_chars <= _MAX_KEPT_CHARS and closes_block("".join(self._kept).removesuffix(end))

    def _is_in_code(self, text: str) -> bool:
        """Return whether what follows `text` stands within a block of code or within a span of code on its line."""
        return self._kept_chars <= _MAX_KEPT_CHARS and stops_in_code("".join([*self._kept, text]))


def _as_text(text: str, events: list[Event]) -> None:
    _append(events, TextDelta, text)


def _append(events: list[Event], kind: type[TextDelta] | type[ReasoningDelta], text: str) -> None:
    if text:
        events.append(kind(text))


def _match_beginning(start: str) -> tuple[int, re.Pattern[str] | None] | None:
    """Return the end of the tag or the mark at the beginning of a text, and what closes it, if it opens reasoning."""
    found = _OPENING_TAG.match(start)
    if found is not None:
        return found.end(), _CLOSING_TAG
    found = _CLOSING_TAG.match(start) or _MARK.match(start)
    if found is not None:
        return found.end(), None
    for opening, closing in _OTHERS:
        found = opening.match(start)
        if found is not None:
            return found.end(), closing
    return None


def _may_become(text: str, tags: tuple[str, ...]) -> bool:
    """Return whether a text may be the beginning of one of the tags."""
    if len(text) > _MAX_TAG_CHARS:
        return False
    compact = _SPACE.sub("", text).lower()
    return any(len(compact) < len(tag) and tag.startswith(compact) for tag in tags)


def _without_partial_tag(text: str, tags: tuple[str, ...]) -> str:
    """Return the text without an end that may be the beginning of one of the tags."""
    for found in _FIRST_CHAR.finditer(text, max(0, len(text) - _MAX_TAG_CHARS)):
        if _may_become(text[found.start() :], tags):
            return text[: found.start()]
    return text
