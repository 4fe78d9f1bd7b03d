"""Kills workers at named points of an answer's way (`tests/support/probe/killing.py`), and checks what its readers get.

    python -m tests.survival.kills --journal sqlite --times 5 --seed 7

Two servers share a store and a journal. One of them is asked, and dies at the point; its reader comes back, to it or to the other
one, until it has the terminal frame. Afterwards the journal, both servers, the conversation and the provider's calls are
checked as after a storm, and the conversation goes on with another question. The program prints for each point what became of
the answers, and how long their readers waited for the next frame. It exits with 1 if anything is wrong.
"""

import argparse
import itertools
import os
import queue
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.answers import cookie_of
from tests.support.journals import JOURNALS, JournalChoice, journal_servers
from tests.support.probe.killing import KillFile, Struck
from tests.support.server import wait_for
from tests.survival.kill_cases import CASES, KillCase
from tests.survival.storm_checks import Findings, Turn, check_conversation, check_provider, check_turn
from tests.survival.storm_plan import TurnPlan, new_id, seeded
from tests.survival.storm_provider import Narrator
from tests.survival.storm_readers import Follower
from tests.survival.storm_servers import Node
from tests.survival.workers import Workers
from webapp.seams import Journal

_GRACE_S = 1  # for answers in a shutdown; a worker has five seconds more
SETTINGS = {
    "FRESHET_LEASE_S": "1",
    "FRESHET_HEARTBEAT_S": "1",
    "FRESHET_FRAME_MS": "20",
    "GUNICORN_CMD_ARGS": f"--graceful-timeout {_GRACE_S + 5}",
}
BUCKETS_S = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 15.0)
PAIRS = 2
_STRIKE_S = 60.0  # from one kill to the next
_TURN_S = 90.0
_PROMISED_S = 15.0  # from a kill, or from when a server has a worker again, to the next frame
_READY_S = 60.0
_DELTA_S = 0.04
_WORDS, _LONG_WORDS = 30, 80  # the first outlasts some groups, the second a shutdown


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of an answer whose worker was killed at a point.

    `began_before` is whether the journal had it before the kill: else its reader had to ask again. `gap_s` is the time from the
    last kill to the next frame; None if the reader had all before.
    """

    case: KillCase
    end: str
    began_before: bool
    gap_s: float | None
    lost_s: float
    faults: Sequence[str] = ()
    evidence: Sequence[str] = ()

    @property
    def name(self) -> str:
        """Return what the histogram counts it as."""
        if not self.began_before:
            return "never begun"
        return "interrupted" if self.end == "error" else self.end


@dataclass
class Pair:
    """Two servers on which answers are killed, one after the other."""

    workers: Workers
    journal: Journal
    file: KillFile
    seed: int
    narrator: Narrator = field(default_factory=Narrator)

    def __post_init__(self) -> None:
        self.workers.provider.play(self.narrator)
        self.began = time.monotonic()
        self.nodes = [
            Node(self.workers, server, self.began) for server in (self.workers.first, self.workers.second)
        ]
        self.headers = {"Cookie": cookie_of(self.workers.first)}
        conversation = new_id(seeded(self.seed, "warm"))
        for node in self.nodes:  # so that all connections are there, and Redis knows all scripts
            self._follow(self._turn(conversation, seeded(self.seed, "warm", node.address), words=3), node)

    def kill(self, case: KillCase, number: int) -> Outcome:
        """Ask a question whose worker dies at the case's points, read the answer, and check everything."""
        dice = seeded(self.seed, case.point, number)
        first = dice.randrange(len(self.nodes))
        node, other = self.nodes[first], self.nodes[1 - first]
        self._wait_ready()
        turn = self._turn(new_id(dice), dice, words=_LONG_WORDS if case.hangup else _WORDS)
        findings, calls = Findings(), len(self.workers.provider.calls)
        points = [*case.earlier, case.point]
        self.file.arm(points[0], turn.plan.run)
        reader = threading.Thread(target=self._follow, args=(turn, node, case.by_websocket), daemon=True)
        reader.start()
        struck: list[Struck] = []
        try:
            if case.hangup:
                wait_for(lambda: turn.followers[0].longest > 0, _STRIKE_S, "the first text")
                os.kill(node.server.pid, signal.SIGHUP)
            for point in points:
                if struck:
                    self.file.arm(point, turn.plan.run)
                struck.append(self._wait_struck(point))
            wait_for(lambda: any(each.is_whole for each in self.nodes), _READY_S, "a server with a worker")
            back_at = time.monotonic()
            reader.join(_TURN_S)
            self._check_gap(turn, back_at, findings)
        except AssertionError as error:
            findings.add(turn.plan.run, str(error))
            reader.join(_TURN_S)
        finally:
            self.file.disarm()
        if reader.is_alive():
            findings.add(turn.plan.run, "its reader has not come to an end")
        self._wait_ready()
        if not findings.faults:
            self._check(case, turn, findings, len(self.workers.provider.calls) - calls)
            self._go_on(turn, other, dice, findings)
        return self._outcome(case, turn, struck, findings)

    def _turn(self, conversation: str, dice: random.Random, words: int) -> Turn:
        plan = TurnPlan(
            run=new_id(dice),
            words=words,
            first_s=0.05,
            delta_s=_DELTA_S,
            has_second_reader=False,
            second_after_s=0.0,
            stop_after_s=None,
            pause_s=0.0,
        )
        return Turn(conversation, plan, self.narrator.add(plan))

    def _follow(self, turn: Turn, node: Node, by_websocket: float = 0.0) -> None:
        """Ask a turn's question at a node, and read the answer wherever it is to be had."""
        body = {
            "run": turn.plan.run,
            "conversation": turn.conversation,
            "query": self.narrator.question(turn.plan.run),
        }
        follower = Follower(
            "its reader",
            turn.story,
            self.nodes,
            self.headers,
            seeded(self.seed, "reader", turn.plan.run),
            self.began,
            body,
            cuts=False,
            by_websocket=by_websocket,
            place=self.nodes.index(node),
            moves=1.0,
        )
        turn.followers.append(follower)
        follower.follow(time.monotonic() + _TURN_S)
        turn.ended_at = time.monotonic()

    def _wait_struck(self, point: str) -> Struck:
        wait_for(lambda: self.file.find_struck() is not None, _STRIKE_S, f"the kill at {point!r}")
        struck = self.file.find_struck()
        assert struck is not None
        return struck

    def _wait_ready(self) -> None:
        for node in self.nodes:
            wait_for(lambda node=node: node.is_whole, _READY_S, "a server with its worker")

    def _check(self, case: KillCase, turn: Turn, findings: Findings, calls: int) -> None:
        run = turn.plan.run
        check_turn(turn, self.journal, self.nodes, findings)
        check_conversation(turn.conversation, [turn], self.nodes, self.headers, findings)
        check_provider(self.narrator, self.workers.provider.failures, findings)
        if turn.end != case.end:
            findings.add(run, f"ended as {turn.end}, not {case.end}: {turn.terminal}")
        if calls != case.calls:
            findings.add(run, f"{calls} calls of the provider, not {case.calls}")

    def _check_gap(self, turn: Turn, back_at: float, findings: Findings) -> None:
        """Check that the next frame came in time after a server was back."""
        later = [at for at in turn.followers[0].arrivals if at > back_at]
        if later and later[0] - back_at > _PROMISED_S:
            findings.add(turn.plan.run, f"{later[0] - back_at:.1f} s without a frame after the kill")

    def _go_on(self, turn: Turn, node: Node, dice: random.Random, findings: Findings) -> None:
        """Ask the next question of the conversation: the provider must get all that readers saw."""
        after = self._turn(turn.conversation, dice, words=2)
        self._follow(after, node)
        check_turn(after, self.journal, self.nodes, findings)
        check_conversation(turn.conversation, [turn, after], self.nodes, self.headers, findings)
        sent = self.workers.provider.calls[-1].json["messages"]
        answers = [message["content"] for message in sent if message["role"] == "assistant"]
        if answers != ([turn.text] if turn.text else []):
            findings.add(turn.plan.run, f"the next question was sent with {answers}")

    def _outcome(self, case: KillCase, turn: Turn, struck: Sequence[Struck], findings: Findings) -> Outcome:
        row = self.journal.find(turn.plan.run)
        faults = [fault for each in findings.faults.values() for fault in each]
        return Outcome(
            case=case,
            end=turn.end,
            began_before=row is not None and bool(struck) and row.began_at <= struck[0].wall,
            gap_s=_gap_s(turn, struck),
            lost_s=findings.lost_s,
            faults=faults,
            evidence=list(self._evidence(turn)) if faults else (),
        )

    def _evidence(self, turn: Turn) -> Iterator[str]:
        for follower in turn.followers:
            yield from follower.diary
        for number, node in enumerate(self.nodes):
            for log in node.logs:
                yield from (
                    f"server {number}: {line}" for line in log.splitlines() if turn.plan.run[:8] in line
                )


