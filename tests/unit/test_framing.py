"""Grouping deltas into frames."""

import json
import random
import time
from itertools import pairwise

import pytest

from webapp.events import ReasoningDelta, TextDelta
from webapp.frames import Frame
from webapp.framing import FRAME_BYTES, Framer, FramingRules

Delta = TextDelta | ReasoningDelta
W = 0.033
EMOJI = "👩‍🚀"
HIGH, LOW = "\ud83d", "\ude00"


def texts_of(frames: list[Frame], kind: str = "text") -> list[str]:
    return [json.loads(frame.payload)[kind] for frame in frames if frame.kind == kind]


def started_framer(rules: FramingRules | None = None) -> Framer:
    """Return a framer whose first delta was sent at 0."""
    framer = Framer(rules or FramingRules(window_s=W))
    assert texts_of(framer.feed(TextDelta("first"), 0.0)) == ["first"]
    return framer


class Timeline:
    """Feeds a framer as the engine does, and records when each frame is sent."""

    def __init__(self, framer: Framer) -> None:
        self.framer = framer
        self.now = 0.0
        self.sent: list[tuple[float, Frame]] = []

    def play(self, deltas: list[tuple[float, Delta]]) -> "Timeline":
        for now, delta in deltas:
            self.pass_time(now)
            self.sent += [(now, frame) for frame in self.framer.feed(delta, now)]
            self.now = now
        self.pass_time(float("inf"))
        self.sent += [(self.now, frame) for frame in self.framer.close()]
        return self

    def pass_time(self, now: float) -> None:
        """Flush the frames due before `now`. Deltas of the same moment are one read: none is sent between them."""
        due = self.framer.due_at()
        if due is not None and max(due, self.now) < now:
            at = max(due, self.now)
            self.sent += [(at, frame) for frame in self.framer.flush(at)]

    def text(self, kind: str = "text") -> str:
        return "".join(texts_of([frame for _, frame in self.sent], kind))


def random_deltas(
    dice: random.Random, count: int, *, kinds: int = 1, longest: int = 6
) -> list[tuple[float, Delta]]:
    """Return short deltas in bursts and with pauses."""
    found: list[tuple[float, Delta]] = []
    now = dice.random()
    for _ in range(count):
        now += dice.choice([0.0, 0.0, 0.0005, 0.004, W / 2, W, 0.05, 0.4])
        words = "".join(dice.choice("ab é你" + EMOJI) for _ in range(dice.randrange(longest + 1)))
        found.append((now, TextDelta(words) if dice.randrange(kinds) == 0 else ReasoningDelta(words)))
    return found


def test_the_first_delta_leaves_at_once() -> None:
    framer = Framer(FramingRules(window_s=W))
    assert framer.due_at() is None
    assert framer.feed(TextDelta(""), 1.0) == []
    assert texts_of(framer.feed(TextDelta("H"), 2.0)) == ["H"]


def test_the_deltas_of_a_window_become_one_frame() -> None:
    framer = started_framer()
    assert [framer.feed(TextDelta(word), 0.01) for word in ("a", "b", "c")] == [[], [], []]
    assert framer.due_at() == W
    assert framer.flush(W - 0.001) == []
    assert texts_of(framer.flush(W)) == ["abc"]
    assert framer.due_at() is None
    assert framer.flush(9.0) == []


def test_after_a_pause_a_delta_is_due_at_once() -> None:
    framer = started_framer()
    assert framer.feed(TextDelta("late"), 5.0) == []
    assert framer.due_at() == W
    assert texts_of(framer.flush(5.0)) == ["late"]
    framer.feed(TextDelta("next"), 5.001)
    assert framer.due_at() == pytest.approx(5.0 + W)


def test_deltas_flushed_late_leave_together() -> None:
    framer = started_framer()
    assert framer.feed(TextDelta("a"), 0.01) == []
    assert framer.feed(TextDelta("b"), 0.01 + W) == []
    assert texts_of(framer.flush(0.01 + W)) == ["ab"]


