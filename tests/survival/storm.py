"""A storm: workers are killed, frozen and replaced, readers cut off and answers stopped at random; nothing may be lost.

    python -m tests.survival.storm --seconds 60 --conversations 50 --journal sqlite --seed 7

Two servers share a store and a journal. Each conversation asks one question after the other; each answer has one or two readers,
which come back on any server, by SSE or WebSocket. The seed, which is printed, is that of all that happens and when. Afterwards
the program checks that every reader, the journal and the conversations have the same answers (`storm_checks`), and exits with 1
if they do not.
"""

import argparse
import json
import random
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from tests.faults.answers import cookie_of
from tests.support.journals import JOURNALS, JournalChoice, journal_servers
from tests.support.rawhttp import request
from tests.survival.storm_checks import Findings, Turn, check_conversation, check_provider, check_turn
from tests.survival.storm_plan import Strike, new_id, plan_strikes, plan_turn, seeded
from tests.survival.storm_provider import Narrator
from tests.survival.storm_readers import Follower
from tests.survival.storm_servers import Node
from tests.survival.workers import Workers
from webapp.seams import Journal

SETTINGS = {
    "FRESHET_LEASE_S": "1",
    "FRESHET_HEARTBEAT_S": "1",
    "FRESHET_FRAME_MS": "20",
    "GUNICORN_CMD_ARGS": "--graceful-timeout 8",
}
_SERVERS = 2
_TURN_S = 60.0  # from a question to the end of its answer, whatever happens
_STOP_S = 15.0
_LATE_S = 2.0  # a strike for which the server is not ready so much later is left out
_OWNERS = 8


@dataclass
class Storm:
    """One storm. `run` may be called once."""

    workers: Workers
    seed: int
    seconds: float
    conversations: int
    findings: Findings = field(default_factory=Findings)

    def __post_init__(self) -> None:
        self.narrator = Narrator()
        self.workers.provider.play(self.narrator)
        self.began = time.monotonic()
        servers = (self.workers.first, self.workers.second)
        self.nodes = [Node(self.workers, server, self.began) for server in servers]
        self.owners = [{"Cookie": cookie_of(servers[0])} for _ in range(_OWNERS)]
        self.turns: dict[int, list[Turn]] = {number: [] for number in range(self.conversations)}

    def run(self, journal: Journal) -> Findings:
        """Run the storm, wait until all answers have ended, and check everything."""
        threads = [
            threading.Thread(target=self._strike, args=(server,), daemon=True) for server in range(_SERVERS)
        ]
        for thread in threads:
            thread.start()
        with ThreadPoolExecutor(4 * self.conversations) as pool:
            talks = [pool.submit(self._talk, number, pool) for number in range(self.conversations)]
            for thread in threads:
                thread.join(self.seconds + 2 * _TURN_S)
                if thread.is_alive():
                    self.findings.add("storm", "a server was not struck in time")
            for talk in talks:
                talk.result(3 * _TURN_S)
        for node in self.nodes:
            node.calm()
        for number, turns in self.turns.items():
            for turn in turns:
                check_turn(turn, journal, self.nodes, self.findings)
            check_conversation(self._name(number), turns, self.nodes, self._headers(number), self.findings)
        check_provider(self.narrator, self.workers.provider.failures, self.findings)
        self.close()
        return self.findings

    def close(self) -> None:
        """Stop the servers. Idempotent."""
        for node in self.nodes:
            self.findings.add("storm", *node.close())

    def evidence(self, run: str) -> Iterator[str]:
        """Yield what the readers and the servers say of a run."""
        for turns in self.turns.values():
            for turn in turns:
                if turn.plan.run == run:
                    yield f"plan: {turn.plan}; told from {[each.begins for each in turn.story.tellings]}"
                    for follower in turn.followers:
                        yield from follower.diary
        for number, node in enumerate(self.nodes):
            for log in node.logs:
                yield from (f"server {number}: {line}" for line in log.splitlines() if run[:8] in line)

    def _strike(self, server: int) -> None:
        node = self.nodes[server]
        try:
            for strike in plan_strikes(self.seed, server, self.seconds):
                self._strike_in_time(node, strike)
        except Exception as error:  # noqa: BLE001 - the storm goes on without it
            self.findings.add("storm", f"server {server} could not be struck: {error!r}")

    def _strike_in_time(self, node: Node, strike: Strike) -> None:
        wait_s = self.began + strike.at_s - time.monotonic()
        if wait_s < -_LATE_S:
            return
        time.sleep(max(0.0, wait_s))  # the plan's pace
        self.findings.counts[strike.blow] += 1
        node.strike(strike)

    def _talk(self, number: int, pool: ThreadPoolExecutor) -> None:
        """Hold a conversation until the storm is over."""
        while time.monotonic() < self.began + self.seconds:
            plan = plan_turn(self.seed, number, len(self.turns[number]))
            turn = Turn(self._name(number), plan, self.narrator.add(plan))
            self.turns[number].append(turn)
            self._ask(turn, number, pool)
            if turn.end == "never":
                return
            time.sleep(plan.pause_s)  # people read

    def _ask(self, turn: Turn, number: int, pool: ThreadPoolExecutor) -> None:
        body = {
            "run": turn.plan.run,
            "conversation": turn.conversation,
            "query": self.narrator.question(turn.plan.run),
        }
        deadline = time.monotonic() + _TURN_S
        first = self._follower("first", turn, number, body)
        others: list[Future[None]] = []
        if turn.plan.has_second_reader:
            second = self._follower("second", turn, number, None)
            others.append(pool.submit(self._follow_later, first, second, turn.plan.second_after_s, deadline))
        if turn.plan.stop_after_s is not None:
            others.append(pool.submit(self._stop_later, turn, first, turn.plan.stop_after_s, deadline))
        first.follow(deadline)
        turn.ended_at = time.monotonic()
        for other in others:
            other.result(_TURN_S + _STOP_S)

    def _follower(self, name: str, turn: Turn, number: int, body: dict[str, str] | None) -> Follower:
        dice = seeded(self.seed, "reader", turn.plan.run, name)
        follower = Follower(name, turn.story, self.nodes, self._headers(number), dice, self.began, body)
        turn.followers.append(follower)
        return follower

    def _follow_later(self, first: Follower, second: Follower, after_s: float, deadline: float) -> None:
        if _wait_begun(first, after_s, deadline):
            second.follow(deadline)

    def _stop_later(self, turn: Turn, first: Follower, after_s: float, deadline: float) -> None:
        if not _wait_begun(first, after_s, deadline) or first.reading.terminal is not None:
            return
        dice = seeded(self.seed, "stop", turn.plan.run)
        place, until = dice.randrange(_SERVERS), time.monotonic() + _STOP_S
        path = f"/stream/{turn.plan.run}/stop"
        while time.monotonic() < until:
            address = self.nodes[place].address
            try:
                status, _, raw = request(address, "POST", path, None, first.headers, timeout_s=4.0)
            except Exception as error:  # noqa: BLE001 - the server was struck
                first.diary.append(f"no answer to a stop from :{address[1]}: {error!r}")
            else:
                first.diary.append(
                    f"{time.monotonic() - self.began:6.2f} s  stop at :{address[1]}: {status} {raw.decode()[:200]}"
                )
                if status == 200:
                    turn.stopped_at = time.monotonic()
                    turn.receipts.append(json.loads(raw))
                    return
                if status != 503:
                    turn.faults.append(f"a stop got {status} {raw[:200]!r}")
                    return
            place = (place + 1) % _SERVERS
            time.sleep(0.2)  # as a person clicks again
        turn.faults.append("no server took the stop")

    def _name(self, number: int) -> str:
        return new_id(seeded(self.seed, "conversation", number))

    def _headers(self, number: int) -> dict[str, str]:
        return self.owners[number % _OWNERS]


