"""Checks for journals that cannot be used."""

import time
from collections.abc import Callable

import pytest

from tests.journal.samples import NOTHING, TTL_S, ending, entry, group, reset
from webapp.errors import JournalUnavailable
from webapp.journal_records import JournalCursor
from webapp.seams import Journal

BOUND_S = 8.0  # far above the promised second, far below what an unbounded wait would take

Call = Callable[[Journal], object]
READS: dict[str, Call] = {
    "find": lambda journal: journal.find("run"),
    "read": lambda journal: journal.read({"run": NOTHING}, 1_000),
    "read, waiting": lambda journal: journal.read({"run": JournalCursor(1, 9)}, 1_000, wait_s=0.2),
    "now": lambda journal: journal.now(),
    "list_lapsed": lambda journal: journal.list_lapsed(0.0),
    "find_stops": lambda journal: journal.find_stops("a"),
    "measure_unread_s": lambda journal: journal.measure_unread_s(["run"]),
    "list_running": lambda journal: journal.list_running("anna"),
}
WRITES: dict[str, Call] = {
    "begin": lambda journal: journal.begin(entry("new")),
    "append": lambda journal: journal.append("a", [group("run", 1, 1, 2)]),
    "end": lambda journal: journal.end("a", ending("run", 1, 1, 3)),
    "seize": lambda journal: journal.seize("run", 1, 0, "a", reset("x")),
    "renew": lambda journal: journal.renew("a", TTL_S),
    "reclaim": lambda journal: journal.reclaim("a", TTL_S),
    "release": lambda journal: journal.release("b"),
    "request_stop": lambda journal: journal.request_stop("run", "user"),
    "mark_read": lambda journal: journal.mark_read(["run"]),
    "move_owner": lambda journal: journal.move_owner("anna", "ben"),
    "expire": lambda journal: journal.expire(0.0),
}


def check_unavailable(journal: Journal, calls: dict[str, Call], condition: str = "away") -> str:
    """Check that each call raises `JournalUnavailable` in time and without secrets; return the last reason."""
    for name, call in calls.items():
        began = time.monotonic()
        with pytest.raises(JournalUnavailable) as caught:
            call(journal)
        assert time.monotonic() - began < BOUND_S, name
        assert journal.condition == condition, name
        assert journal.failure == caught.value.detail != "", name
        assert caught.value.status == 503
        assert caught.value.retry_after_s
    return journal.failure


def check_recovered(journal: Journal) -> None:
    """Check that the same object works again."""
    journal.reclaim("checker", TTL_S)
    name = f"after {journal.now()}"
    assert journal.begin(entry(name, "checker")) is None
    assert journal.append("checker", [group(name, 1, 1, 2)]) == {}
    assert journal.end("checker", ending(name, 1, 3, 3)) is None
    assert len(journal.read({name: NOTHING}, 10_000)[name].frames) == 3
    assert (journal.condition, journal.failure) == ("ready", "")
