"""What each operation of a journal does, the same on every implementation."""

import pytest

from tests.journal.backends import Backend
from tests.journal.samples import (
    LONG_S,
    NOTHING,
    TTL_S,
    done,
    ending,
    entry,
    group,
    read_one,
    reset,
    started,
    text,
    texts,
)
from webapp.errors import LeaseLapsed
from webapp.frames import Frame
from webapp.journal_records import MAX_IDS, JournalCursor, JournalGroup
from webapp.seams import Journal


def test_a_run_is_stored_whole_and_found(journal: Journal, other: Journal) -> None:
    started(journal, frames=texts(1, 2), conversation="talk")
    found = other.find("run")
    assert found is not None
    assert (found.owner, found.fingerprint, found.conversation) == ("anna", "print of run", "talk")
    assert (found.start, found.request) == (b'{"start":{}}', b"request of run")
    assert (found.worker, found.epoch, found.last_seq, found.state) == ("a", 1, 2, "running")
    assert (found.takeovers, found.stop, found.ended_at, found.temporary) == (0, None, None, False)
    assert abs(found.began_at - journal.now()) < 60
    assert found.read_at == pytest.approx(found.began_at)


def test_an_unknown_run_is_not_found(journal: Journal) -> None:
    assert journal.find("none") is None
    assert journal.read({"none": NOTHING}, 1_000) == {}
    assert journal.measure_unread_s(["none"]) == {}
    assert not journal.request_stop("none", "user")
    assert journal.seize("none", 1, 0, "a", reset("x")) is None


def test_a_known_run_is_returned_unchanged(journal: Journal, other: Journal) -> None:
    started(journal, frames=texts(1, 2))
    assert other.renew("b", TTL_S)
    known = other.begin(entry("run", "b", owner="ben", frames=texts(5, 6)))
    assert known == journal.find("run")
    assert known is not None
    assert (known.owner, known.worker, known.last_seq) == ("anna", "a", 2)


def test_a_known_run_is_returned_also_without_a_lease(journal: Journal) -> None:
    started(journal)
    assert journal.begin(entry("run", "nobody")) == journal.find("run")


@pytest.mark.parametrize("lease", ["never begun", "lapsed", "released"])
def test_a_run_needs_its_workers_lease(journal: Journal, backend: Backend, lease: str) -> None:
    if lease != "never begun":
        journal.renew("a", TTL_S)
    if lease == "lapsed":
        backend.advance(LONG_S)
    elif lease == "released":
        journal.release("a")
    with pytest.raises(LeaseLapsed):
        journal.begin(entry())
    assert journal.find("run") is None


def test_groups_of_many_runs_are_stored_and_refused_apart(journal: Journal) -> None:
    for name in ("one", "two", "three", "four"):
        started(journal, name)
    journal.end("a", ending("three", 1, 1, 1))
    assert journal.append(
        "a",
        [
            group("one", 1, 1, 2),
            group("two", 1, 2, 3),
            group("none", 1, 1, 1),
            group("three", 1, 2, 2),
            group("four", 2, 1, 1),
            group("one", 1, 3, 3),
        ],
    ) == {"two": "misplaced", "none": "unknown", "three": "ended", "four": "seized"}
    assert read_one(journal, "one").frames == list(texts(1, 3))
    assert read_one(journal, "two").frames == []
    assert read_one(journal, "four").frames == []


def test_after_a_refusal_the_runs_other_groups_are_not_stored(journal: Journal) -> None:
    started(journal)
    groups = [group("run", 1, 1, 1), group("run", 1, 3, 3), group("run", 1, 2, 2)]
    assert journal.append("a", groups) == {"run": "misplaced"}
    assert read_one(journal, "run").last_seq == 1


def test_another_workers_groups_are_refused(journal: Journal) -> None:
    started(journal)
    assert journal.append("b", [group("run", 1, 1, 1)]) == {"run": "seized"}
    assert journal.end("b", ending("run", 1, 1, 1)) == "seized"


def test_a_group_may_be_repeated_and_extended(journal: Journal) -> None:
    started(journal)
    for first, last in ((1, 3), (1, 3), (2, 5), (1, 2), (4, 6)):
        assert journal.append("a", [group("run", 1, first, last)]) == {}
    assert read_one(journal, "run").frames == list(texts(1, 6))


