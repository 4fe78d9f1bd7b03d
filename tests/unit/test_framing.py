"""Events in, frames out; time is an argument."""

import json
import random
import time
from itertools import pairwise

import pytest

from webapp.events import ReasoningDelta, TextDelta
from webapp.frames import Frame
from webapp.framing import FRAME_BYTES, Framer, Rules

Delta = TextDelta | ReasoningDelta
W = 0.033
EMOJI = "👩‍🚀"
HIGH, LOW = "\ud83d", "\ude00"


def said(frames: list[Frame], kind: str = "text") -> list[str]:
    return [json.loads(frame.payload)[kind] for frame in frames if frame.kind == kind]


def begun(rules: Rules | None = None) -> Framer:
    """A framer whose first delta has left at 0."""
    framer = Framer(rules or Rules(window_s=W))
    assert said(framer.feed(TextDelta("first"), 0.0)) == ["first"]
    return framer


class Tape:
    """Feeds a framer as the engine does: what is due leaves when it is due. Notes when what left."""

    def __init__(self, framer: Framer) -> None:
        self.framer = framer
        self.now = 0.0
        self.left: list[tuple[float, Frame]] = []

    def play(self, arrivals: list[tuple[float, Delta]]) -> "Tape":
        for now, delta in arrivals:
            self.pass_time(now)
            self.left += [(now, frame) for frame in self.framer.feed(delta, now)]
            self.now = now
        self.pass_time(float("inf"))
        self.left += [(self.now, frame) for frame in self.framer.close()]
        return self

    def pass_time(self, now: float) -> None:
        """What came at one moment came in one read, and nothing leaves before all of it is fed."""
        due = self.framer.due()
        if due is not None and max(due, self.now) < now:
            at = max(due, self.now)
            self.left += [(at, frame) for frame in self.framer.flush(at)]

    def text(self, kind: str = "text") -> str:
        return "".join(said([frame for _, frame in self.left], kind))


def arrivals(
    dice: random.Random, count: int, *, kinds: int = 1, longest: int = 6
) -> list[tuple[float, Delta]]:
    """Bursts and pauses of short deltas."""
    found: list[tuple[float, Delta]] = []
    now = dice.random()
    for _ in range(count):
        now += dice.choice([0.0, 0.0, 0.0005, 0.004, W / 2, W, 0.05, 0.4])
        words = "".join(dice.choice("ab é你" + EMOJI) for _ in range(dice.randrange(longest + 1)))
        found.append((now, TextDelta(words) if dice.randrange(kinds) == 0 else ReasoningDelta(words)))
    return found


def test_the_first_delta_leaves_at_once() -> None:
    framer = Framer(Rules(window_s=W))
    assert framer.due() is None
    assert framer.feed(TextDelta(""), 1.0) == []
    assert said(framer.feed(TextDelta("H"), 2.0)) == ["H"]


def test_a_window_s_deltas_become_one_frame() -> None:
    framer = begun()
    assert [framer.feed(TextDelta(word), 0.01) for word in ("a", "b", "c")] == [[], [], []]
    assert framer.due() == W
    assert framer.flush(W - 0.001) == []
    assert said(framer.flush(W)) == ["abc"]
    assert framer.due() is None
    assert framer.flush(9.0) == []


def test_after_a_pause_a_delta_is_due_at_once() -> None:
    framer = begun()
    assert framer.feed(TextDelta("late"), 5.0) == []
    assert framer.due() == W
    assert said(framer.flush(5.0)) == ["late"]
    framer.feed(TextDelta("next"), 5.001)
    assert framer.due() == pytest.approx(5.0 + W)


def test_a_busy_caller_s_delta_leaves_with_the_next_one_after_a_window() -> None:
    framer = begun()
    assert framer.feed(TextDelta("a"), 0.01) == []
    assert framer.feed(TextDelta("b"), 0.01 + W) == []
    assert said(framer.flush(0.01 + W)) == ["ab"]


