"""What a journal is to do, in the plainest form: a list of frames for each run. It shares no code with the journals."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.journal.samples import done, reset, text
from webapp.frames import Frame


def frame_of(run: str, epoch: int, seq: int) -> Frame:
    """Return the frame with this number. A producer sends the same frame again when it repeats a write."""
    return text(f"{run}:{epoch}:{seq}")


@dataclass
class ModelRun:
    """A run. `frames` are those of its epoch, the first has number 1; of a temporary run there is at most the terminal one."""

    owner: str | None
    conversation: str | None
    worker: str
    temporary: bool
    began_at: int
    frames: list[Frame] = field(default_factory=list)
    reset: Sequence[Frame] = ()
    epoch: int = 1
    last_seq: int = 0
    takeovers: int = 0
    stop: str | None = None
    read_at: int = 0
    ended_at: int | None = None

    @property
    def is_running(self) -> bool:
        return self.ended_at is None

    def following(self, epoch: int, seq: int) -> list[Frame]:
        """Return all frames after a cursor, those of a reset included."""
        if epoch != self.epoch:
            return [*self.reset, *self.frames]
        if self.temporary:
            return list(self.frames) if seq < self.last_seq else []
        return self.frames[seq:]


class Model:
    """The runs and leases. Time is a whole number of seconds."""

    def __init__(self) -> None:
        self.now = 0
        self.runs: dict[str, ModelRun] = {}
        self.leases: dict[str, int] = {}

    def has_lease(self, worker: str) -> bool:
        return self.leases.get(worker, self.now) > self.now

    def renew(self, worker: str, ttl_s: int) -> bool:
        if worker in self.leases and not self.has_lease(worker):
            return False
        self.leases[worker] = self.now + ttl_s
        return True

    def begin(self, run: str, made: ModelRun, count: int) -> str:
        """Return `known`, `lapsed` or `begun`."""
        if run in self.runs:
            return "known"
        if not self.has_lease(made.worker):
            return "lapsed"
        made.began_at = made.read_at = self.now
        if not made.temporary:
            made.frames = [frame_of(run, 1, seq) for seq in range(1, count + 1)]
            made.last_seq = count
        self.runs[run] = made
        return "begun"

    def append(self, run: str, worker: str, epoch: int, first: int, last: int) -> str | None:
        found = self.runs.get(run)
        if found is None:
            return "unknown"
        if found.epoch != epoch or found.worker != worker:
            return "seized"
        if last <= found.last_seq:
            return None
        if not found.is_running:
            return "ended"
        if found.temporary:
            return None
        if first > found.last_seq + 1:
            return "misplaced"
        while found.last_seq < last:
            found.last_seq += 1
            found.frames.append(frame_of(run, epoch, found.last_seq))
        return None

    def end(self, run: str, worker: str, epoch: int, first: int, last: int, mark: str) -> str | None:
        found = self.runs.get(run)
        if found is None:
            return "unknown"
        if found.epoch != epoch or found.worker != worker:
            return "seized"
        if not found.is_running:
            return None if last == found.last_seq and found.frames[-1] == done(mark) else "ended"
        if last <= found.last_seq or (first > found.last_seq + 1 and not found.temporary):
            return "misplaced"
        if not found.temporary:
            found.frames += [frame_of(run, epoch, seq) for seq in range(found.last_seq + 1, last)]
        found.frames.append(done(mark))
        found.last_seq = last
        found.ended_at = self.now
        return None

    def seize(self, run: str, epoch: int, last_seq: int, worker: str, mark: str) -> int | None:
        found = self.runs.get(run)
        if found is None or not found.is_running or (found.epoch, found.last_seq) != (epoch, last_seq):
            return None
        if found.worker != worker:
            if self.has_lease(found.worker):
                return None
            found.takeovers += 1
        found.worker, found.epoch, found.last_seq, found.frames = worker, epoch + 1, 0, []
        found.reset = () if found.temporary else reset(mark)
        return epoch + 1

    def running(self) -> dict[str, ModelRun]:
        return {name: run for name, run in self.runs.items() if run.is_running}

    def lapsed(self, grace_s: int) -> set[str]:
        return {
            name
            for name, run in self.running().items()
            if run.worker not in self.leases or self.leases[run.worker] <= self.now - grace_s
        }

    def expired(self, older_than_s: int) -> set[str]:
        return {
            name
            for name, run in self.runs.items()
            if run.ended_at is not None and run.ended_at <= self.now - older_than_s
        }

    def forget_leases(self) -> None:
        holders = {run.worker for run in self.running().values()}
        for worker in [name for name in self.leases if not self.has_lease(name) and name not in holders]:
            del self.leases[worker]
