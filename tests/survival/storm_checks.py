"""What must be true after a storm."""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.faults.conversations import Person
from tests.support.promises import Received, check_promises, digest
from tests.support.sse import SseReader
from tests.survival.storm_plan import TurnPlan
from tests.survival.storm_provider import Narrator, Story
from tests.survival.storm_readers import Follower
from tests.survival.storm_servers import Node
from webapp.frames import Start
from webapp.journal_records import JournalCursor, JournalRun
from webapp.runs.log import RunLog
from webapp.seams import Journal

LOST_S = 1.0  # a group is 50 ms; the rest is for a machine that has other things to do
_STOPPED_S = 10.0  # from a stop to the end of an answer whose worker has died meanwhile
_ALL_BYTES = 10**9
_STATES = {"done": "done", "cancelled": "cancelled", "error": "interrupted"}


@dataclass(slots=True)
class Turn:
    """One question of a conversation, and all that came of it."""

    conversation: str
    plan: TurnPlan
    story: Story
    followers: list[Follower] = field(default_factory=list)
    receipts: list[dict[str, Any]] = field(default_factory=list)
    stopped_at: float = math.inf  # when a server took the stop
    ended_at: float = math.inf
    faults: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text that its first reader has."""
        return self.followers[0].reading.text

    @property
    def terminal(self) -> dict[str, Any]:
        """The terminal frame that its first reader has; empty if it has none."""
        return self.followers[0].reading.terminal or {}

    @property
    def end(self) -> str:
        """How it ended: `done`, `cancelled`, `error` or `never`."""
        if "error" in self.terminal:
            return "error"
        if "done" not in self.terminal:
            return "never"
        return "cancelled" if self.terminal["finish_reason"] == "cancelled" else "done"


@dataclass(slots=True)
class Findings:
    """The faults of a storm by run, and what was counted."""

    faults: dict[str, list[str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    lost_s: float = 0.0  # the longest time of which a reader had more than was kept

    def add(self, run: str, *faults: str) -> None:
        """Note faults of a run, or of the whole storm by the name `storm`."""
        if faults:
            self.faults.setdefault(run, []).extend(faults)


def check_turn(turn: Turn, journal: Journal, nodes: Sequence[Node], findings: Findings) -> None:
    """Check one run: its readers, the journal, the provider's calls, and what a new reader gets from each server."""
    run, story, text = turn.plan.run, turn.story, turn.text
    faults = list(turn.faults)
    for follower in turn.followers:
        faults += [f"{follower.name}: {fault}" for fault in follower.faults]
        faults += _check_reader(turn, follower)
        findings.counts["connections"] += follower.connections
        for had, has in [
            *((each.had, each.has) for each in follower.shrunk),
            (follower.longest, len(text)),
        ]:
            if had > has:
                lost_s = story.span_s(has, had)
                findings.lost_s = max(findings.lost_s, lost_s)
                if lost_s > LOST_S:
                    faults.append(f"{follower.name}: {had - has} characters of {lost_s:.2f} s were lost")
    faults += _check_end(turn)
    row = journal.find(run)
    if row is None:
        faults.append("the journal does not have it")
    else:
        faults += _check_journal(turn, journal, row)
        findings.counts["takeovers"] += row.takeovers
        if len(story.tellings) > 1 + row.takeovers:
            faults.append(f"{len(story.tellings)} calls, but {row.takeovers} takeovers")
        if turn.end == "error" and not row.takeovers:
            faults.append("interrupted although no worker has taken it over")
    if text and not story.tellings:
        faults.append("a text without a call")
    for node in nodes:
        headers = turn.followers[0].headers
        with SseReader(node.address, f"/stream/{run}", headers=headers) as reader:
            faults += _check_replay(turn, f"a new reader at :{node.address[1]}", reader)
    findings.counts["runs"] += 1
    findings.counts["calls"] += len(story.tellings)
    findings.counts[turn.end] += 1
    findings.add(run, *faults)