def test_no_delta_waits_longer_than_a_window(dice: random.Random) -> None:
    for _ in range(60):
        came = arrivals(dice, 120)
        tape = Tape(Framer(Rules(window_s=W))).play(came)
        ends = []  # after how many characters each frame ends, and when it left
        total = 0
        for at, frame in tape.left:
            total += len(json.loads(frame.payload)["text"])
            ends.append((total, at))
        total = 0
        for at, delta in came:
            total += len(delta.text)
            left_at = next(left for end, left in ends if end >= total) if delta.text else at
            assert at <= left_at <= at + W + 1e-9


def test_at_most_one_timed_frame_leaves_a_window(dice: random.Random) -> None:
    for _ in range(60):
        tape = Tape(Framer(Rules(window_s=W))).play(arrivals(dice, 120))
        times = [at for at, _ in tape.left]
        assert all(later - earlier >= W - 1e-9 for earlier, later in pairwise(times))


def test_text_and_thinking_are_whole_and_in_order(dice: random.Random) -> None:
    for _ in range(60):
        rules = Rules(window_s=W, deltas=dice.choice([0, 0, 3]), newline=dice.random() < 0.3)
        came = arrivals(dice, 100, kinds=2, longest=dice.choice([3, 400]))
        tape = Tape(Framer(rules)).play(came)
        for kind, type_ in (("text", TextDelta), ("reasoning", ReasoningDelta)):
            assert tape.text(kind) == "".join(one.text for _, one in came if isinstance(one, type_))
        order = [isinstance(one, TextDelta) for _, one in came for _ in one.text]
        assert order == [
            frame.kind == "text" for _, frame in tape.left for _ in json.loads(frame.payload)[frame.kind]
        ]


def test_a_frame_is_closed_by_its_size() -> None:
    framer = begun()
    assert framer.feed(TextDelta("x" * (FRAME_BYTES - 1)), 0.001) == []
    assert [len(text) for text in said(framer.feed(TextDelta("y"), 0.002))] == [FRAME_BYTES]
    assert framer.due() is None


def test_size_is_counted_in_bytes_and_no_frame_is_larger() -> None:
    framer = begun()
    frames = [frame for _ in range(2000) for frame in framer.feed(TextDelta("你é" + EMOJI), 0.001)]
    frames += framer.close()
    assert "".join(said(frames)) == ("你é" + EMOJI) * 2000
    assert all(len(text.encode()) <= FRAME_BYTES for text in said(frames))
    assert len(frames) <= 2000 * 16 // FRAME_BYTES * 2 + 2


def test_a_frame_closed_by_its_size_does_not_move_the_window() -> None:
    framer = begun()
    framer.feed(TextDelta("x" * FRAME_BYTES), 0.02)
    framer.feed(TextDelta("y"), 0.021)
    assert framer.due() == W


def test_a_delta_of_three_megabytes_is_cut_and_whole() -> None:
    text = ("naïve 你好 " + EMOJI + "x") * 100_000
    framer = begun()
    frames = framer.feed(TextDelta(text), 0.001) + framer.close()
    assert "".join(said(frames)) == text
    assert all(len(one.encode()) <= FRAME_BYTES for one in said(frames))
    assert len(frames) <= len(text.encode()) // (FRAME_BYTES - 4) + 1


def test_a_flood_in_a_window_takes_linear_time() -> None:
    """Counting what is held anew for each delta took a thousand times as long."""

    def time_of(count: int) -> float:
        framer, delta = begun(), TextDelta("x")
        began = time.thread_time()
        frames = [frame for _ in range(count) for frame in framer.feed(delta, 0.001)]
        assert len(frames) == count // FRAME_BYTES
        return time.thread_time() - began

    few = min(time_of(1_000) for _ in range(5))
    assert min(time_of(20_000) for _ in range(2)) < 5 * 20 * few


