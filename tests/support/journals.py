"""Empty places for a journal of running answers, with the server that it needs, and the settings with which Freshet uses it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.support.postgres import Postgres
from tests.support.redis import Redis
from webapp.journal.database import DatabaseJournal
from webapp.journal.redis import RedisJournal
from webapp.seams import Journal
from webapp.store.database import Database

JournalChoice = Literal["sqlite", "postgres", "redis"]
JOURNALS: tuple[JournalChoice, ...] = ("sqlite", "postgres", "redis")
_migrating = threading.Lock()  # Alembic keeps what it works on in its modules
_PATIENT_S = 10.0  # the tests' own calls wait for longer than a worker's


@dataclass(frozen=True, kw_only=True)
class JournalPlace:
    """Where servers keep their journal: in Postgres, as their store, or in Redis, or without either in their data folder."""

    database_url: str | None = None
    redis_url: str | None = None

    @property
    def env(self) -> dict[str, str]:
        """The settings of a server that uses it."""
        named = {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}
        return {name: url for name, url in named.items() if url is not None}

    def open(self, folder: Path) -> Journal:
        """Open the journal of servers whose data folder this is."""
        if self.redis_url is not None:
            return RedisJournal(self.redis_url, _PATIENT_S)
        return DatabaseJournal(self.database_url, str(folder), _PATIENT_S)


@contextmanager
def journal_servers(kind: JournalChoice) -> Iterator[Callable[[], JournalPlace]]:
    """Start what a kind of journal needs; yield a function that returns a new place there, with the store's tables."""
    if kind == "postgres":
        with Postgres() as postgres:
            yield lambda: JournalPlace(database_url=_migrated(postgres.new_url()))
    elif kind == "redis":
        with Redis() as redis:
            yield lambda: JournalPlace(redis_url=redis.new_url())
    else:
        yield JournalPlace


def _migrated(url: str) -> str:
    database = Database(url, "unused")
    with _migrating:
        database.migrate()
    database.close()
    return url
