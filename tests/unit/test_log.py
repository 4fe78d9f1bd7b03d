"""The log of one answer, its bell, and places in it."""

import random
import threading

import pytest

from tests.unit.engine import PATIENCE_S, bodies, ids, text_of
from webapp.chat import Usage
from webapp.frames import Cursor, Frame, RunResult, Start, done_frame, new_run, start_frame, text_frame
from webapp.offload import Wake
from webapp.runs.log import RunLog, StaleEpoch
from webapp.runs.readers import Delivery, Reader

RUN = new_run()
DONE = done_frame(
    RunResult(
        state="done", finish_reason="stop", usage=Usage(), cost=None, sha256="", provider="p", model="m"
    )
)


def log_of(*texts: str, ended: bool = False) -> RunLog:
    """A log whose frames 2, 3, … carry `texts`; its first is the start."""
    start = Start(run=RUN, provider="p", model="m")
    log = RunLog(start)
    frames = [start_frame(start), *map(text_frame, texts), *([DONE] if ended else [])]
    for frame in frames:
        log.append(frame, 1)
    return log


def taken(log: RunLog, cursor: Cursor | None = None, *, prove: bool = True) -> list[Delivery]:
    return Reader(log, cursor, prove=prove).take()


# The bell.


def test_a_bell_wakes_once_however_often_it_was_rung() -> None:
    wake = Wake()
    assert not wake.wait(0)
    wake.set()
    wake.set()
    assert wake.wait(0)
    assert not wake.wait(0)


def test_a_bell_wakes_one_who_waits_already() -> None:
    wake, woken = Wake(), threading.Event()

    def wait() -> None:
        if wake.wait(PATIENCE_S):
            woken.set()

    thread = threading.Thread(target=wait)
    thread.start()
    wake.set()
    thread.join(PATIENCE_S)
    assert woken.is_set()


def test_readers_are_rung_until_they_leave() -> None:
    log, wake, other = log_of(), Wake(), Wake()
    log.subscribe(wake)
    log.subscribe(other)
    log.append(text_frame("x"), 1)
    assert (wake.wait(0), other.wait(0)) == (True, True)
    log.unsubscribe(wake)
    log.append(text_frame("y"), 1)
    assert (wake.wait(0), other.wait(0)) == (False, True)


# Writing.


def test_nothing_is_written_after_the_end() -> None:
    log = log_of("a", ended=True)
    with pytest.raises(StaleEpoch):
        log.append(text_frame("b"), 1)
    with pytest.raises(StaleEpoch):
        log.seize(1)
    assert len(log) == 3


def test_who_lost_the_log_cannot_write_to_it() -> None:
    log = log_of("a")
    assert log.seize(1) == 2
    with pytest.raises(StaleEpoch):
        log.append(text_frame("late"), 1)
    with pytest.raises(StaleEpoch):
        log.seize(1)
    log.append(DONE, 2)
    assert log.closed


