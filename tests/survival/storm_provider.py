"""A provider that tells known stories: each run's whole text is known beforehand, and any beginning of it can be continued."""

import random
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.support.dialects import DONE, openai_delta, openai_finish
from tests.support.script import Answer, Call, Step
from tests.survival.storm_plan import TurnPlan

_QUESTION = re.compile(r"Tell me the story (\S{22})\.")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(slots=True)
class Telling:
    """One call: where in the story it began, and when it had sent how many characters."""

    begins: int
    sent: list[tuple[float, int]] = field(default_factory=list)

    @property
    def ends(self) -> int:
        """How much of the story has been sent."""
        return self.sent[-1][1] if self.sent else self.begins


class Story:
    """The text of one run, and all calls for it."""

    def __init__(self, plan: TurnPlan) -> None:
        dice = random.Random(plan.run)
        words = ["".join(dice.choices(_LETTERS, k=dice.randrange(6, 11))) for _ in range(plan.words)]
        self.plan = plan
        self.pieces = [f"{word}{number} " for number, word in enumerate(words)]  # no two are the same
        self.text = "".join(self.pieces)
        self.tellings: list[Telling] = []

    @property
    def sent(self) -> int:
        """How much of the text has been sent, by whichever call."""
        return max((telling.ends for telling in self.tellings), default=0)

    def span_s(self, begin: int, end: int) -> float:
        """Return within which time the characters from `begin` to `end` were sent; by the call for which it took longest."""
        spans = [0.0]
        for telling in self.tellings:
            times = [at for at, chars in telling.sent if begin < chars <= end]
            if times:
                spans.append(times[-1] - times[0])
        return max(spans)


class Narrator:
    """Answers the calls of a `FakeProvider`. `faults` are requests that make no sense."""

    def __init__(self) -> None:
        self._stories: dict[str, Story] = {}
        self._lock = threading.Lock()
        self.faults: list[str] = []

    def add(self, plan: TurnPlan) -> Story:
        """Prepare the story of a run."""
        story = Story(plan)
        with self._lock:
            self._stories[plan.run] = story
        return story

    def question(self, run: str) -> str:
        """Return the question whose answer is the run's story."""
        return f"Tell me the story {run}."

    def __call__(self, call: Call) -> Answer:
        """Stream the story from the beginning, or from where the request's unfinished answer ends."""
        messages = [(message["role"], _text(message["content"])) for message in call.json["messages"]]
        begun = ""
        if not _QUESTION.search(messages[-1][1]):  # the instruction to continue
            (role, begun), messages = messages[-2], messages[:-2]
            if role != "assistant":
                self.faults.append(f"no beginning to continue: {messages[-3:]}")
        runs = _QUESTION.findall(messages[-1][1])
        with self._lock:
            story = self._stories[runs[-1]]
            telling = Telling(len(begun))
            story.tellings.append(telling)
        if not story.text.startswith(begun):
            self.faults.append(f"run {runs[-1]}: asked to continue {begun[-60:]!r}, which it was not told")
        return Answer(steps=lambda: self._tell(story, telling))

    @staticmethod
    def _tell(story: Story, telling: Telling) -> Iterator[Step]:
        plan = story.plan
        yield openai_delta("", role="assistant")
        yield plan.first_s
        at = 0
        for piece in story.pieces:
            at += len(piece)
            if at > telling.begins:
                telling.sent.append((time.monotonic(), at))
                yield openai_delta(story.text[max(at - len(piece), telling.begins) : at])
                yield plan.delta_s
        yield from openai_finish()
        yield DONE


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
