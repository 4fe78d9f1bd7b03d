"""Another worker, as the journal shows it: it begins runs and stores frames, without an engine."""

from collections.abc import Sequence

import msgspec

from webapp.chat import Usage
from webapp.errors import Interrupted
from webapp.frames import (
    Frame,
    Reset,
    RunResult,
    Start,
    StoppedBy,
    done_frame,
    encode,
    error_frame,
    new_run,
    reset_frames,
    start_frame,
    text_frame,
)
from webapp.journal_records import JournalEntry, JournalGroup
from webapp.seams import Journal

TTL_S = 1_000.0


def result_of(state: str, *, stopped_by: StoppedBy | None = None) -> RunResult:
    return RunResult(
        state=state,  # type: ignore[arg-type]
        finish_reason={"done": "stop", "cancelled": "cancelled"}.get(state),  # type: ignore[arg-type]
        usage=Usage(input_tokens=3, output_tokens=5),
        cost=None,
        sha256="",
        provider="p",
        model="m-1",
        stopped_by=stopped_by,
    )


DONE = done_frame(result_of("done"))
CANCELLED = done_frame(result_of("cancelled", stopped_by="user"))
INTERRUPTED = error_frame(Interrupted("gone"), result_of("interrupted"), partial=True)


class OtherRun:
    """A run that another worker generates; each method stores what it says."""

    def __init__(
        self,
        journal: Journal,
        *texts: str,
        worker: str = "other",
        owner: str | None = "anna",
        conversation: str | None = None,
        fingerprint: str = "body",
        run: str | None = None,
    ) -> None:
        self.journal = journal
        self.worker = worker
        self.start = Start(run=run or new_run(), provider="p", model="m", conversation=conversation)
        self.id = self.start.run
        self.epoch, self.seq = 1, 0
        assert journal.renew(worker, TTL_S)
        first = [start_frame(self.start), *map(text_frame, texts)]
        entry = JournalEntry(
            run=self.id,
            owner=owner,
            fingerprint=fingerprint,
            start=encode({"start": self.start}),
            request=b"",
            worker=worker,
            conversation=conversation,
            temporary=owner is None,
            frames=first,
        )
        assert journal.begin(entry) is None
        self.seq = len(first)

    def say(self, *texts: str) -> None:
        """Store text frames as one group."""
        assert self.journal.append(self.worker, [self._group([*map(text_frame, texts)])]) == {}
        self.seq += len(texts)

    def end(self, terminal: Frame = DONE) -> None:
        assert self.journal.end(self.worker, self._group([terminal])) is None
        self.seq += 1

    def move(self, worker: str, text: str) -> None:
        """Let another worker take the run over, of which it knows `text`."""
        if worker != self.worker:
            self.journal.release(self.worker)
            assert self.journal.renew(worker, TTL_S)
        row = self.journal.find(self.id)
        assert row is not None
        reset = reset_frames(Reset(text=text, reasoning="", start=self.start))
        epoch = self.journal.seize(self.id, row.epoch, row.last_seq, worker, reset)
        assert epoch is not None
        self.worker, self.epoch, self.seq = worker, epoch, 0

    @classmethod
    def take(cls, journal: Journal, run: str, worker: str, text: str) -> "OtherRun":
        """Take over a run of a worker with an engine, as if its lease had lapsed."""
        row = journal.find(run)
        assert row is not None
        taken = cls.__new__(cls)
        taken.journal, taken.worker, taken.id = journal, row.worker, run
        taken.start = msgspec.json.decode(row.start, type=dict[str, Start])["start"]
        taken.move(worker, text)
        return taken

    def _group(self, frames: Sequence[Frame]) -> JournalGroup:
        return JournalGroup(run=self.id, epoch=self.epoch, first_seq=self.seq + 1, frames=frames)
