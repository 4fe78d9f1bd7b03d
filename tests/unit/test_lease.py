"""The lease of a worker on its runs."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.journal.samples import entry
from tests.unit.faulty_journal import FaultyJournal, wait_for
from webapp.errors import JournalUnavailable
from webapp.journal_records import JournalRun
from webapp.runs import lease as leases
from webapp.runs.lease import Lease

LENGTH_S = 0.4


class Holder:
    """A lease, and the runs that were returned each time it was begun."""

    def __init__(self, journal: FaultyJournal, worker: str = "a", length_s: float = LENGTH_S) -> None:
        self.is_needed = True
        self.reclaimed: list[list[str]] = []
        self.was_valid: list[bool] = []
        self.lease = Lease(journal, worker, length_s, lambda: self.is_needed, self._on_reclaimed)

    def _on_reclaimed(self, rows: Sequence[JournalRun]) -> None:
        self.reclaimed.append([row.run for row in rows])
        self.was_valid.append(self.lease.is_valid())


@pytest.fixture
def journal() -> FaultyJournal:
    return FaultyJournal()


@pytest.fixture
def holder(journal: FaultyJournal) -> Iterator[Holder]:
    created = Holder(journal)
    yield created
    journal.come_back()
    created.lease.stop()


def lapses(journal: FaultyJournal, worker: str = "a") -> bool:
    """Return whether the journal would let others take the worker's runs over."""
    return any(row.worker == worker for row in journal.list_lapsed(0.0))


def test_a_lease_is_renewed_while_it_is_needed(journal: FaultyJournal, holder: Holder) -> None:
    assert not holder.lease.is_valid()
    holder.lease.hold()
    assert journal.begin(entry("run", "a")) is None
    until = time.monotonic() + 3 * LENGTH_S
    while time.monotonic() < until:
        assert not lapses(journal)
        assert holder.lease.is_valid()
        time.sleep(0.02)
    assert len(holder.reclaimed) == 1


def test_concurrent_holders_begin_the_lease_once(journal: FaultyJournal, holder: Holder) -> None:
    threads = [threading.Thread(target=holder.lease.hold) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert journal.calls["reclaim"] == 1


def test_a_lease_that_is_not_needed_is_not_renewed_for_ever(
    journal: FaultyJournal, holder: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "_LINGER_S", 0.1)
    holder.is_needed = False
    holder.lease.hold()
    wait_for(lambda: not holder.lease._is_renewing, "the thread, gone")
    renewals = journal.calls["renew"]
    wait_for(lambda: not holder.lease.is_valid(), "the lease, lapsed")
    assert journal.calls["renew"] == renewals
    holder.is_needed = True
    holder.lease.hold()
    assert holder.lease.is_valid()
    assert len(holder.reclaimed) == 2


def test_a_lapsed_lease_is_begun_again_with_the_runs_that_nobody_has_taken(
    journal: FaultyJournal, holder: Holder
) -> None:
    holder.lease.hold()
    for name in ("kept", "taken"):
        journal.begin(entry(name, "a"))
    with journal._changed:
        journal._leases["a"] = 0.0
        journal._runs["taken"].change(worker="b", epoch=2)
    wait_for(lambda: len(holder.reclaimed) == 2, "the lease, begun again")
    assert holder.reclaimed == [[], ["kept"]]
    wait_for(holder.lease.is_valid, "a valid lease")
    assert not holder.was_valid[1], "the runs that others have went on for a moment"


def test_a_lapsed_lease_that_the_journal_has_forgotten_is_begun_again(
    journal: FaultyJournal, holder: Holder
) -> None:
    """Without running runs a lapsed lease is deleted, and could then be renewed as if nothing had happened."""
    holder.lease.hold()
    journal.begin(entry("taken", "a"))
    journal.go_away()
    wait_for(lambda: not holder.lease.is_valid(), "the lease, lapsed")
    with journal._changed:
        journal._runs["taken"].change(worker="b", epoch=2)
        del journal._leases["a"]
    journal.come_back()
    wait_for(lambda: len(holder.reclaimed) == 2, "the lease, begun again")
    assert holder.reclaimed == [[], []]
    wait_for(holder.lease.is_valid, "a valid lease")


def test_a_lease_outlasts_a_journal_that_is_away_for_a_while(journal: FaultyJournal, holder: Holder) -> None:
    journal.go_away()
    with pytest.raises(JournalUnavailable):
        holder.lease.hold()
    assert not holder.lease.is_valid()
    journal.come_back()
    wait_for(holder.lease.is_valid, "a lease, begun by the thread")
    journal.go_away()
    wait_for(lambda: not holder.lease.is_valid(), "the lease, lapsed")
    journal.come_back()
    wait_for(holder.lease.is_valid, "the lease, begun again")


def test_a_worker_that_stops_gives_its_lease_back(journal: FaultyJournal) -> None:
    holder = Holder(journal)
    holder.lease.hold()
    journal.begin(entry("run", "a"))
    holder.lease.stop()
    assert lapses(journal)
    assert not holder.lease.is_valid()
    renewals = journal.calls["renew"]
    holder.lease.stop()
    assert not holder.lease._is_renewing
    assert journal.calls["renew"] == renewals


_BUSY_WORKER = """
import gevent.monkey
gevent.monkey.patch_all()
import sys, time
from webapp.journal.database import DatabaseJournal
from webapp.runs.lease import Lease

length_s = float(sys.argv[2])
journal = DatabaseJournal(None, sys.argv[1], 10.0)
lease = Lease(journal, "busy", length_s, lambda: True, lambda rows: None)
lease.hold()
until = time.monotonic() + 3 * length_s
while time.monotonic() < until:
    assert lease.is_valid(), "the lease has lapsed"
print("held", flush=True)
lease.stop()
assert not lease._is_renewing
journal.close()
"""


def test_a_busy_event_loop_does_not_hold_up_the_renewal(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _BUSY_WORKER, str(tmp_path), "1.0"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "held\n"), done.stderr[-2000:]
