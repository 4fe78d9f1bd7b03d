"""The log of a run, its wake-ups and its readers."""

import random
import threading

import pytest

from tests.unit.engine import TIMEOUT_S, bodies, ids, text_of
from webapp.chat import Usage
from webapp.events import Source
from webapp.frames import (
    RESET_BYTES,
    Cursor,
    Frame,
    Reset,
    RunResult,
    Start,
    done_frame,
    new_run,
    reset_frames,
    sources_frame,
    start_frame,
    text_frame,
)
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
    """Return a log with a start frame followed by `texts`."""
    start = Start(run=RUN, provider="p", model="m")
    log = RunLog(start)
    frames = [start_frame(start), *map(text_frame, texts), *([DONE] if ended else [])]
    for frame in frames:
        log.append(frame, 1)
    return log


def taken(log: RunLog, cursor: Cursor | None = None, *, resumable: bool = True) -> list[Delivery]:
    return Reader(log, cursor, resumable=resumable).take()


# Wake-ups.


def test_a_wake_that_is_set_twice_wakes_once() -> None:
    wake = Wake()
    assert not wake.wait(0)
    wake.set()
    wake.set()
    assert wake.wait(0)
    assert not wake.wait(0)


def test_a_wake_ends_a_wait_in_progress() -> None:
    wake, woken = Wake(), threading.Event()

    def wait() -> None:
        if wake.wait(TIMEOUT_S):
            woken.set()

    thread = threading.Thread(target=wait)
    thread.start()
    wake.set()
    thread.join(TIMEOUT_S)
    assert woken.is_set()


def test_readers_are_woken_until_they_unsubscribe() -> None:
    log, wake, other = log_of(), Wake(), Wake()
    log.subscribe(wake)
    log.subscribe(other)
    log.append(text_frame("x"), 1)
    assert (wake.wait(0), other.wait(0)) == (True, True)
    log.unsubscribe(wake)
    log.append(text_frame("y"), 1)
    assert (wake.wait(0), other.wait(0)) == (False, True)


# Writing.


def test_a_closed_log_refuses_frames() -> None:
    log = log_of("a", ended=True)
    with pytest.raises(StaleEpoch):
        log.append(text_frame("b"), 1)
    with pytest.raises(StaleEpoch):
        log.seize(1)
    assert len(log) == 3


def test_a_writer_of_an_old_epoch_cannot_append() -> None:
    log = log_of("a")
    assert log.seize(1) == 2
    with pytest.raises(StaleEpoch):
        log.append(text_frame("late"), 1)
    with pytest.raises(StaleEpoch):
        log.seize(1)
    log.append(DONE, 2)
    assert log.closed


def test_a_seized_epoch_begins_with_its_first_frame() -> None:
    log = log_of("Hel")
    reader = Reader(log, None, resumable=True)
    reader.take()
    assert log.seize(1) == 2
    assert (log.epoch, log.next_epoch, log.frames_after(2, 0), reader.take()) == (1, 2, [], [])
    assert text_of([(frame, None) for frame in log.earlier(2)]) == "Hel"
    log.extend([text_frame("lo"), DONE], 2)
    assert (log.epoch, log.next_epoch) == (2, 2)
    assert ids(reader.take()) == [(2, 1), (2, 2)]


def test_another_worker_may_begin_the_epoch_that_was_seized_here() -> None:
    log = log_of("Hel")
    reader = Reader(log, None, resumable=True)
    before = reader.take()
    assert log.seize(1) == 2
    log.begin_epoch(2, reset_of("He"))
    log.append(text_frame("y"), 2)
    after = reader.take()
    assert (ids(after), text_of(before + after)) == ([(2, 1)], "Hey")


@pytest.mark.parametrize("how", ["fenced", "closed"])
def test_a_seized_epoch_does_not_begin_in_a_log_that_another_worker_has_or_has_closed(how: str) -> None:
    log = log_of("Hel")
    log.seize(1)
    if how == "fenced":
        log.fence()
    else:
        log.begin_epoch(2, reset_of("Hel"))
        log.append(DONE, 2)
    with pytest.raises(StaleEpoch):
        log.append(text_frame("late"), 2)