def _wait_begun(first: Follower, after_s: float, deadline: float) -> bool:
    """Wait until a reader has received something, and then for a while."""
    while not first.has_begun:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    time.sleep(after_s)  # the plan's
    return True


@contextmanager
def running_storm(
    kind: JournalChoice, *, seed: int, seconds: float, conversations: int, workers: int = 1
) -> Iterator[tuple[Storm, Journal]]:
    """Start the servers of a storm, each with so many workers and with a kind of journal, and open that journal."""
    with ExitStack() as stack:
        place = stack.enter_context(journal_servers(kind))()
        env = SETTINGS | place.env | {"WEB_CONCURRENCY": str(workers)}
        servers = stack.enter_context(Workers(env, dirty_log=True))
        journal = place.open(servers.folder)
        stack.callback(journal.close)
        storm = Storm(servers, seed, seconds, conversations)
        stack.callback(storm.close)
        yield storm, journal


def report(storm: Storm, findings: Findings, kept: int = 5) -> Iterator[str]:
    """Yield the lines that say what happened, and of the first faults all that is known."""
    for number, node in enumerate(storm.nodes):
        yield from (f"server {number}: {line}" for line in node.happened)
    for run, faults in list(findings.faults.items())[:kept]:
        yield f"--- {run}"
        yield from faults
        if run != "storm":
            yield from storm.evidence(run)
    counted = ", ".join(f"{count} {name}" for name, count in sorted(findings.counts.items()))
    yield f"{counted}; at most {findings.lost_s * 1000:.0f} ms of an answer were taken back"
    yield f"{len(findings.faults)} runs with faults"


def main(arguments: Sequence[str]) -> int:
    """Run a storm by the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.survival.storm", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--conversations", type=int, default=50)
    parser.add_argument("--journal", choices=JOURNALS, default="sqlite")
    parser.add_argument("--workers", type=int, default=1, help="of each of the two servers")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    chosen = parser.parse_args(arguments)
    print(f"seed {chosen.seed}, journal {chosen.journal}", flush=True)
    with running_storm(
        chosen.journal,
        seed=chosen.seed,
        seconds=chosen.seconds,
        conversations=chosen.conversations,
        workers=chosen.workers,
    ) as (storm, journal):
        findings = storm.run(journal)
        for line in report(storm, findings):
            print(line)
    return 1 if findings.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