def check_conversation(
    name: str, turns: Sequence[Turn], nodes: Sequence[Node], headers: dict[str, str], findings: Findings
) -> None:
    """Check that each server has all questions and answers in order, and none that is in progress."""
    expected = [text for turn in turns for text in (f"Tell me the story {turn.plan.run}.", turn.text)]
    for node in nodes:
        person = Person(node.server, headers)
        found = person.conversation(name)
        where = f"conversation {name[:8]} at :{node.address[1]}"
        if found["run"] is not None:
            findings.add(turns[-1].plan.run, f"{where} says that {found['run'][:8]} is running")
        if person.texts(name) != expected:
            findings.add(turns[-1].plan.run, f"{where} does not show its {len(expected)} messages in order")
        for before, turn in zip([None, *turns], turns, strict=False):
            question = found["messages"].get(found["messages"].get(turn.plan.run, {}).get("parent"), {})
            expected_parent = None if before is None else before.plan.run
            if question.get("parent") != expected_parent:
                findings.add(
                    turn.plan.run,
                    f"{where} has its question below {question.get('parent')}, not {expected_parent}",
                )
        for turn in turns:
            message = found["messages"].get(turn.plan.run)
            state = None if message is None else message.get("state", "done")
            if state != _STATES.get(turn.end):
                findings.add(turn.plan.run, f"{where} has its answer as {state}, readers as {turn.end}")


def check_provider(narrator: Narrator, failures: Sequence[str], findings: Findings) -> None:
    """Check that all requests made sense to the provider."""
    findings.add("storm", *narrator.faults, *failures)


def _check_reader(turn: Turn, follower: Follower) -> list[str]:
    reading, faults = follower.reading, []
    if reading.terminal is None:
        return [f"{follower.name}: no terminal frame"]
    if follower.terminals != 1:
        faults.append(f"{follower.name}: {follower.terminals} terminal frames")
    if reading.text != turn.text:
        faults.append(f"{follower.name}: {len(reading.text)} characters, others {len(turn.text)}")
    if reading.terminal != turn.terminal:
        faults.append(f"{follower.name}: ends with {reading.terminal}, others with {turn.terminal}")
    if reading.terminal.get("sha256") != digest(reading.text):
        faults.append(f"{follower.name}: another digest")
    return faults


def _check_end(turn: Turn) -> list[str]:
    text, story, faults = turn.text, turn.story, []
    if not story.text.startswith(text) or len(text) > story.sent:
        faults.append("the text is not what the provider has sent")
    match turn.end:
        case "done" if text != story.text:
            faults.append(f"done with {len(text)} of {len(story.text)} characters")
        case "error" if turn.terminal["code"] != "interrupted":
            faults.append(f"ended with {turn.terminal}")
        case "cancelled" if turn.plan.stop_after_s is None:
            faults.append(f"cancelled by nobody: {turn.terminal}")
    if turn.end == "done" and turn.ended_at - turn.stopped_at > _STOPPED_S:
        faults.append(f"went on for {turn.ended_at - turn.stopped_at:.1f} s after it was stopped")
    if any(receipt["state"] == "cancelled" for receipt in turn.receipts) and turn.end != "cancelled":
        faults.append(f"a receipt says cancelled, the end is {turn.terminal}")
    return faults


def _check_journal(turn: Turn, journal: Journal, row: JournalRun) -> list[str]:
    if row.state != "ended":
        return [f"still {row.state} in the journal, of worker {row.worker[:8]}"]
    run = turn.plan.run
    update = journal.read({run: JournalCursor()}, _ALL_BYTES)[run]
    terminals = [frame.terminal for frame in update.frames]
    log = RunLog(Start(run=run, provider="", model=""), reset=[*update.reset, *update.frames])
    faults = []
    if terminals.count(True) != 1 or not terminals[-1]:
        faults.append("the journal does not have one terminal frame, at the end")
    elif json.loads(update.frames[-1].payload) != turn.terminal:
        faults.append(f"the journal ends with {update.frames[-1].payload.decode()}")
    if log.text_of("text") != turn.text:
        faults.append(f"the journal has {len(log.text_of('text'))} characters, readers {len(turn.text)}")
    return faults


def _check_replay(turn: Turn, name: str, reader: SseReader) -> list[str]:
    if reader.status != 200:
        return [f"{name}: status {reader.status}"]
    received: Sequence[Received] = reader.read_to_end(10)
    try:
        reading = check_promises(received)
    except AssertionError as error:
        return [f"{name}: {error}"]
    if (reading.text, reading.terminal) != (turn.text, turn.terminal):
        return [f"{name}: other text or end: {len(reading.text)} characters, {reading.terminal}"]
    assert hashlib.sha256(reading.text.encode()).hexdigest() == turn.terminal["sha256"]
    return []