def test_only_one_of_many_threads_seizes_the_log() -> None:
    log, won = log_of("a"), []
    barrier = threading.Barrier(8)

    def seize() -> None:
        barrier.wait(TIMEOUT_S)
        try:
            won.append(log.seize(1))
        except StaleEpoch:
            pass

    threads = [threading.Thread(target=seize) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT_S)
    assert won == [2]


def test_the_size_includes_the_bytes_of_the_frames() -> None:
    before = log_of().size_bytes
    assert log_of("x" * 10_000).size_bytes - before == pytest.approx(10_000, abs=200)


def test_frames_appended_together_wake_a_reader_once_and_close_the_log() -> None:
    log, wake = log_of(), Wake()
    log.subscribe(wake)
    before = log.size_bytes
    log.extend([text_frame("a"), text_frame("b"), DONE], 1)
    assert (wake.wait(0), wake.wait(0)) == (True, False)
    assert (len(log), log.closed) == (4, True)
    one_by_one = log_of("a", "b", ended=True)
    assert log.size_bytes - before == one_by_one.size_bytes - log_of().size_bytes
    with pytest.raises(StaleEpoch):
        log.extend([text_frame("late")], 1)


def test_frames_of_another_epoch_are_not_appended_together() -> None:
    log = log_of("a")
    for epoch in (0, 2):
        with pytest.raises(StaleEpoch):
            log.extend([text_frame("b")], epoch)
    assert len(log) == 2


def test_the_log_knows_whether_it_is_read() -> None:
    log, wake = log_of(), Wake()
    created = log.idle_since
    assert (log.readers, log.had_readers) == (0, False)
    log.subscribe(wake)
    assert (log.readers, log.had_readers, log.idle_since) == (1, True, created)
    log.unsubscribe(wake)
    assert (log.readers, log.had_readers) == (0, True)
    assert log.idle_since >= created


# Epochs that another worker has begun.


def reset_of(text: str, reasoning: str = "") -> list[Frame]:
    return reset_frames(Reset(text=text, reasoning=reasoning, start=log_of().start))


@pytest.mark.parametrize("epoch", [2, 3, 7])
def test_a_reader_follows_an_epoch_of_another_worker(epoch: int) -> None:
    log, wake = log_of("Hel", "lo wor"), Wake()
    log.subscribe(wake)
    reader = Reader(log, None, resumable=True)
    found = reader.take()
    log.begin_epoch(epoch, reset_of("Hello"))
    assert wake.wait(0)
    found += reader.take()
    assert (text_of(found), ids(found)[-1]) == ("Hello", (epoch, 0))
    log.extend([text_frame(" you"), DONE], epoch)
    rest = reader.take()
    assert ids(rest) == [(epoch, 1), (epoch, 2)]
    assert (text_of(found + rest), reader.ended) == ("Hello you", True)
    assert log.text_of("text") == "Hello you"


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_an_epoch_that_is_not_later_is_refused(epoch: int) -> None:
    log = log_of("Hel")
    log.append(text_frame("lo"), log.seize(1))
    with pytest.raises(StaleEpoch):
        log.begin_epoch(epoch, reset_of("x"))
    assert (log.epoch, log.text_of("text")) == (2, "Hello")


def test_a_closed_log_begins_no_epoch() -> None:
    log = log_of("Hel", ended=True)
    with pytest.raises(StaleEpoch):
        log.begin_epoch(2, reset_of("x"))
    assert (log.epoch, len(log)) == (1, 3)


def test_a_writer_of_the_epoch_before_is_refused() -> None:
    log = log_of("Hel")
    log.begin_epoch(2, reset_of("He"))
    with pytest.raises(StaleEpoch):
        log.append(text_frame("lo"), 1)
    with pytest.raises(StaleEpoch):
        log.seize(1)
    assert log.seize(2) == 3


