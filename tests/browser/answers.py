"""What the scripted provider says to the page."""

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


def words(text: str) -> list[str]:
    """Cut a text into the pieces in which a model would say it."""
    pieces = text.split(" ")
    return [piece + " " for piece in pieces[:-1]] + pieces[-1:]


def spoken(text: str = TEXT, per_s: float = 60) -> Answer:
    """Stream a text at a pace, to its proper end."""
    return Answer(steps=list(paced(openai(words(text), usage=(1204, 143)), per_s)))


def held(gate: threading.Event, text: str = TEXT, per_s: float = 200) -> Answer:
    """Stream the first half of a text, and the rest and its end when the gate is open, however slow the machine is."""
    said = openai(words(text), usage=(1204, 143))
    half = len(said) // 2

    def closed() -> Iterator[Step]:
        while not gate.is_set():
            yield 0.02

    return Answer(steps=lambda: chain(paced(said[:half], per_s), closed(), paced(said[half:], per_s)))


def ending(reason: str, text: str = "So far") -> Answer:
    """Stream a text that ends for this reason."""
    return Answer(steps=openai([text], finish=reason))


def unfinished(text: str, then: Step, per_s: float = 200) -> Answer:
    """Stream a text, then do something other than ending it."""
    said = [openai_delta(piece) for piece in words(text)]
    return Answer(steps=[*paced(said, per_s), then])


def begun(text: str = TEXT, per_s: float = 60) -> Answer:
    """Stream a text and fall silent, without an end."""
    return unfinished(text, STALL, per_s)


def thinking(thought: str, text: str, per_s: float = 60) -> Answer:
    """Think, then answer."""
    thoughts = [openai_delta(None, reasoning_content=piece) for piece in words(thought)]
    said = [openai_delta(piece) for piece in words(text)]
    return Answer(steps=list(paced([*thoughts, *said, *openai_finish(), DONE], per_s)))
