"""Readers that come back get the records that every other reader gets, whether they were written before or not."""

import gc

import pytest

from tests.unit.test_frames import RUN, result
from webapp.frames import Cursor, Frame, Start, done_frame, encode_sse, start_frame, text_frame
from webapp.runs import sse_blocks
from webapp.runs.log import RunLog
from webapp.runs.readers import Reader
from webapp.runs.sse_blocks import BLOCK_FRAMES

START = Start(run=RUN, provider="mock", model="m")
PIECE_BYTES = 64 * 1024


def log_of(frames: list[Frame]) -> RunLog:
    log = RunLog(START)
    log.extend(frames, 1)
    return log


def expected(frames: list[Frame], after: int, epoch: int = 1) -> bytes:
    records = [
        encode_sse(frame, f"{RUN}:{epoch}:{seq}".encode())
        for seq, frame in enumerate(frames[after:], after + 1)
    ]
    return b"".join(records)


def read(log: RunLog, after: int, epoch: int = 1) -> bytes:
    return b"".join(Reader(log, Cursor(RUN, epoch, after), resumable=True).take_sse(PIECE_BYTES))


@pytest.mark.parametrize("count", [1, 7, 8, BLOCK_FRAMES, BLOCK_FRAMES + 9, 4 * BLOCK_FRAMES + 1, 1_000])
@pytest.mark.parametrize("is_ended", [False, True])
def test_all_readers_get_the_same_records(count: int, is_ended: bool) -> None:
    frames = [start_frame(START), *(text_frame(f"{number} ") for number in range(count))]
    frames += [done_frame(result())] * is_ended
    log = log_of(frames)
    for after in (0, 1, 5, BLOCK_FRAMES - 1, BLOCK_FRAMES, BLOCK_FRAMES + 1, count, 0):
        if after <= len(frames):
            assert read(log, after) == expected(frames, after)
    log_grown = frames if is_ended else [*frames, *(text_frame("more") for _ in range(300))]
    if not is_ended:
        log.extend(log_grown[len(frames) :], 1)
    assert read(log, 0) == expected(log_grown, 0)


def test_large_frames_are_not_kept() -> None:
    frames = [text_frame("x" * 10), *(text_frame("y" * 8_000) for _ in range(3 * BLOCK_FRAMES))]
    frames = [*(text_frame("x") for _ in range(8)), *frames]
    log = log_of(frames)
    assert read(log, 0) == expected(frames, 0)
    assert all(len(block) <= 64 * 1024 for block in log.sse_blocks.values())


def test_the_blocks_of_one_epoch_are_not_those_of_another() -> None:
    frames = [text_frame(f"{number} ") for number in range(1_000)]
    log = log_of(frames)
    assert read(log, 0) == expected(frames, 0)
    later = [text_frame(f"other {number} ") for number in range(1_000)]
    log.begin_epoch(2, [])
    log.extend(later, 2)
    assert read(log, 0, 2) == expected(later, 0, 2)


def test_the_oldest_blocks_are_dropped_and_none_outlives_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse_blocks, "_MAX_BYTES", 100_000)
    logs = []
    for _ in range(20):
        logs.append(log_of([text_frame(f"{number} ") for number in range(1_000)]))
        read(logs[-1], 0)
    kept = sum(len(block) for log in logs for block in log.sse_blocks.values())
    assert 50_000 < kept <= 100_000
    assert not logs[0].sse_blocks
    assert logs[-1].sse_blocks
    blocks = [ref for ref, _, _ in sse_blocks._kept]
    logs.clear()
    gc.collect()
    assert all(block() is None for block in blocks)