def test_the_frames_of_an_epoch_are_numbered_after_its_reset() -> None:
    """The reset of a long text is several frames, none of which has a number."""
    log, long = log_of("a"), "x" * (3 * RESET_BYTES)
    reset = reset_of(long)
    assert len(reset) > 2
    log.begin_epoch(2, reset)
    assert (log.frames_after(2, 0), taken(log, Cursor(RUN, 2, 0))) == ([], [])
    log.extend([text_frame("y"), DONE], 2)
    assert [frame.kind for frame in log.frames_after(2, 0)] == ["text", "done"]
    assert [frame.kind for frame in log.frames_after(2, 1)] == ["done"]
    assert ids(taken(log, Cursor(RUN, 2, 1))) == [(2, 2)]
    assert text_of(taken(log, Cursor(RUN, 1, 2))) == long + "y"
    assert log.text_of("text") == long + "y"


def test_a_log_that_begins_in_a_later_epoch_is_read_from_its_reset() -> None:
    log = RunLog(log_of().start, 4, reset_of("Hello", "thought"))
    log.append(text_frame(" you"), 4)
    found = taken(log)
    assert (text_of(found), ids(found)) == ("Hello you", [(4, 1)])
    assert bodies(found)[0]["reset"]["reasoning"] == "thought"
    assert ids(taken(log, Cursor(RUN, 4, 0))) == [(4, 1)]
    assert bodies(taken(log, Cursor(RUN, 3, 9)))[0]["reset"]["text"] == "Hello you"


def test_every_reader_of_changing_epochs_ends_with_the_text(dice: random.Random) -> None:
    for _ in range(100):
        log, epoch, text = log_of(), 1, ""
        readers: list[tuple[Reader, list[Delivery]]] = []
        for _ in range(30):
            match dice.randrange(4):
                case 0:
                    readers.append((Reader(log, None, resumable=True), []))
                case 1:
                    epoch += dice.randint(1, 3)
                    text = text[: dice.randint(0, len(text))]
                    log.begin_epoch(epoch, reset_of(text))
                case _:
                    pieces = [str(dice.random()) for _ in range(dice.randint(1, 3))]
                    text += "".join(pieces)
                    log.extend([*map(text_frame, pieces)], epoch)
            for reader, found in readers:
                if dice.random() < 0.5:
                    found.extend(reader.take())
        log.append(DONE, epoch)
        for reader, found in readers:
            found.extend(reader.take())
            assert reader.ended
            assert text_of(found) == text
            assert [next(iter(body)) for body in bodies(found)].count("done") == 1


# Reading.


def test_a_reader_takes_each_frame_once_and_in_order(dice: random.Random) -> None:
    for _ in range(50):
        log = log_of()
        reader = Reader(log, None, resumable=True)
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
def test_any_cursor_resumes_after_its_frame(ended: bool) -> None:
    log = log_of("a", "b", "c", ended=ended)
    whole = taken(log)
    for seq in range(len(whole) + 1):
        assert taken(log, Cursor(RUN, 1, seq)) == whole[seq:]


def test_at_end_is_true_after_the_terminal_frame() -> None:
    log = log_of("a", ended=True)
    assert Reader(log, Cursor(RUN, 1, 3), resumable=True).at_end
    assert not Reader(log, Cursor(RUN, 1, 2), resumable=True).at_end
    assert not Reader(log, None, resumable=True).at_end
    assert not Reader(log_of("a"), Cursor(RUN, 1, 2), resumable=True).at_end


UNKNOWN_POSITIONS = [
    (Cursor(RUN, 1, 4), True),
    (Cursor(RUN, 1, 999_999_999_999_999), True),
    (Cursor(RUN, 2, 1), True),
    (Cursor(RUN, 9_999_999_999, 1), True),
    (None, False),
    (Cursor(RUN, 1, 2), False),
]


