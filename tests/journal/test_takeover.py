"""Runs of a dead worker are taken over, whichever journal they are in."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.journal.backends import Backend
from tests.unit.engine import no_price
from webapp.frames import Start, start_frame, text_frame
from webapp.journal_records import JournalCursor, JournalEntry, JournalGroup
from webapp.measurements import NoObserver
from webapp.runs import takeover
from webapp.runs.lost import LostRun, Recovery
from webapp.runs.takeover import Takeovers
from webapp.seams import Journal

LEASE_S = 30.0
RUNS = [f"{number:022d}" for number in range(24)]
TEXT = "".join(f"{number} " for number in range(300))
TIMEOUT_S = 30.0


def leave(journal: Journal, run: str) -> None:
    """Store a run of the worker that dies, in many groups."""
    start = start_frame(Start(run=run, provider="openai", model="gpt-4.1"))
    entry = JournalEntry(
        run=run,
        owner="user:anna",
        fingerprint="body",
        start=start.payload,
        request=b"reference",
        worker="dead",
        frames=(start,),
    )
    assert journal.begin(entry) is None
    frames = [text_frame(word + " ") for word in TEXT.split()]
    for first in range(0, len(frames), 30):
        group = JournalGroup(run=run, epoch=1, first_seq=first + 2, frames=frames[first : first + 30])
        assert journal.append("dead", [group]) == {}


def test_two_workers_end_the_runs_of_a_dead_one(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(takeover, "_READ_BYTES", 500)  # so that one read is not enough
    journal = backend.connect()
    assert journal.renew("dead", LEASE_S)
    for run in RUNS:
        leave(journal, run)
    backend.advance(LEASE_S + 1)
    recovered: list[str] = []
    lock = threading.Lock()

    def recover(lost: LostRun, epoch: int) -> Recovery:
        with lock:
            recovered.append(lost.row.run)
        assert lost.said.text == TEXT
        return Recovery()

    def work(worker: str) -> None:
        own = backend.connect()
        takeovers = Takeovers(
            own,
            worker,
            LEASE_S,
            10 * LEASE_S,
            recover=recover,
            adopt=lambda *_: None,
            may_start=lambda: True,
            prepare=lambda: own.reclaim(worker, LEASE_S),
            pricer=no_price,
            observer=NoObserver(),
        )
        takeovers.check()
        for _ in range(8):
            assert takeovers._slots.acquire(timeout=TIMEOUT_S)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(work, worker) for worker in ("b", "c")]:
            done.result(2 * TIMEOUT_S)
    assert sorted(recovered) == RUNS
    for run in RUNS:
        update = journal.read({run: JournalCursor()}, 10**9)[run]
        reset, error = [json.loads(frame.payload) for frame in (*update.reset, *update.frames)]
        assert (update.epoch, update.state, reset["reset"]["text"]) == (2, "ended", TEXT)
        assert (error["code"], error["partial"]) == ("interrupted", True)
