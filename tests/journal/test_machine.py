"""Random operations in random order by several workers, compared with a model after each; the same for every journal.

`FRESHET_TEST_SEED` repeats a run, `FRESHET_TEST_EXAMPLES` sets how many sequences are tried.
"""

import os
import random

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from tests.journal.backends import Backend
from tests.journal.model import Model, ModelRun, frame_of
from tests.journal.samples import done, entry, reset
from webapp.errors import LeaseLapsed
from webapp.frames import Frame
from webapp.journal_records import JournalCursor, JournalGroup, JournalRun, JournalUpdate
from webapp.seams import Journal

EXAMPLES = {"memory": 60, "sqlite": 25, "postgres": 12, "redis": 25}
STEPS = 50
# No sum of these steps comes close to a limit, so the time that a test takes decides nothing.
STEP_S, TTL_S, GRACE_S, OLD_S = 30, 100, 45, 75

RUNS = st.sampled_from(["one", "two", "three", "four"])
WORKERS = st.sampled_from(["a", "b"])
OWNERS = st.sampled_from(["anna", "ben"])
CONVERSATIONS = st.sampled_from([None, "talk"])
SMALL = st.integers(0, 4)
MARKS = st.sampled_from(["x", "y"])


class JournalMachine(RuleBasedStateMachine):
    """Operations on a journal and on the model. `backend` is set by the test."""

    backend: Backend

    def __init__(self) -> None:
        super().__init__()
        self.backend.clear()
        self.model = Model()
        self.journals: list[Journal] = [self.backend.connect(), self.backend.connect()]
        self.turn = 0

    @property
    def journal(self) -> Journal:
        """The two journals in turn, as two workers would use them."""
        self.turn += 1
        return self.journals[self.turn % 2]

    @rule(worker=WORKERS)
    def renew(self, worker: str) -> None:
        assert self.journal.renew(worker, TTL_S) == self.model.renew(worker, TTL_S)

    @rule(worker=WORKERS)
    def reclaim(self, worker: str) -> None:
        self.model.leases[worker] = self.model.now + TTL_S
        own = {name for name, run in self.model.running().items() if run.worker == worker}
        assert self.names(self.journal.reclaim(worker, TTL_S)) == own

    @rule(worker=WORKERS)
    def release(self, worker: str) -> None:
        self.model.leases.pop(worker, None)
        self.journal.release(worker)

    @rule(steps=st.integers(1, 5))
    def advance(self, steps: int) -> None:
        self.model.now += steps * STEP_S
        self.backend.advance(steps * STEP_S)

    @rule(
        run=RUNS,
        worker=WORKERS,
        owner=OWNERS,
        conversation=CONVERSATIONS,
        temporary=st.booleans(),
        count=SMALL,
    )
    def begin(
        self, run: str, worker: str, owner: str, conversation: str | None, temporary: bool, count: int
    ) -> None:
        frames = [frame_of(run, 1, seq) for seq in range(1, count + 1)]
        new = entry(run, worker, owner=owner, conversation=conversation, temporary=temporary, frames=frames)
        made = ModelRun(owner, conversation, worker, temporary, self.model.now)
        match self.model.begin(run, made, count):
            case "lapsed":
                with pytest.raises(LeaseLapsed):
                    self.journal.begin(new)
            case "begun":
                assert self.journal.begin(new) is None
            case _:
                known = self.journal.begin(new)
                assert known is not None
                self.check_run(run, known)

    @precondition(lambda self: self.model.runs)
    @rule(data=st.data(), worker=WORKERS, size=st.integers(1, 4))
    def append(self, data: st.DataObject, worker: str, size: int) -> None:
        groups, refused = [], {}
        for _ in range(size):
            run, epoch, first, last = self.draw_group(data)
            frames = [frame_of(run, epoch, seq) for seq in range(first, last + 1)]
            groups.append(JournalGroup(run=run, epoch=epoch, first_seq=first, frames=frames))
            if run not in refused:
                refusal = self.model.append(run, worker, epoch, first, last)
                if refusal is not None:
                    refused[run] = refusal
        assert self.journal.append(worker, groups) == refused

    @precondition(lambda self: self.model.runs)
    @rule(data=st.data(), worker=WORKERS, mark=MARKS)
    def end(self, data: st.DataObject, worker: str, mark: str) -> None:
        run, epoch, first, last = self.draw_group(data)
        frames = [*(frame_of(run, epoch, seq) for seq in range(first, last)), done(mark)]
        group = JournalGroup(run=run, epoch=epoch, first_seq=first, frames=frames)
        expected = self.model.end(run, worker, epoch, first, last, mark)
        assert self.journal.end(worker, group) == expected

    @precondition(lambda self: self.model.runs)
    @rule(data=st.data(), worker=WORKERS, mark=MARKS, off=st.sampled_from([0, 0, 0, 1]))
    def seize(self, data: st.DataObject, worker: str, mark: str, off: int) -> None:
        run, epoch, _, _ = self.draw_group(data)
        last_seq = (self.model.runs[run].last_seq if run in self.model.runs else 0) + off
        expected = self.model.seize(run, epoch, last_seq, worker, mark)
        assert self.journal.seize(run, epoch, last_seq, worker, reset(mark)) == expected

    @rule(data=st.data(), limit=st.sampled_from([1, 100, 100_000, 100_000]))
    def read(self, data: st.DataObject, limit: int) -> None:
        names = data.draw(st.lists(RUNS, unique=True))
        cursors = {
            name: JournalCursor(data.draw(st.integers(0, 3)), data.draw(st.integers(0, 8))) for name in names
        }
        updates = self.journal.read(cursors, limit)
        assert set(updates) == {name for name in names if name in self.model.runs}
        for name, update in updates.items():
            self.check_update(name, cursors[name], update)
        if any(update.more for update in updates.values()):
            assert limit < 100_000
            assert any(update.cursor != cursors[name] for name, update in updates.items())

    @rule(run=RUNS, by=st.sampled_from(["user", "orphan"]))
    def request_stop(self, run: str, by: str) -> None:
        found = self.model.running().get(run)
        if found is not None:
            found.stop = found.stop or by
        assert self.journal.request_stop(run, by) == (found is not None)  # type: ignore[arg-type]

    @rule(worker=WORKERS)
    def find_stops(self, worker: str) -> None:
        assert self.journal.find_stops(worker) == {
            name: run.stop for name, run in self.model.running().items() if run.worker == worker and run.stop
        }

    @rule(names=st.lists(RUNS, unique=True))
    def mark_read(self, names: list[str]) -> None:
        self.journal.mark_read(names)
        for name in set(names) & set(self.model.runs):
            self.model.runs[name].read_at = self.model.now

    @rule(names=st.lists(RUNS, unique=True))
    def measure_unread(self, names: list[str]) -> None:
        found = self.journal.measure_unread_s(names)
        expected = {
            name: self.model.now - self.model.runs[name].read_at for name in names if name in self.model.runs
        }
        assert found == pytest.approx(expected, abs=STEP_S / 2)

    @rule(source=OWNERS, receiver=OWNERS)
    def move_owner(self, source: str, receiver: str) -> None:
        self.journal.move_owner(source, receiver)
        for run in self.model.runs.values():
            if run.owner == source:
                run.owner = receiver

    @rule(owner=OWNERS, conversation=CONVERSATIONS)
    def list_running(self, owner: str, conversation: str | None) -> None:
        assert self.names(self.journal.list_running(owner, conversation)) == {
            name
            for name, run in self.model.running().items()
            if run.owner == owner and conversation in (None, run.conversation)
        }

    @rule(grace_s=st.sampled_from([0, GRACE_S]))
    def list_lapsed(self, grace_s: int) -> None:
        assert self.names(self.journal.list_lapsed(grace_s)) == self.model.lapsed(grace_s)

    @rule(limit=st.integers(1, 4))
    def expire(self, limit: int) -> None:
        old = self.model.expired(OLD_S)
        assert self.journal.expire(OLD_S, limit) == min(limit, len(old))
        left = {name for name in old if self.journal.find(name) is not None}
        assert len(left) == max(0, len(old) - limit)
        for name in old - left:
            del self.model.runs[name]
        self.model.forget_leases()

    @rule()
    def open_again(self) -> None:
        number = self.turn % 2
        self.journals[number] = self.backend.connect()

    @rule()
    def find_all(self) -> None:
        for name in ("one", "two", "three", "four"):
            found = self.journal.find(name)
            assert (found is not None) == (name in self.model.runs)
            if found is not None:
                self.check_run(name, found)

    def teardown(self) -> None:
        self.find_all()
        for name in self.model.runs:
            update = self.journal.read({name: JournalCursor()}, 1_000_000)[name]
            self.check_update(name, JournalCursor(), update)
            assert not update.more
        self.backend.disconnect()

    def draw_group(self, data: st.DataObject) -> tuple[str, int, int, int]:
        """Draw a run, an epoch and first and last numbers, mostly those that follow."""
        run = data.draw(RUNS)
        found = self.model.runs.get(run)
        epoch, last = (found.epoch, found.last_seq) if found else (1, 0)
        epoch = max(1, epoch + data.draw(st.sampled_from([0, 0, 0, 0, -1, 1])))
        first = max(1, last + data.draw(st.sampled_from([1, 1, 1, 0, -1, 2])))
        return run, epoch, first, first + data.draw(st.integers(0, 3))

    def check_run(self, name: str, found: JournalRun) -> None:
        run = self.model.runs[name]
        assert (found.owner, found.conversation, found.worker) == (run.owner, run.conversation, run.worker)
        assert (found.epoch, found.last_seq, found.takeovers) == (run.epoch, run.last_seq, run.takeovers)
        assert (found.stop, found.temporary) == (run.stop, run.temporary)
        assert (found.state == "running") == (found.ended_at is None) == run.is_running
        assert found.request == (f"request of {name}".encode() if run.is_running else b"")

    def check_update(self, name: str, cursor: JournalCursor, update: JournalUpdate) -> None:
        run = self.model.runs[name]
        following = run.following(cursor.epoch, cursor.seq)
        got: list[Frame] = [*update.reset, *update.frames]
        assert (update.epoch, update.last_seq) == (run.epoch, run.last_seq)
        assert (update.state == "running") == run.is_running
        assert got == following[: len(got)]
        assert update.more == (len(got) < len(following))
        assert (list(update.reset) == list(run.reset)) if update.reset else True
        if not got:
            assert update.cursor == cursor
            return
        had = cursor.seq if cursor.epoch == run.epoch else 0
        last = run.last_seq if run.temporary else had + len(update.frames)
        assert update.cursor == JournalCursor(run.epoch, last)
        if update.frames:
            assert update.first_seq == last - len(update.frames) + 1

    @staticmethod
    def names(found: list[JournalRun]) -> set[str]:
        return {run.run for run in found}


def test_a_journal_does_what_the_model_does(backend: Backend, request: pytest.FixtureRequest) -> None:
    kind: str = request.node.callspec.params["backend"]
    number = int(os.environ.get("FRESHET_TEST_SEED", random.SystemRandom().randrange(2**32)))
    examples = int(os.environ.get("FRESHET_TEST_EXAMPLES", EXAMPLES[kind]))
    print(f"\nFRESHET_TEST_SEED={number} FRESHET_TEST_EXAMPLES={examples} for {request.node.nodeid}")
    machine = seed(number)(type("Machine", (JournalMachine,), {"backend": backend}))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        ),
    )
