"""How long searches take, and how long they hold up an answer that a server is streaming meanwhile."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, pairwise

from tests.api.test_documents import Caller
from tests.bench_search.filled import COLLECTION, Filled, Opened
from tests.bench_search.questions import Question
from tests.support.server import Server
from tests.support.sse import SseReader

LIMIT = 8
"""As many as are put before a question."""
_ANSWER_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps:
    """The longest time between two frames of an answer, without and with searches beside it, and how many these were."""

    alone_ms: float
    beside_ms: float
    searches: int


def percentile(values: Sequence[float], share: float) -> float:
    """Return a percentile of values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def times_ms(opened: Opened, questions: Sequence[Question]) -> list[float]:
    """Return how long the search of each question takes, in milliseconds."""
    took = []
    for each in questions:
        began = time.perf_counter()
        opened.search(each.question, LIMIT)
        took.append((time.perf_counter() - began) * 1000)
    return took


def hold_up(filled: Filled, questions: Sequence[Question], rounds: int) -> list[Gaps]:
    """Stream answers from a server, by turns without and with searches beside them, one after the other without a pause."""
    found = []
    env = {"FRESHET_ACCESS": "public", "FRESHET_VISITOR_STARTS": "600", **filled.env}
    with Server(env) as server:
        caller = Caller(server)
        asked = cycle(each.question for each in questions)
        _search(caller, next(asked))
        for _ in range(rounds):
            alone = _longest_gap_ms(server, caller)
            ended = threading.Event()
            counted = [0]

            def search_on(ended: threading.Event = ended, counted: list[int] = counted) -> None:
                while not ended.is_set():
                    _search(caller, next(asked))
                    counted[0] += 1

            thread = threading.Thread(target=search_on)
            thread.start()
            try:
                beside = _longest_gap_ms(server, caller)
            finally:
                ended.set()
                thread.join()
            found.append(Gaps(alone_ms=alone, beside_ms=beside, searches=counted[0]))
    return found


def _search(caller: Caller, question: str) -> None:
    status, body = caller.call(
        "GET", "/documents/search", query=question, collection=COLLECTION, limit=str(LIMIT)
    )
    assert status == 200, body


def _longest_gap_ms(server: Server, caller: Caller) -> float:
    cookies = "; ".join(f"{name}={value}" for name, value in caller.session.cookies.items())
    with SseReader(server.address, body={"prompt": "Hello"}, headers={"Cookie": cookies}) as reader:
        assert reader.status == 200, reader.response.read_all()
        reader.read_to_end(_ANSWER_S)
    arrived = [record.at for record in reader.records if record.frame and "text" in record.frame]
    assert len(arrived) > 50, f"{len(arrived)} frames: {reader.records[:5]}"
    return max(later - before for before, later in pairwise(arrived)) * 1000
