"""A server that keeps its sockets open and does not respond."""

import gc
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journal.samples import TTL_S
from tests.support.postgres import Postgres
from tests.support.redis import Redis
from tests.support.server import wait_for
from webapp.errors import JournalUnavailable
from webapp.journal.database import DatabaseJournal
from webapp.journal.redis import RedisJournal
from webapp.seams import Journal

DESCRIPTORS = Path("/proc/self/fd")
SERVERS: dict[str, type[Postgres] | type[Redis]] = {"postgres": Postgres, "redis": Redis}


def open_journal(kind: str, url: str) -> Journal:
    return RedisJournal(url) if kind == "redis" else DatabaseJournal(url, "")


@pytest.fixture
def no_collection() -> Iterator[None]:
    """Switch the garbage collector off: a server's runs seldom, and is no way to close sockets."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ResourceWarning
        )  # what the tests before this one have left is not its failure
        gc.collect()
    gc.disable()
    yield
    gc.enable()


def count_sockets() -> int:
    count = 0
    for entry in DESCRIPTORS.iterdir():
        try:
            count += os.readlink(entry).startswith("socket:")  # noqa: PTH115  (not a file's path)
        except FileNotFoundError:  # the listing's own
            continue
    return count


@pytest.mark.skipif(not DESCRIPTORS.is_dir(), reason="needs Linux's /proc")
@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize("kind", SERVERS)
def test_attempts_to_connect_leave_no_socket_behind(kind: str) -> None:
    with SERVERS[kind]() as server:
        journal = open_journal(kind, server.new_url())
        journal.renew("a", TTL_S)
        journal.reclaim("a", TTL_S)
        journal.now()
        before = count_sockets()
        server.freeze()
        try:
            for _ in range(3):
                with pytest.raises(JournalUnavailable):
                    journal.renew("a", TTL_S)
                with pytest.raises(JournalUnavailable):
                    journal.reclaim("a", TTL_S)
        finally:
            server.thaw()
        wait_for(lambda: is_back(journal) and count_sockets() <= before, 20.0, f"{before} sockets again")
        journal.close()


def is_back(journal: Journal) -> bool:
    """Return whether all connections work again."""
    try:
        return journal.renew("a", TTL_S) and journal.reclaim("a", TTL_S) == [] and journal.now() > 0
    except JournalUnavailable:
        return False