def test_only_one_of_many_takes_the_log() -> None:
    log, won = log_of("a"), []
    barrier = threading.Barrier(8)

    def seize() -> None:
        barrier.wait(PATIENCE_S)
        try:
            won.append(log.seize(1))
        except StaleEpoch:
            pass

    threads = [threading.Thread(target=seize) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert won == [2]


def test_its_size_counts_the_bytes_of_its_frames() -> None:
    before = log_of().size_bytes
    assert log_of("x" * 10_000).size_bytes - before == pytest.approx(10_000, abs=200)


# Reading.


def test_a_reader_takes_each_frame_once_and_in_order(dice: random.Random) -> None:
    for _ in range(50):
        log = log_of()
        reader = Reader(log, None, prove=True)
        found: list[Delivery] = []
        texts = [str(number) for number in range(30)]
        for text in texts:
            log.append(text_frame(text), 1)
            if dice.random() < 0.4:
                found += reader.take()
        log.append(DONE, 1)
        found += reader.take()
        assert ids(found) == [(1, seq) for seq in range(1, 33)]
        assert text_of(found) == "".join(texts)
        assert (reader.ended, reader.take()) == (True, [])


@pytest.mark.parametrize("ended", [True, False])
def test_any_cursor_of_a_run_goes_on_behind_it(ended: bool) -> None:
    log = log_of("a", "b", "c", ended=ended)
    whole = taken(log)
    for seq in range(len(whole) + 1):
        assert taken(log, Cursor(RUN, 1, seq)) == whole[seq:]


def test_a_reader_at_the_end_is_known() -> None:
    log = log_of("a", ended=True)
    assert Reader(log, Cursor(RUN, 1, 3), prove=True).at_end
    assert not Reader(log, Cursor(RUN, 1, 2), prove=True).at_end
    assert not Reader(log, None, prove=True).at_end
    assert not Reader(log_of("a"), Cursor(RUN, 1, 2), prove=True).at_end


UNPROVEN = [
    (Cursor(RUN, 1, 4), True),
    (Cursor(RUN, 1, 999_999_999_999_999), True),
    (Cursor(RUN, 2, 1), True),
    (Cursor(RUN, 9_999_999_999, 1), True),
    (None, False),
    (Cursor(RUN, 1, 2), False),
]


@pytest.mark.parametrize(("cursor", "prove"), UNPROVEN)
def test_what_cannot_be_proven_begins_with_a_reset(cursor: Cursor | None, prove: bool) -> None:
    log = log_of("Hel", "lo")
    first = taken(log, cursor, prove=prove)
    assert bodies(first)[0]["reset"]["text"] == "Hello"
    assert ids(first) == [(1, 3)]


@pytest.mark.parametrize(("cursor", "prove"), [(Cursor(RUN, 1, 5), True), (None, False)])
def test_a_reset_of_an_ended_run_is_followed_by_its_end(cursor: Cursor | None, prove: bool) -> None:
    reader = Reader(log_of("Hel", "lo", ended=True), cursor, prove=prove)
    found = reader.take()
    assert [next(iter(body)) for body in bodies(found)] == ["reset", "done"]
    assert ids(found) == [(1, 3), (1, 4)]
    assert reader.ended


def test_after_a_reset_the_reader_goes_on() -> None:
    log = log_of("Hel")
    reader = Reader(log, None, prove=False)
    assert ids(reader.take()) == [(1, 2)]
    log.append(text_frame("lo"), 1)
    assert ids(reader.take()) == [(1, 3)]


def test_a_new_epoch_sends_every_reader_a_reset() -> None:
    log = log_of("Hel", "lo")
    reader = Reader(log, None, prove=True)
    before = reader.take()
    log.append(DONE, log.seize(1))
    after = reader.take()
    assert [next(iter(body)) for body in bodies(after)] == ["reset", "done"]
    assert ids(after) == [(2, 0), (2, 1)]
    assert text_of(before + after) == "Hello"


@pytest.mark.parametrize("seq", range(6))
def test_a_cursor_of_an_old_epoch_gets_a_reset_and_never_wrong_text(seq: int) -> None:
    log = log_of("Hel", "lo")
    log.append(DONE, log.seize(1))
    found = taken(log, Cursor(RUN, 1, seq))
    assert (ids(found), text_of(found)) == ([(2, 0), (2, 1)], "Hello")


def test_a_cursor_of_the_new_epoch_goes_on() -> None:
    log = log_of("Hel", "lo")
    log.append(DONE, log.seize(1))
    assert ids(taken(log, Cursor(RUN, 2, 0))) == [(2, 1)]
    assert Reader(log, Cursor(RUN, 2, 1), prove=True).at_end


def test_of_a_long_reset_only_the_last_frame_has_an_id() -> None:
    log = log_of(*["x" * 50_000] * 4)
    found = taken(log, None, prove=False)
    assert len(found) > 3
    assert ids(found) == [None] * (len(found) - 1) + [(1, 5)]
    assert text_of(found) == "x" * 200_000


def test_readers_in_threads_miss_nothing(dice: random.Random) -> None:
    texts = [str(dice.random()) for _ in range(2_000)]
    log, found = log_of(), {}

    def follow(name: int) -> None:
        wake, mine = Wake(), []
        log.subscribe(wake)
        reader = Reader(log, None, prove=True)
        while not reader.ended:
            new = reader.take()
            if not new and not wake.wait(PATIENCE_S):
                return
            mine += new
        found[name] = mine

    threads = [threading.Thread(target=follow, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for text in texts:
        log.append(text_frame(text), 1)
    log.append(DONE, 1)
    for thread in threads:
        thread.join(PATIENCE_S)
    assert sorted(found) == [0, 1, 2, 3]
    for mine in found.values():
        assert ids(mine) == [(1, seq) for seq in range(1, len(texts) + 3)]
        assert text_of(mine) == "".join(texts)


def test_a_frame_is_kept_as_it_was_encoded() -> None:
    frame = Frame("text", b'{"text":"x"}')
    log = log_of()
    log.append(frame, 1)
    assert taken(log, Cursor(RUN, 1, 1))[0][0] is frame