def test_no_delta_waits_longer_than_a_window(dice: random.Random) -> None:
    for _ in range(60):
        deltas_in = random_deltas(dice, 120)
        timeline = Timeline(Framer(FramingRules(window_s=W))).play(deltas_in)
        ends = []  # for each frame: the number of characters up to its end, and when it was sent
        total = 0
        for at, frame in timeline.sent:
            total += len(json.loads(frame.payload)["text"])
            ends.append((total, at))
        total = 0
        for at, delta in deltas_in:
            total += len(delta.text)
            sent_at = next(sent for end, sent in ends if end >= total) if delta.text else at
            assert at <= sent_at <= at + W + 1e-9


def test_at_most_one_timed_frame_leaves_a_window(dice: random.Random) -> None:
    for _ in range(60):
        timeline = Timeline(Framer(FramingRules(window_s=W))).play(random_deltas(dice, 120))
        times = [at for at, _ in timeline.sent]
        assert all(later - earlier >= W - 1e-9 for earlier, later in pairwise(times))


def test_text_and_reasoning_are_complete_and_in_order(dice: random.Random) -> None:
    for _ in range(60):
        rules = FramingRules(window_s=W, deltas=dice.choice([0, 0, 3]), newline=dice.random() < 0.3)
        deltas_in = random_deltas(dice, 100, kinds=2, longest=dice.choice([3, 400]))
        timeline = Timeline(Framer(rules)).play(deltas_in)
        for kind, type_ in (("text", TextDelta), ("reasoning", ReasoningDelta)):
            assert timeline.text(kind) == "".join(one.text for _, one in deltas_in if isinstance(one, type_))
        order = [isinstance(one, TextDelta) for _, one in deltas_in for _ in one.text]
        assert order == [
            frame.kind == "text" for _, frame in timeline.sent for _ in json.loads(frame.payload)[frame.kind]
        ]


def test_a_frame_is_closed_by_its_size() -> None:
    framer = started_framer()
    assert framer.feed(TextDelta("x" * (FRAME_BYTES - 1)), 0.001) == []
    assert [len(text) for text in texts_of(framer.feed(TextDelta("y"), 0.002))] == [FRAME_BYTES]
    assert framer.due_at() is None


def test_no_frame_exceeds_the_size_in_bytes() -> None:
    framer = started_framer()
    frames = [frame for _ in range(2000) for frame in framer.feed(TextDelta("你é" + EMOJI), 0.001)]
    frames += framer.close()
    assert "".join(texts_of(frames)) == ("你é" + EMOJI) * 2000
    assert all(len(text.encode()) <= FRAME_BYTES for text in texts_of(frames))
    assert len(frames) <= 2000 * 16 // FRAME_BYTES * 2 + 2


def test_a_frame_closed_by_its_size_does_not_restart_the_window() -> None:
    framer = started_framer()
    framer.feed(TextDelta("x" * FRAME_BYTES), 0.02)
    framer.feed(TextDelta("y"), 0.021)
    assert framer.due_at() == W


def test_a_huge_delta_is_split_without_loss() -> None:
    text = ("naïve 你好 " + EMOJI + "x") * 100_000
    framer = started_framer()
    frames = framer.feed(TextDelta(text), 0.001) + framer.close()
    assert "".join(texts_of(frames)) == text
    assert all(len(one.encode()) <= FRAME_BYTES for one in texts_of(frames))
    assert len(frames) <= len(text.encode()) // (FRAME_BYTES - 4) + 1


def test_many_deltas_in_a_window_take_linear_time() -> None:
    """Summing the pending bytes at each delta used to take quadratic time."""

    def measure_s(count: int) -> float:
        framer, delta = started_framer(), TextDelta("x")
        began = time.thread_time()
        frames = [frame for _ in range(count) for frame in framer.feed(delta, 0.001)]
        assert len(frames) == count // FRAME_BYTES
        return time.thread_time() - began

    few = min(measure_s(1_000) for _ in range(5))
    assert min(measure_s(20_000) for _ in range(2)) < 5 * 20 * few


def test_a_change_of_kind_closes_the_frame_at_once() -> None:
    framer = started_framer()
    framer.feed(TextDelta("a"), 0.001)
    closed = framer.feed(ReasoningDelta("hm"), 0.002)
    assert (texts_of(closed), texts_of(closed, "reasoning")) == (["a"], [])
    assert texts_of(framer.close(), "reasoning") == ["hm"]


def test_an_empty_delta_of_the_other_kind_does_not_close_the_frame() -> None:
    framer = started_framer()
    framer.feed(TextDelta("a"), 0.001)
    assert framer.feed(ReasoningDelta(""), 0.002) == []
    framer.feed(TextDelta("b"), 0.003)
    assert texts_of(framer.flush(W)) == ["ab"]