def test_no_groups_are_nothing(journal: Journal) -> None:
    assert journal.append("a", []) == {}
    assert journal.read({}, 1_000) == {}
    assert journal.measure_unread_s([]) == {}
    journal.mark_read([])


def test_the_terminal_frame_ends_the_run_and_deletes_its_request(journal: Journal, other: Journal) -> None:
    started(journal, frames=texts(1, 1))
    assert journal.end("a", ending("run", 1, 2, 4)) is None
    found = other.find("run")
    assert found is not None
    assert (found.state, found.request, found.last_seq) == ("ended", b"", 4)
    assert found.ended_at is not None
    assert found.ended_at >= found.began_at
    update = read_one(other, "run")
    assert (update.state, update.frames[-1], update.more) == ("ended", done(), False)
    assert len(update.frames) == 4


def test_ending_again_is_accepted_with_the_same_frame_only(journal: Journal) -> None:
    started(journal)
    assert journal.end("a", ending("run", 1, 1, 2)) is None
    assert journal.end("a", ending("run", 1, 1, 2)) is None
    assert journal.end("a", ending("run", 1, 2, 2)) is None
    assert journal.end("a", ending("run", 1, 1, 2, done("another"))) == "ended"
    assert journal.end("a", ending("run", 1, 1, 3)) == "ended"
    assert journal.append("a", [group("run", 1, 3, 3)]) == {"run": "ended"}
    assert journal.append("a", [group("run", 1, 1, 1)]) == {}
    assert read_one(journal, "run").frames == [text(1), done()]


def test_an_end_must_follow_what_is_stored(journal: Journal) -> None:
    started(journal, frames=texts(1, 3))
    assert journal.end("a", ending("run", 1, 5, 5)) == "misplaced"
    assert journal.end("a", ending("run", 1, 3, 3)) == "misplaced"
    assert journal.end("a", ending("none", 1, 1, 1)) == "unknown"
    assert journal.end("a", ending("run", 1, 2, 4)) is None


def test_only_the_last_frame_of_an_end_is_terminal(journal: Journal) -> None:
    started(journal)
    with pytest.raises(ValueError, match="terminal"):
        journal.end("a", group("run", 1, 1, 2))
    with pytest.raises(ValueError, match="terminal"):
        journal.append("a", [ending("run", 1, 1, 2)])
    with pytest.raises(ValueError, match="terminal"):
        journal.end("a", JournalGroup(run="run", epoch=1, first_seq=1, frames=(done(), done())))
    assert read_one(journal, "run").frames == []


@pytest.mark.parametrize("seq", range(8))
def test_a_cursor_may_be_anywhere_in_a_group(journal: Journal, seq: int) -> None:
    started(journal, frames=texts(1, 2))
    journal.append("a", [group("run", 1, 3, 5), group("run", 1, 6, 6)])
    update = read_one(journal, "run", JournalCursor(1, seq))
    assert update.frames == list(texts(seq + 1, 6))
    assert (update.epoch, update.last_seq, update.more) == (1, 6, False)
    assert update.first_seq == seq + 1
    assert update.cursor == JournalCursor(1, max(seq, 6))