@pytest.mark.parametrize(("cursor", "resumable"), UNKNOWN_POSITIONS)
def test_an_unknown_position_starts_with_a_reset(cursor: Cursor | None, resumable: bool) -> None:
    log = log_of("Hel", "lo")
    first = taken(log, cursor, resumable=resumable)
    assert bodies(first)[0]["reset"]["text"] == "Hello"
    assert ids(first) == [(1, 3)]


@pytest.mark.parametrize(("cursor", "resumable"), [(Cursor(RUN, 1, 5), True), (None, False)])
def test_a_reset_of_an_ended_run_is_followed_by_its_end(cursor: Cursor | None, resumable: bool) -> None:
    reader = Reader(log_of("Hel", "lo", ended=True), cursor, resumable=resumable)
    found = reader.take()
    assert [next(iter(body)) for body in bodies(found)] == ["reset", "done"]
    assert ids(found) == [(1, 3), (1, 4)]
    assert reader.ended


def test_a_reader_continues_after_a_reset() -> None:
    log = log_of("Hel")
    reader = Reader(log, None, resumable=False)
    assert ids(reader.take()) == [(1, 2)]
    log.append(text_frame("lo"), 1)
    assert ids(reader.take()) == [(1, 3)]


def test_a_new_epoch_sends_every_reader_a_reset() -> None:
    log = log_of("Hel", "lo")
    reader = Reader(log, None, resumable=True)
    before = reader.take()
    log.append(DONE, log.seize(1))
    after = reader.take()
    assert [next(iter(body)) for body in bodies(after)] == ["reset", "done"]
    assert ids(after) == [(2, 0), (2, 1)]
    assert text_of(before + after) == "Hello"


@pytest.mark.parametrize("seq", range(6))
def test_a_cursor_of_an_old_epoch_gets_a_reset(seq: int) -> None:
    log = log_of("Hel", "lo")
    log.append(DONE, log.seize(1))
    found = taken(log, Cursor(RUN, 1, seq))
    assert (ids(found), text_of(found)) == ([(2, 0), (2, 1)], "Hello")


def test_a_cursor_of_the_new_epoch_resumes() -> None:
    log = log_of("Hel", "lo")
    log.append(DONE, log.seize(1))
    assert ids(taken(log, Cursor(RUN, 2, 0))) == [(2, 1)]
    assert Reader(log, Cursor(RUN, 2, 1), resumable=True).at_end


def test_only_the_last_frame_of_a_long_reset_has_an_id() -> None:
    log = log_of(*["x" * 50_000] * 4)
    found = taken(log, None, resumable=False)
    assert len(found) > 3
    assert ids(found) == [None] * (len(found) - 1) + [(1, 5)]
    assert text_of(found) == "x" * 200_000


def test_concurrent_readers_get_every_frame(dice: random.Random) -> None:
    texts = [str(dice.random()) for _ in range(2_000)]
    log, found = log_of(), {}

    def follow(name: int) -> None:
        wake, mine = Wake(), []
        log.subscribe(wake)
        reader = Reader(log, None, resumable=True)
        while not reader.ended:
            new = reader.take()
            if not new and not wake.wait(TIMEOUT_S):
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
        thread.join(TIMEOUT_S)
    assert sorted(found) == [0, 1, 2, 3]
    for mine in found.values():
        assert ids(mine) == [(1, seq) for seq in range(1, len(texts) + 3)]
        assert text_of(mine) == "".join(texts)


def test_a_frame_is_encoded_only_once() -> None:
    frame = Frame("text", b'{"text":"x"}')
    log = log_of()
    log.append(frame, 1)
    assert taken(log, Cursor(RUN, 1, 1))[0][0] is frame


def test_a_reset_has_the_sources_of_earlier_epochs() -> None:
    source = Source(n=1, title="A page")
    log = log_of("one")
    log.append(sources_frame([source]), 1)
    _, _, frames = log.fold()
    later = RunLog(log.start, 2, frames)
    assert later.sources() == (source,)
    later.append(text_frame(" two"), 2)
    assert bodies([(later.fold()[2][0], None)])[0]["reset"]["sources"] == [{"n": 1, "title": "A page"}]
