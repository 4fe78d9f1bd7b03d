"""Two workers do the same thing at the same moment: exactly one succeeds."""

import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.journal.backends import Backend, SharedBackend
from tests.journal.samples import LONG_S, TTL_S, done, ending, entry, group, read_one, reset, started, texts
from webapp.seams import Journal

ROUNDS = 15
WAIT_S = 60.0
Attempt = Callable[[Journal, int, int], bool]
"""Try something in a round, by the worker with this number; return whether it succeeded."""


def try_begin(journal: Journal, number: int, turn: int) -> bool:
    return journal.begin(entry(f"begin{turn}", f"w{number}", owner=f"owner{number}")) is None


def try_end(journal: Journal, number: int, turn: int) -> bool:
    return journal.end("a", ending(f"end{turn}", 1, 1, 2, done(f"by {number}"))) is None


def try_seize(journal: Journal, number: int, turn: int) -> bool:
    return journal.seize(f"seize{turn}", 1, 0, f"w{number}", reset(number)) == 2


ATTEMPTS: dict[str, Attempt] = {"begin": try_begin, "end": try_end, "seize": try_seize}


def prepare(backend: Backend) -> Journal:
    """Store the runs that are ended and seized, and the workers' leases."""
    journal = backend.connect()
    for turn in range(ROUNDS):
        started(journal, f"end{turn}")
        started(journal, f"seize{turn}", "dead")
    backend.advance(LONG_S)
    for worker in ("a", "w0", "w1"):
        journal.reclaim(worker, TTL_S)
    return journal


def check(journal: Journal, name: str, won: list[list[bool]]) -> None:
    """Check that one of the two won each round, and that what is stored is the winner's."""
    for turn, (first, second) in enumerate(zip(*won, strict=True)):
        assert (first, second) in [(True, False), (False, True)], f"round {turn}"
        winner = 0 if first else 1
        found = journal.find(f"{name}{turn}")
        assert found is not None
        match name:
            case "begin":
                assert (found.worker, found.owner) == (f"w{winner}", f"owner{winner}")
            case "end":
                assert read_one(journal, found.run).frames[-1] == done(f"by {winner}")
            case _:
                assert (found.worker, found.epoch, found.takeovers) == (f"w{winner}", 2, 1)
                assert list(read_one(journal, found.run).reset) == list(reset(winner))


@pytest.mark.parametrize("name", ATTEMPTS)
def test_one_of_two_threads_wins(backend: Backend, name: str) -> None:
    journal = prepare(backend)
    barrier = threading.Barrier(2, timeout=WAIT_S)

    def race(number: int) -> list[bool]:
        own = backend.connect()
        own.now()
        won = []
        for turn in range(ROUNDS):
            barrier.wait()
            won.append(ATTEMPTS[name](own, number, turn))
        return won

    with ThreadPoolExecutor(2) as threads:
        check(journal, name, list(threads.map(race, (0, 1), timeout=WAIT_S)))


def _race_in_process(
    opener: Callable[[], Journal],
    number: int,
    barrier: threading.Barrier,
    results: "multiprocessing.Queue[object]",
) -> None:
    own = opener()
    own.now()
    won: dict[str, list[bool]] = {}
    for name, attempt in ATTEMPTS.items():
        won[name] = []
        for turn in range(ROUNDS):
            barrier.wait(WAIT_S)
            won[name].append(attempt(own, number, turn))
    results.put((number, won))


def test_one_of_two_processes_wins(shared_backend: SharedBackend) -> None:
    journal = prepare(shared_backend)
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(2), context.Queue()
    processes = [
        context.Process(target=_race_in_process, args=(shared_backend.opener, number, barrier, results))
        for number in (0, 1)
    ]
    for process in processes:
        process.start()
    try:
        won = dict(results.get(timeout=WAIT_S) for _ in processes)
    finally:
        for process in processes:
            process.join(10)
            process.kill()
    for name in ATTEMPTS:
        check(journal, name, [won[0][name], won[1][name]])


def test_a_producer_and_its_successor_never_both_write(backend: Backend) -> None:
    """A producer appends while another worker seizes the run: what is stored last is one epoch's, whole."""
    journal = backend.connect()
    for turn in range(ROUNDS):
        started(journal, f"run{turn}", f"dead{turn}")
    backend.advance(LONG_S)
    barrier = threading.Barrier(2, timeout=WAIT_S)

    def append() -> list[bool]:
        own = backend.connect()
        own.now()
        won = []
        for turn in range(ROUNDS):
            barrier.wait()
            won.append(own.append(f"dead{turn}", [group(f"run{turn}", 1, 1, 3)]) == {})
        return won

    def seize() -> list[bool]:
        own = backend.connect()
        own.now()
        won = []
        for turn in range(ROUNDS):
            barrier.wait()
            won.append(own.seize(f"run{turn}", 1, 0, "b", reset("nothing")) == 2)
        return won

    with ThreadPoolExecutor(2) as threads:
        appending, seizing = threads.submit(append), threads.submit(seize)
        for turn, (appended, seized) in enumerate(
            zip(appending.result(WAIT_S), seizing.result(WAIT_S), strict=True)
        ):
            assert appended != seized, f"round {turn}"
            update = read_one(journal, f"run{turn}")
            assert list(update.reset) == (list(reset("nothing")) if seized else [])
            assert update.frames == ([] if seized else list(texts(1, 3)))