def test_a_change_of_kind_closes_at_once() -> None:
    framer = begun()
    framer.feed(TextDelta("a"), 0.001)
    closed = framer.feed(ReasoningDelta("hm"), 0.002)
    assert (said(closed), said(closed, "reasoning")) == (["a"], [])
    assert said(framer.close(), "reasoning") == ["hm"]


def test_an_empty_delta_of_the_other_kind_changes_nothing() -> None:
    framer = begun()
    framer.feed(TextDelta("a"), 0.001)
    assert framer.feed(ReasoningDelta(""), 0.002) == []
    framer.feed(TextDelta("b"), 0.003)
    assert said(framer.flush(W)) == ["ab"]


def test_thinking_first_leaves_at_once_too() -> None:
    framer = Framer(Rules(window_s=W))
    assert said(framer.feed(ReasoningDelta("hm"), 0.0), "reasoning") == ["hm"]


def test_closing_gives_what_is_held_once() -> None:
    framer = begun()
    framer.feed(TextDelta("rest"), 0.001)
    assert said(framer.close()) == ["rest"]
    assert framer.close() == []


def test_a_count_of_deltas_closes_where_it_is_switched_on() -> None:
    framer = begun(Rules(window_s=W, deltas=3))
    assert [said(framer.feed(TextDelta(word), 0.001)) for word in "abcd"] == [[], [], ["abc"], []]


def test_a_newline_closes_where_it_is_switched_on() -> None:
    framer = begun(Rules(window_s=W, newline=True))
    assert [said(framer.feed(TextDelta(word), 0.001)) for word in ("a", "b\nc", "d")] == [[], ["ab\nc"], []]


def test_neither_closes_by_default() -> None:
    framer = begun()
    assert [framer.feed(TextDelta(word), 0.001) for word in "a\nb\nc\nd" * 20] == [[]] * 140


def test_halves_of_a_character_are_joined() -> None:
    framer = begun()
    framer.feed(TextDelta("a" + HIGH), 0.001)
    framer.feed(TextDelta(LOW + "b"), 0.002)
    assert said(framer.flush(W)) == ["a😀b"]


def test_halves_are_joined_over_a_frame_s_end() -> None:
    framer = begun()
    framer.feed(TextDelta("a" + HIGH), 0.001)
    assert said(framer.flush(W)) == ["a"]
    assert framer.due() is None
    framer.feed(TextDelta(LOW), 0.05)
    assert said(framer.flush(2 * W)) == ["😀"]


def test_half_a_character_is_no_first_delta() -> None:
    framer = Framer(Rules(window_s=W))
    assert framer.feed(TextDelta(HIGH), 0.0) == []
    assert said(framer.feed(TextDelta(LOW), 3.0)) == ["😀"]


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
def test_a_lone_half_becomes_one_replacement(deltas: list[str], text: str) -> None:
    tape = Tape(Framer(Rules(window_s=W))).play(
        [(at * 0.01, TextDelta(one)) for at, one in enumerate(deltas)]
    )
    assert tape.text() == text


def test_a_half_does_not_cross_into_the_other_kind() -> None:
    framer = begun()
    framer.feed(TextDelta("a" + HIGH), 0.001)
    assert said(framer.feed(ReasoningDelta(LOW), 0.002)) == ["a\ufffd"]
    assert said(framer.close(), "reasoning") == ["\ufffd"]


def test_any_cut_in_utf16_gives_the_same_text(dice: random.Random) -> None:
    text = "naïve 你好 مرحبا " + EMOJI * 3 + "\u2028😀😀"
    units = text.encode("utf-16-le")
    for _ in range(200):
        places = sorted({2 * dice.randrange(len(units) // 2 + 1) for _ in range(dice.randrange(1, 9))})
        pieces = [
            units[a:b].decode("utf-16-le", "surrogatepass") for a, b in pairwise([0, *places, len(units)])
        ]
        came = [(at * 0.01, TextDelta(piece)) for at, piece in enumerate(pieces)]
        assert Tape(Framer(Rules(window_s=W))).play(came).text() == text
