"""What a provider says while it answers, in our words. Provider words end at the provider's own file."""

from __future__ import annotations

import msgspec

from webapp.chat import FinishReason


class TextDelta(msgspec.Struct, frozen=True, gc=False):
    """More of the answer."""

    text: str


class ReasoningDelta(msgspec.Struct, frozen=True, gc=False):
    """More of the model's thinking, never part of the answer."""

    text: str


class UsageReport(msgspec.Struct, frozen=True, gc=False):
    """Tokens so far; a later report replaces an earlier one, None leaves what was known."""

    input_tokens: int | None = None
    output_tokens: int | None = None


class Finished(msgspec.Struct, frozen=True, gc=False):
    """The provider's own mark that the answer is whole; always the last event.

    `model` is the name that the provider gave itself, `damaged` how many of its events could not be read.
    """

    finish_reason: FinishReason
    model: str | None = None
    damaged: int = 0


Event = TextDelta | ReasoningDelta | UsageReport | Finished