def _gap_s(turn: Turn, struck: Sequence[Struck]) -> float | None:
    """Return the time from the last kill to the next frame."""
    if not struck:
        return None
    later = [at for follower in turn.followers[:1] for at in follower.arrivals if at > struck[-1].at]
    return later[0] - struck[-1].at if later else None


@contextmanager
def running_pair(kind: JournalChoice, seed: int) -> Iterator[Pair]:
    """Start two servers on an empty journal of a kind."""
    with ExitStack() as stack:
        place = stack.enter_context(journal_servers(kind))()
        file = KillFile(Path(stack.enter_context(tempfile.TemporaryDirectory())) / "kill")
        env = SETTINGS | place.env | {"KILL_FILE": str(file.path)}
        workers = stack.enter_context(Workers(env))
        journal = place.open(workers.folder)
        stack.callback(journal.close)
        yield Pair(workers, journal, file, seed)


class KillSeries:
    """Kills at many points, on several pairs of servers at once. `wait` returns when a round is over."""

    def __init__(self, kind: JournalChoice, rounds: Iterable[tuple[KillCase, int]], seed: int) -> None:
        self._kind = kind
        self._seed = seed
        self._rounds: queue.SimpleQueue[tuple[KillCase, int]] = queue.SimpleQueue()
        self._outcomes: dict[tuple[str, int], Outcome] = {}
        self._failures: list[BaseException] = []
        self._changed = threading.Condition()
        for round_ in rounds:
            self._rounds.put(round_)
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(PAIRS)]
        for thread in self._threads:
            thread.start()

    def wait(self, point: str, number: int, timeout_s: float) -> Outcome:
        """Return the outcome of a round, once it is over. Raises what a pair of servers has failed with."""
        with self._changed:
            self._changed.wait_for(lambda: (point, number) in self._outcomes or self._failures, timeout_s)
            if (point, number) in self._outcomes:
                return self._outcomes[point, number]
            if self._failures:
                raise self._failures[0]
        raise AssertionError(f"{point!r} was not over within {timeout_s} s")

    def join(self, timeout_s: float) -> None:
        """Wait until the servers are stopped. Raises what one of them has failed with."""
        until = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
            assert not thread.is_alive(), "the servers were not stopped"
        if self._failures:
            raise self._failures[0]

    def _work(self) -> None:
        try:
            with running_pair(self._kind, self._seed) as pair:
                while True:
                    try:
                        case, number = self._rounds.get_nowait()
                    except queue.Empty:
                        return
                    outcome = pair.kill(case, number)
                    with self._changed:
                        self._outcomes[case.point, number] = outcome
                        self._changed.notify_all()
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            with self._changed:
                self._failures.append(error)
                self._changed.notify_all()


