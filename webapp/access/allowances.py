"""The limits of each kind of caller, from the settings."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from webapp.access.principals import Kind
from webapp.catalog.efforts import REASONING_TOKENS
from webapp.settings import DEFAULT_TEXT_TOKENS, Settings

KINDS: tuple[Kind, ...] = ("visitor", "user", "key")


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of one principal.

    `answers`: concurrent answers. `starts`: answers started per minute. `max_tokens`: per answer.
    `reasoning_tokens`: for its reasoning, at most, on top of `max_tokens`.
    `question_bytes`: a question with its history, without images. `stored_bytes`: text and images. `models`: only
    priced ones, or all. `orphan_s`: seconds without a reader after which an answer is stopped.
    """

    answers: int
    starts: int
    max_tokens: int
    reasoning_tokens: int
    question_bytes: int
    stored_bytes: int
    models: Literal["priced", "all"]
    orphan_s: float

    def describe(self) -> str:
        """Return the limits as one line for the log."""
        return (
            f"{self.answers} concurrent answers, {self.starts} starts/min, {self.max_tokens} tokens, "
            f"{self.reasoning_tokens} for reasoning, "
            f"{self.question_bytes // 1024} kB per question, {self.stored_bytes // 1024**2} MB stored, "
            f"{self.models} models, orphans {self.orphan_s:g} s"
        )


def allowances_of(settings: Settings) -> dict[Kind, Allowance]:
    """Return the limits of each kind of caller, none of them above the limit of the server."""
    return {kind: _allowance(settings, kind) for kind in KINDS}


def _allowance(settings: Settings, kind: Kind) -> Allowance:
    def setting(limit: str) -> Any:
        return getattr(settings, f"{kind}_{limit}")

    def capped(limit: str, server_limit: float) -> Any:
        return server_limit if setting(limit) is None else min(setting(limit), server_limit)

    max_tokens, reasoning_tokens = _answer_tokens(settings, kind)
    return Allowance(
        answers=setting("answers"),
        starts=setting("starts"),
        max_tokens=max_tokens,
        reasoning_tokens=reasoning_tokens,
        question_bytes=setting("question_bytes"),
        stored_bytes=capped("stored_bytes", settings.owner_max_bytes),
        models=setting("models"),
        orphan_s=capped("orphan_s", settings.orphan_s),
    )


def _answer_tokens(settings: Settings, kind: Kind) -> tuple[int, int]:
    """Return the limits of an answer's text and of its reasoning, which together stay within the operator's limits."""
    own: int | None = getattr(settings, f"{kind}_max_tokens")
    text, reasoning = settings.text_tokens, REASONING_TOKENS["max"]
    if own is None and kind == "visitor":
        text, reasoning = min(text, DEFAULT_TEXT_TOKENS), REASONING_TOKENS["medium"]
    total = min(limit for limit in (own, settings.max_tokens, text + reasoning) if limit is not None)
    return min(text, total), max(0, total - text)
