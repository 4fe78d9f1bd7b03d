"""What each kind of caller may use, as the settings say."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from webapp.access.principals import Kind
from webapp.settings import Settings

KINDS: tuple[Kind, ...] = ("visitor", "user", "key")


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """What one principal of a kind may use.

    `answers` at once, `starts` a minute; `max_tokens` of an answer with its reasoning; `question_bytes` of a question
    with its history, images apart; `stored_bytes`; which `models`; and after how many seconds without a reader an
    answer is stopped.
    """

    answers: int
    starts: int
    max_tokens: int
    question_bytes: int
    stored_bytes: int
    models: Literal["priced", "all"]
    orphan_s: float

    def described(self) -> str:
        """Return the numbers for one line of a log."""
        return (
            f"{self.answers} answers at once, {self.starts} starts/min, {self.max_tokens} tokens, "
            f"{self.question_bytes // 1024} kB asked, {self.stored_bytes // 1024**2} MB stored, "
            f"{self.models} models, orphans {self.orphan_s:g} s"
        )


def allowances_of(settings: Settings) -> dict[Kind, Allowance]:
    """Return what each kind may use. Nobody's limit beats that of the whole server."""
    return {kind: _allowance(settings, kind) for kind in KINDS}


def _allowance(settings: Settings, kind: Kind) -> Allowance:
    def chosen(limit: str) -> Any:
        return getattr(settings, f"{kind}_{limit}")

    def capped(limit: str, most: float) -> Any:
        return most if chosen(limit) is None else min(chosen(limit), most)

    return Allowance(
        answers=chosen("answers"),
        starts=chosen("starts"),
        max_tokens=capped("max_tokens", settings.max_tokens),
        question_bytes=chosen("question_bytes"),
        stored_bytes=capped("stored_bytes", settings.owner_max_bytes),
        models=chosen("models"),
        orphan_s=capped("orphan_s", settings.orphan_s),
    )
