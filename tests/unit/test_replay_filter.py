"""After a reset, `ReplayFilter` yields each character once and in spec."""

import msgspec
import pytest

from webapp.api.replay_filter import ReplayFilter
from webapp.frames import Frame, Start, new_run, reasoning_frame, start_frame, text_frame
from webapp.runs.log import RunLog

BEFORE = [reasoning_frame("hm, "), text_frame("Hél"), text_frame("lo "), text_frame("there")]


def make_log(frames: list[Frame]) -> RunLog:
    start = Start(run=new_run(), provider="openai", model="gpt-4.1")
    log = RunLog(start)
    for frame in [start_frame(start), *frames]:
        log.append(frame, 1)
    return log


def joined_text(frames: list[Frame], kind: str) -> str:
    return "".join(msgspec.json.decode(frame.payload)[kind] for frame in frames if frame.kind == kind)


def send(filter_: ReplayFilter, frames: list[Frame]) -> list[Frame]:
    return [unseen for frame in frames for unseen in filter_.unseen(frame)]


@pytest.mark.parametrize("frames_read", range(len(BEFORE) + 2))
def test_a_reset_repeats_nothing_at_any_reader_position(frames_read: int) -> None:
    log = make_log(BEFORE)
    filter_ = ReplayFilter(log)
    sent = send(filter_, log.frames_from(0)[:frames_read])
    epoch = log.seize(1)
    sent += send(filter_, log.fold()[2])
    log.append(text_frame(", you"), epoch)
    sent += send(filter_, [text_frame(", you")])
    assert joined_text(sent, "text") == "Héllo there, you"
    assert joined_text(sent, "reasoning") == "hm, "
    assert all(frame.kind in ("start", "text", "reasoning") for frame in sent)


def test_a_second_reset_repeats_nothing() -> None:
    log = make_log(BEFORE)
    filter_ = ReplayFilter(log)
    sent = send(filter_, log.frames_from(0))
    for _ in range(2):
        sent += send(filter_, log.fold()[2])
    assert joined_text(sent, "text") == "Héllo there"


def test_a_reset_of_several_frames_repeats_nothing() -> None:
    long = "0123456789" * 20_000
    log = make_log([text_frame(long[:70_000]), text_frame(long[70_000:])])
    filter_ = ReplayFilter(log)
    sent = send(filter_, log.frames_from(0)[:2])
    reset_frames = log.fold()[2]
    assert len(reset_frames) > 2
    assert joined_text(sent + send(filter_, reset_frames), "text") == long


@pytest.mark.parametrize("frames_read", [0, 1, 3, 4])  # a reader of the text only is not reset after it
def test_n17_text_that_became_reasoning_is_not_sent_again(frames_read: int) -> None:
    log = make_log([text_frame("Let me see")])
    for frame in log.move_text(0):
        log.append(frame, 1)
    log.append(text_frame("Hello"), 1)
    assert (log.text_of("text"), log.text_of("reasoning")) == ("Hello", "Let me see")
    filter_ = ReplayFilter(log)
    sent = send(filter_, log.frames_from(0)[:frames_read])
    if frames_read == len(log):
        assert joined_text(sent, "text") == "Let me seeHello"
    epoch = log.seize(1)
    log.append(text_frame(" you"), epoch)
    sent += send(filter_, log.fold()[2])
    assert joined_text(sent, "text").endswith("Hello you")


def test_n17_what_an_answer_continues_stays_text() -> None:
    log = make_log([text_frame("Once upon "), text_frame("hm\n")])
    for frame in log.move_text(len("Once upon ")):
        log.append(frame, 1)
    assert (log.text_of("text"), log.text_of("reasoning")) == ("Once upon ", "hm")