def test_many_runs_are_read_at_once(journal: Journal) -> None:
    names = [f"run{number}" for number in range(50)]
    for number, name in enumerate(names):
        started(journal, name, frames=texts(1, number + 1))
    cursors = {name: JournalCursor(1, number // 2) for number, name in enumerate(names)}
    updates = journal.read({**cursors, "none": NOTHING}, 1_000_000)
    assert list(updates) == names or set(updates) == set(names)
    for number, name in enumerate(names):
        assert updates[name].frames == list(texts(number // 2 + 1, number + 1))


def test_a_read_is_bounded_and_shared_evenly(journal: Journal) -> None:
    for name in ("one", "two"):
        started(journal, name)
        for number in range(1, 9):
            journal.append("a", [group(name, 1, number, number)])
    cursors = {"one": NOTHING, "two": NOTHING}
    size = len(text(1).payload)
    updates = journal.read(cursors, 4 * size)
    assert 2 <= len(updates["one"].frames) <= 4
    assert abs(len(updates["one"].frames) - len(updates["two"].frames)) <= 1
    assert updates["one"].more
    collected: dict[str, list[Frame]] = {"one": [], "two": []}
    for _ in range(20):
        updates = journal.read(cursors, 1)
        for name, update in updates.items():
            collected[name] += update.frames
            cursors[name] = update.cursor
    assert not any(update.more for update in updates.values())
    assert collected["one"] == collected["two"] == list(texts(1, 8))


def test_a_taken_over_run_is_read_from_its_reset(journal: Journal, other: Journal, backend: Backend) -> None:
    started(journal, frames=texts(1, 3))
    backend.advance(LONG_S)
    assert other.renew("b", TTL_S)
    assert other.seize("run", 1, 3, "b", reset("1-3")) == 2
    for cursor in (NOTHING, JournalCursor(1, 2), JournalCursor(1, 9), JournalCursor(7, 1)):
        update = read_one(journal, "run", cursor)
        assert (update.epoch, list(update.reset), update.frames) == (2, list(reset("1-3")), [])
        assert (update.cursor, update.last_seq, update.first_seq) == (JournalCursor(2, 0), 0, 1)
    assert other.append("b", [group("run", 2, 1, 2)]) == {}
    update = read_one(journal, "run", JournalCursor(1, 3))
    assert (list(update.reset), update.frames) == (list(reset("1-3")), list(texts(1, 2)))
    update = read_one(journal, "run", JournalCursor(2, 0))
    assert (list(update.reset), update.frames) == ([], list(texts(1, 2)))
    found = journal.find("run")
    assert found is not None
    assert (found.epoch, found.worker, found.takeovers, found.last_seq) == (2, "b", 1, 2)


def test_the_previous_workers_writes_are_refused(journal: Journal, other: Journal, backend: Backend) -> None:
    started(journal, frames=texts(1, 1))
    backend.advance(LONG_S)
    assert other.seize("run", 1, 1, "b", reset("1")) == 2
    assert journal.append("a", [group("run", 1, 2, 2)]) == {"run": "seized"}
    assert journal.append("a", [group("run", 2, 1, 1)]) == {"run": "seized"}
    assert journal.append("a", [group("run", 1, 1, 1)]) == {"run": "seized"}
    assert journal.end("a", ending("run", 1, 2, 2)) == "seized"
    assert other.end("b", ending("run", 2, 1, 1)) is None
    assert journal.end("a", ending("run", 1, 2, 2)) == "seized"


def test_a_seizure_needs_what_it_expects(journal: Journal, backend: Backend) -> None:
    started(journal, frames=texts(1, 3))
    assert journal.seize("run", 1, 3, "b", reset("x")) is None  # the lease is valid
    backend.advance(LONG_S)
    assert journal.seize("run", 1, 2, "b", reset("x")) is None  # more is stored
    assert journal.seize("run", 2, 3, "b", reset("x")) is None  # another epoch
    assert journal.seize("run", 1, 3, "b", reset("x")) == 2
    assert journal.seize("run", 1, 3, "c", reset("x")) is None
    assert journal.seize("run", 2, 0, "c", reset("x")) == 3
    assert journal.end("c", ending("run", 3, 1, 1)) is None
    assert journal.seize("run", 3, 1, "b", reset("x")) is None  # it has ended
    with pytest.raises(ValueError, match="reset"):
        journal.seize("run", 3, 1, "b", ())


def test_a_worker_may_seize_its_own_run(journal: Journal) -> None:
    started(journal, frames=texts(1, 3))
    assert journal.seize("run", 1, 3, "a", reset("x")) == 2
    found = journal.find("run")
    assert found is not None
    assert (found.takeovers, found.epoch) == (0, 2)


def test_a_lost_run_is_stored_again_in_its_epoch(journal: Journal) -> None:
    started(journal, epoch=3, frames=reset("1-9"))
    assert journal.append("a", [group("run", 3, 1, 2)]) == {}
    update = read_one(journal, "run", JournalCursor(2, 9))
    assert (update.epoch, list(update.reset), update.frames) == (3, list(reset("1-9")), list(texts(1, 2)))


def test_a_temporary_run_is_stored_without_its_text(
    journal: Journal, other: Journal, backend: Backend
) -> None:
    started(journal, owner=None, temporary=True, frames=texts(1, 2))
    assert journal.append("a", [group("run", 1, 3, 9)]) == {}
    assert journal.append("a", [group("run", 2, 1, 1)]) == {"run": "seized"}
    update = read_one(other, "run")
    assert (update.frames, update.last_seq, update.more) == ([], 0, False)
    assert journal.end("a", ending("run", 1, 10, 12)) is None
    assert journal.end("a", ending("run", 1, 10, 12)) is None
    assert journal.end("a", ending("run", 1, 12, 12, done("another"))) == "ended"
    update = read_one(other, "run", JournalCursor(1, 4))
    assert (update.frames, update.first_seq, update.state) == ([done()], 12, "ended")
    started(journal, "second", temporary=True)
    backend.advance(LONG_S)
    assert other.seize("second", 1, 0, "b", reset("secret")) == 2
    update = read_one(other, "second", JournalCursor(1, 4))
    assert (list(update.reset), update.frames, update.epoch) == ([], [], 2)
    assert other.end("b", ending("second", 2, 1, 1)) is None
    assert read_one(journal, "second", JournalCursor(1, 4)).frames == [done()]


def test_a_lease_is_extended_until_it_lapses(journal: Journal, backend: Backend) -> None:
    assert journal.renew("a", TTL_S)
    for _ in range(3):
        backend.advance(TTL_S / 2)
        assert journal.renew("a", TTL_S)
    backend.advance(LONG_S)
    assert not journal.renew("a", TTL_S)
    assert not journal.renew("a", LONG_S)
    assert journal.reclaim("a", TTL_S) == []
    assert journal.renew("a", TTL_S)


def test_a_worker_reclaims_what_nobody_seized(journal: Journal, other: Journal, backend: Backend) -> None:
    for name in ("one", "two", "three"):
        started(journal, name)
    started(other, "four", "b")
    journal.end("a", ending("three", 1, 1, 1))
    backend.advance(LONG_S)
    assert other.seize("two", 1, 0, "c", reset("x")) == 2
    assert [run.run for run in journal.reclaim("a", TTL_S)] == ["one"]
    assert other.seize("one", 1, 0, "c", reset("x")) is None
    assert journal.append("a", [group("one", 1, 1, 1), group("two", 1, 1, 1)]) == {"two": "seized"}


def test_lapsed_runs_are_listed_after_the_grace_time(journal: Journal, backend: Backend) -> None:
    for name in ("one", "two", "three"):
        started(journal, name)
        backend.advance(1.0)
    journal.end("a", ending("two", 1, 1, 1))
    started(journal, "other", "b")
    assert journal.list_lapsed(0.0) == []
    backend.advance(TTL_S + 10)
    journal.reclaim("b", TTL_S)
    assert [run.run for run in journal.list_lapsed(0.0)] == ["one", "three"]
    assert [run.run for run in journal.list_lapsed(0.0, limit=1)] == ["one"]
    assert journal.list_lapsed(60.0) == []
    backend.advance(60)
    assert [run.run for run in journal.list_lapsed(60.0)] == ["one", "three"]


def test_a_released_lease_lapses_at_once(journal: Journal, other: Journal) -> None:
    started(journal)
    journal.release("a")
    journal.release("a")
    assert [run.run for run in other.list_lapsed(LONG_S)] == ["run"]
    assert journal.append("a", [group("run", 1, 1, 1)]) == {}
    assert other.seize("run", 1, 1, "b", reset("1")) == 2


def test_a_stop_reaches_the_worker_that_has_the_run(
    journal: Journal, other: Journal, backend: Backend
) -> None:
    started(journal, "one")
    started(journal, "two")
    assert other.request_stop("one", "user")
    assert other.request_stop("one", "orphan")
    assert journal.find_stops("a") == {"one": "user"}
    assert journal.find_stops("b") == {}
    backend.advance(LONG_S)
    assert other.seize("one", 1, 0, "b", reset("x")) == 2
    assert (journal.find_stops("a"), other.find_stops("b")) == ({}, {"one": "user"})
    assert other.end("b", ending("one", 2, 1, 1)) is None
    assert other.find_stops("b") == {}
    assert not journal.request_stop("one", "user")


def test_readers_are_noted(journal: Journal, other: Journal, backend: Backend) -> None:
    started(journal, "one")
    started(journal, "two")
    backend.advance(50)
    other.mark_read(["two", "none"])
    unread = journal.measure_unread_s(["one", "two", "none"])
    assert set(unread) == {"one", "two"}
    assert 50 <= unread["one"] < 100
    assert 0 <= unread["two"] < 40
    found = journal.find("two")
    assert found is not None
    assert found.read_at >= found.began_at + 50 - 0.01


def test_an_owners_running_runs_are_listed_and_move(journal: Journal, backend: Backend) -> None:
    started(journal, "one", conversation="first")
    backend.advance(1)
    started(journal, "two", conversation="second")
    backend.advance(1)
    started(journal, "three", owner="ben", conversation="first")
    started(journal, "four", owner=None)
    started(journal, "five")
    journal.end("a", ending("five", 1, 1, 1))
    assert [run.run for run in journal.list_running("anna")] == ["two", "one"]
    assert [run.run for run in journal.list_running("anna", "first")] == ["one"]
    journal.move_owner("anna", "ben")
    assert journal.list_running("anna") == []
    assert [run.run for run in journal.list_running("ben")] == ["three", "two", "one"]
    found = [journal.find(name) for name in ("five", "four")]
    assert [run and run.owner for run in found] == ["ben", None]


def test_ended_runs_expire_in_portions(journal: Journal, backend: Backend) -> None:
    for number in range(5):
        started(journal, f"run{number}", frames=texts(1, 3))
    started(journal, "running")
    for number in range(5):
        journal.end("a", ending(f"run{number}", 1, 4, 4))
    assert journal.expire(60) == 0
    backend.advance(90)
    assert journal.expire(60, limit=3) == 3
    assert journal.expire(60, limit=3) == 2
    assert journal.expire(60, limit=3) == 0
    assert all(journal.find(f"run{number}") is None for number in range(5))
    assert journal.find("running") is not None
    assert journal.end("a", ending("run1", 1, 4, 4)) == "unknown"
    started(journal, "run1")
    assert read_one(journal, "run1").frames == []


def test_lapsed_leases_without_runs_are_forgotten(journal: Journal, backend: Backend) -> None:
    started(journal)
    assert journal.renew("b", TTL_S)
    backend.advance(LONG_S)
    assert journal.renew("c", TTL_S)
    journal.expire(60)
    assert journal.renew("b", TTL_S)  # as a new worker's
    assert not journal.renew("a", TTL_S)  # its run would be forgotten with it
    assert journal.begin(entry("another", "c")) is None


def test_waiting_ends_when_something_follows(journal: Journal) -> None:
    started(journal, frames=texts(1, 1))
    assert journal.read({"run": NOTHING}, 1_000, wait_s=60.0)["run"].frames == [text(1)]
    update = journal.read({"run": JournalCursor(1, 1)}, 1_000, wait_s=0.05)["run"]
    assert (update.frames, update.cursor) == ([], JournalCursor(1, 1))
    journal.end("a", ending("run", 1, 2, 2))
    update = journal.read({"run": JournalCursor(1, 2)}, 1_000, wait_s=60.0)["run"]
    assert (update.frames, update.state) == ([], "ended")


def test_values_out_of_bounds_are_refused(journal: Journal) -> None:
    with pytest.raises(ValueError, match="at most"):
        entry("r" * 65)
    with pytest.raises(ValueError, match="NUL"):
        entry("a\0b")
    with pytest.raises(ValueError, match="reset"):
        entry(epoch=2)
    with pytest.raises(ValueError, match="numbered"):
        group("run", 1, 1, 0)
    with pytest.raises(ValueError, match="numbered"):
        group("run", 1, 0, 1)
    with pytest.raises(ValueError, match="at most"):
        journal.read({f"run{number}": NOTHING for number in range(MAX_IDS + 1)}, 1_000)
    with pytest.raises(ValueError, match="at most"):
        journal.append("a", [group("run", 1, 1, 1)] * (MAX_IDS + 1))


def test_frames_are_returned_byte_for_byte(journal: Journal) -> None:
    payloads = [b"\x00\xff\x80", "é😀\u2028".encode(), b"", b'{"text":"\\u0000"}', bytes(range(256)) * 300]
    frames = tuple(Frame("reasoning", payload) for payload in payloads)
    started(journal, frames=frames)
    assert read_one(journal, "run").frames == list(frames)