def histogram(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield a table: for each point its outcomes, and the times from the kill to the next frame."""
    names = ("never begun", "done", "interrupted")
    width = max(len(case.point) for case in CASES)
    bounds = [f"≤{bound:g}" for bound in BUCKETS_S] + ["more"]
    yield f"{'point':{width}} {'  '.join(names)}   p50 s   max s  " + " ".join(f"{b:>5}" for b in bounds)
    for case in CASES:
        found = [outcome for outcome in outcomes if outcome.case is case]
        if not found:
            continue
        counts = [f"{sum(outcome.name == name for outcome in found) or '':>{len(name)}}" for name in names]
        gaps = sorted(outcome.gap_s for outcome in found if outcome.gap_s is not None)
        times = f"{gaps[len(gaps) // 2]:7.2f} {gaps[-1]:7.2f}" if gaps else f"{'-':>7} {'-':>7}"
        yield f"{case.point:{width}} {'  '.join(counts)} {times}  " + " ".join(_buckets(gaps))
    lost_ms = max(outcome.lost_s for outcome in outcomes) * 1000
    wrong = sum(bool(outcome.faults) for outcome in outcomes)
    yield f"{len(outcomes)} kills, {wrong} with faults; at most {lost_ms:.0f} ms of an answer were taken back"


def _buckets(gaps: Sequence[float]) -> Iterator[str]:
    edges = (0.0, *BUCKETS_S, float("inf"))
    for low, high in itertools.pairwise(edges):
        yield f"{sum(low < gap <= high for gap in gaps) or '':>5}"


def main(arguments: Sequence[str]) -> int:
    """Kill by the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.survival.kills", description=__doc__)
    parser.add_argument("--journal", choices=JOURNALS, default="sqlite")
    parser.add_argument("--times", type=int, default=5, help="how often at each point")
    parser.add_argument("--point", help="only points whose names contain this")
    parser.add_argument(
        "--seed", type=int, default=os.environ.get("FRESHET_TEST_SEED") or random.randrange(2**32)
    )
    chosen = parser.parse_args(arguments)
    print(f"FRESHET_TEST_SEED={chosen.seed}, journal {chosen.journal}", flush=True)
    cases = [case for case in CASES if (chosen.point or "") in case.point]
    rounds = [(case, number) for number in range(chosen.times) for case in cases]
    series = KillSeries(chosen.journal, rounds, chosen.seed)
    outcomes = []
    for case, number in rounds:
        outcome = series.wait(case.point, number, _TURN_S * (1 + len(rounds)))
        outcomes.append(outcome)
        for line in outcome.faults:
            print(f"{case.point} ({number}): {line}", flush=True)
        for line in outcome.evidence:
            print(f"    {line}", flush=True)
    series.join(_TURN_S)
    print(*histogram(outcomes), sep="\n")
    return 1 if any(outcome.faults for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
