"""What a reader who takes nothing back is told after a reset: each character once, in order."""

import msgspec
import pytest

from webapp.api.replay_filter import ReplayFilter
from webapp.frames import Frame, Start, new_run, reasoning_frame, start_frame, text_frame
from webapp.runs.log import RunLog

BEFORE = [reasoning_frame("hm, "), text_frame("Hél"), text_frame("lo "), text_frame("there")]


def log_of(frames: list[Frame]) -> RunLog:
    start = Start(run=new_run(), provider="openai", model="gpt-4.1")
    log = RunLog(start)
    for frame in [start_frame(start), *frames]:
        log.append(frame, 1)
    return log


def said(frames: list[Frame], kind: str) -> str:
    return "".join(msgspec.json.decode(frame.payload)[kind] for frame in frames if frame.kind == kind)


def tell(told: ReplayFilter, frames: list[Frame]) -> list[Frame]:
    return [new for frame in frames for new in told.new(frame)]


@pytest.mark.parametrize("read", range(len(BEFORE) + 2))
def test_a_reset_repeats_nothing_wherever_the_reader_was(read: int) -> None:
    log = log_of(BEFORE)
    told = ReplayFilter(log)
    heard = tell(told, log.since(0)[:read])
    epoch = log.seize(1)
    heard += tell(told, log.reset(len(log)))
    log.append(text_frame(", you"), epoch)
    heard += tell(told, [text_frame(", you")])
    assert said(heard, "text") == "Héllo there, you"
    assert said(heard, "reasoning") == "hm, "
    assert all(frame.kind in ("start", "text", "reasoning") for frame in heard)


def test_a_second_reset_repeats_nothing_either() -> None:
    log = log_of(BEFORE)
    told = ReplayFilter(log)
    heard = tell(told, log.since(0))
    for _ in range(2):
        heard += tell(told, log.reset(len(log)))
    assert said(heard, "text") == "Héllo there"


def test_a_reset_in_several_frames() -> None:
    long = "0123456789" * 20_000
    log = log_of([text_frame(long[:70_000]), text_frame(long[70_000:])])
    told = ReplayFilter(log)
    heard = tell(told, log.since(0)[:2])
    folded = log.reset(len(log))
    assert len(folded) > 2
    assert said(heard + tell(told, folded), "text") == long