def test_a_first_reasoning_delta_leaves_at_once() -> None:
    framer = Framer(FramingRules(window_s=W))
    assert texts_of(framer.feed(ReasoningDelta("hm"), 0.0), "reasoning") == ["hm"]


def test_closing_returns_the_pending_deltas_once() -> None:
    framer = started_framer()
    framer.feed(TextDelta("rest"), 0.001)
    assert texts_of(framer.close()) == ["rest"]
    assert framer.close() == []


def test_a_count_of_deltas_closes_a_frame_if_enabled() -> None:
    framer = started_framer(FramingRules(window_s=W, deltas=3))
    assert [texts_of(framer.feed(TextDelta(word), 0.001)) for word in "abcd"] == [[], [], ["abc"], []]


def test_a_newline_closes_a_frame_if_enabled() -> None:
    framer = started_framer(FramingRules(window_s=W, newline=True))
    assert [texts_of(framer.feed(TextDelta(word), 0.001)) for word in ("a", "b\nc", "d")] == [
        [],
        ["ab\nc"],
        [],
    ]


def test_neither_count_nor_newline_closes_a_frame_by_default() -> None:
    framer = started_framer()
    assert [framer.feed(TextDelta(word), 0.001) for word in "a\nb\nc\nd" * 20] == [[]] * 140


def test_split_surrogate_pairs_are_joined() -> None:
    framer = started_framer()
    framer.feed(TextDelta("a" + HIGH), 0.001)
    framer.feed(TextDelta(LOW + "b"), 0.002)
    assert texts_of(framer.flush(W)) == ["a😀b"]


def test_surrogate_pairs_split_between_frames_are_joined() -> None:
    framer = started_framer()
    framer.feed(TextDelta("a" + HIGH), 0.001)
    assert texts_of(framer.flush(W)) == ["a"]
    assert framer.due_at() is None
    framer.feed(TextDelta(LOW), 0.05)
    assert texts_of(framer.flush(2 * W)) == ["😀"]


def test_half_a_surrogate_pair_is_not_a_first_delta() -> None:
    framer = Framer(FramingRules(window_s=W))
    assert framer.feed(TextDelta(HIGH), 0.0) == []
    assert texts_of(framer.feed(TextDelta(LOW), 3.0)) == ["😀"]


@pytest.mark.parametrize(
    ("deltas", "text"),
    [
        ([HIGH], "\ufffd"),
        ([LOW], "\ufffd"),
        (["a" + HIGH, "b"], "a\ufffdb"),
        ([LOW + HIGH], "\ufffd\ufffd"),
        ([HIGH, HIGH, LOW], "\ufffd😀"),
        ([HIGH, "", LOW], "😀"),
        (["x" + HIGH + "y", LOW + "z"], "x\ufffdy\ufffdz"),
    ],
)
def test_a_lone_surrogate_becomes_one_replacement_character(deltas: list[str], text: str) -> None:
    timeline = Timeline(Framer(FramingRules(window_s=W))).play(
        [(at * 0.01, TextDelta(one)) for at, one in enumerate(deltas)]
    )
    assert timeline.text() == text


def test_surrogates_of_different_kinds_are_not_joined() -> None:
    framer = started_framer()
    framer.feed(TextDelta("a" + HIGH), 0.001)
    assert texts_of(framer.feed(ReasoningDelta(LOW), 0.002)) == ["a\ufffd"]
    assert texts_of(framer.close(), "reasoning") == ["\ufffd"]


def test_any_split_of_utf16_gives_the_same_text(dice: random.Random) -> None:
    text = "naïve 你好 مرحبا " + EMOJI * 3 + "\u2028😀😀"
    units = text.encode("utf-16-le")
    for _ in range(200):
        places = sorted({2 * dice.randrange(len(units) // 2 + 1) for _ in range(dice.randrange(1, 9))})
        pieces = [
            units[a:b].decode("utf-16-le", "surrogatepass") for a, b in pairwise([0, *places, len(units)])
        ]
        deltas_in = [(at * 0.01, TextDelta(piece)) for at, piece in enumerate(pieces)]
        assert Timeline(Framer(FramingRules(window_s=W))).play(deltas_in).text() == text
