"""A run whose worker has died, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from webapp.events import Source
from webapp.frames import Frame, Reset, Start, reset_frames
from webapp.journal_records import JournalRun
from webapp.runs.progress import Ending
from webapp.runs.run_spec import RunSpec
from webapp.seams import AnswerWriter


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What has been said of an answer."""

    text: str = ""
    reasoning: str = ""
    sources: Sequence[Source] = ()

    def reset(self, start: Start, *, replaced: bool = False) -> list[Frame]:
        """Return it as a reset; `replaced` if readers have other text of this answer."""
        return reset_frames(
            Reset(
                text=self.text,
                reasoning=self.reasoning,
                start=start,
                sources=self.sources,
                replaced=replaced,
            )
        )


class LostRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run whose worker has died: its row in the journal, and what was said until then, as far as that is stored there.

    `age_s` is the time since it began; `may_continue` is False for a run that is only to be ended.
    """

    row: JournalRun
    start: Start
    said: Said
    age_s: float
    may_continue: bool


class StoredEnd(msgspec.Struct, frozen=True, kw_only=True):
    """The end of an answer that was stored in its conversation before the worker died."""

    said: Said
    ending: Ending


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """How a lost run ends or goes on.

    Args:
        spec: To generate the rest; None if that is not possible.
        writer: Stores the answer in its conversation, if it has one.
        stored: The end of the answer, if its conversation has that already.
        said: What its conversation has of an answer that has not ended, if that is more than the journal has.
        input_tokens: The estimated tokens of the request; 0 if unknown.
        prefix_tokens: Those of the beginning that an earlier answer has generated.
    """

    spec: RunSpec | None = None
    writer: AnswerWriter | None = None
    stored: StoredEnd | None = None
    said: Said | None = None
    input_tokens: int = 0
    prefix_tokens: int = 0


Recover = Callable[[LostRun, int], Recovery]
"""Find out how a lost run ends or goes on, which this worker has seized in an epoch.

From then on the store refuses what its former worker writes of it. May wait a few seconds for the store, and raise
`RequestError`.
"""
