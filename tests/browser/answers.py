"""Answers that the scripted provider streams to the page."""

import threading
from collections.abc import Iterator
from itertools import chain

from tests.support.dialects import DONE, openai, openai_delta, openai_finish
from tests.support.script import STALL, Answer, Step, paced

PARAGRAPHS = (
    "A freshet is the rush of water that comes when snow melts or after heavy rain.",
    "It starts small. Each thawing patch of ground gives up a trickle, the trickles find each other, and by "
    "the time they reach the valley the river has doubled in size.",
    "Three things decide how strong it will be:",
    "- how much snow lies in the hills,\n- how quickly the air turns warm,\n- and whether the ground is still "
    "frozen underneath.",
    "When all three come together, the water arrives within days. When they do not, the same snow may leave "
    "over a month, and nobody downstream – in the old villages – notices anything but a slightly fuller stream.",
)
TEXT = "\n\n".join(PARAGRAPHS)


def split_words(text: str) -> list[str]:
    """Split a text into the deltas of a model."""
    pieces = text.split(" ")
    return [piece + " " for piece in pieces[:-1]] + pieces[-1:]


def stream_text(text: str = TEXT, per_s: float = 60) -> Answer:
    """Stream a text at a rate, to a regular end."""
    return Answer(steps=list(paced(openai(split_words(text), usage=(1204, 143)), per_s)))


def hold_halfway(gate: threading.Event, text: str = TEXT, per_s: float = 200) -> Answer:
    """Stream half of a text, and the rest once the gate is set."""
    deltas = openai(split_words(text), usage=(1204, 143))
    half = len(deltas) // 2

    def closed() -> Iterator[Step]:
        while not gate.is_set():
            yield 0.02

    return Answer(steps=lambda: chain(paced(deltas[:half], per_s), closed(), paced(deltas[half:], per_s)))


def end_with(reason: str, text: str = "So far") -> Answer:
    """Stream a text with this finish reason."""
    return Answer(steps=openai([text], finish=reason))


def break_off(text: str, then: Step, per_s: float = 200) -> Answer:
    """Stream a text, then take a step other than ending it."""
    deltas = [openai_delta(piece) for piece in split_words(text)]
    return Answer(steps=[*paced(deltas, per_s), then])


def stream_then_stall(text: str = TEXT, per_s: float = 60) -> Answer:
    """Stream a text, then stall without an end."""
    return break_off(text, STALL, per_s)


def stream_thinking(thought: str, text: str, per_s: float = 60) -> Answer:
    """Stream reasoning, then a text."""
    thoughts = [openai_delta(None, reasoning_content=piece) for piece in split_words(thought)]
    deltas = [openai_delta(piece) for piece in split_words(text)]
    return Answer(steps=list(paced([*thoughts, *deltas, *openai_finish(), DONE], per_s)))
