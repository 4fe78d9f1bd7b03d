"""The journals under test, each with its real server, and what the tests do to them from outside."""

import abc
import sqlite3
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.support.postgres import Postgres
from tests.support.redis import Redis
from webapp.journal.database import DatabaseJournal
from webapp.journal.memory import MemoryJournal
from webapp.journal.redis import RedisJournal
from webapp.journal.redis_scripts import PREFIX
from webapp.seams import Journal

# These tests are about what a journal does, not how fast: on a loaded machine a second is too short.
PATIENT_S = 20.0


class Backend(abc.ABC):
    """One empty place to store a journal in."""

    @abc.abstractmethod
    def connect(self) -> Journal:
        """Return a journal on this place, as another worker would open it. `close` closes it."""

    @abc.abstractmethod
    def advance(self, seconds: float) -> None:
        """Advance the journal's clock, by making everything stored that much older."""

    @abc.abstractmethod
    def clear(self) -> None:
        """Delete what is stored."""

    @abc.abstractmethod
    def disconnect(self) -> None:
        """Close all journals."""

    def close(self) -> None:
        """Close all journals, and what the place needs."""
        self.disconnect()


class MemoryBackend(Backend):
    """One object, which all workers of a process share."""

    def __init__(self) -> None:
        self._ahead_s = 0.0
        self._journal = MemoryJournal(lambda: time.time() + self._ahead_s)

    def connect(self) -> Journal:
        return self._journal

    def advance(self, seconds: float) -> None:
        self._ahead_s += seconds

    def clear(self) -> None:
        self._journal = MemoryJournal(lambda: time.time() + self._ahead_s)

    def disconnect(self) -> None:
        self._journal.close()


# Columns of times, which `advance` changes.
_AGING = (
    "UPDATE journal_runs SET began_at = began_at - {0}, read_at = read_at - {0}, ended_at = ended_at - {0}",
    "UPDATE journal_leases SET expires_at = expires_at - {0}",
)


class SharedBackend(Backend):
    """A place that several processes can use."""

    def __init__(self) -> None:
        self._journals: list[Journal] = []

    @property
    @abc.abstractmethod
    def opener(self) -> Callable[[], Journal]:
        """Return a function that opens a journal on this place, also in another process."""

    def connect(self) -> Journal:
        created = self.opener()
        self._journals.append(created)
        return created

    def disconnect(self) -> None:
        for journal in self._journals:
            journal.close()
        self._journals = []


class SqlBackend(SharedBackend):
    def advance(self, seconds: float) -> None:
        for statement in _AGING:
            self.execute(statement.format(seconds))

    def clear(self) -> None:
        self.connect().now()  # which creates the tables
        for table in ("journal_runs", "journal_groups", "journal_leases"):
            self.execute(f"DELETE FROM {table}")
        self.disconnect()

    @abc.abstractmethod
    def execute(self, statement: str) -> None:
        """Run a statement on the journal's tables, beside the journals."""


class SqliteBackend(SqlBackend):
    """A folder with a file."""

    def __init__(self, folder: Path, timeout_s: float = PATIENT_S) -> None:
        super().__init__()
        self._timeout_s = timeout_s
        self.folder = folder
        self.file = folder / "journal.db"

    def execute(self, statement: str) -> None:
        connection = sqlite3.connect(self.file, isolation_level=None, timeout=5)
        connection.execute(statement)
        connection.close()

    @property
    def opener(self) -> Callable[[], Journal]:
        return partial(DatabaseJournal, None, str(self.folder), timeout_s=self._timeout_s)


class PostgresBackend(SqlBackend):
    """A database of a server, which other tests use too."""

    def __init__(self, server: Postgres, timeout_s: float = PATIENT_S) -> None:
        super().__init__()
        self._timeout_s = timeout_s
        self.server = server
        self.url = server.new_url()

    def execute(self, statement: str) -> None:
        self.server.execute(statement, self.url)

    @property
    def opener(self) -> Callable[[], Journal]:
        return partial(DatabaseJournal, self.url, "", timeout_s=self._timeout_s)


# Makes everything stored older, by ARGV[1] microseconds.
_AGE_REDIS = """
local function older(time) return string.format('%.0f', time - ARGV[1]) end
for _, key in ipairs(redis.call('KEYS', ARGV[2] .. 'run:*')) do
  for _, name in ipairs({'began', 'read', 'ended'}) do
    local time = redis.call('HGET', key, name)
    if time then redis.call('HSET', key, name, older(time)) end
  end
end
for _, name in ipairs({'leases', 'ended'}) do
  local all = redis.call('ZRANGE', ARGV[2] .. name, 0, -1, 'WITHSCORES')
  for i = 1, #all, 2 do redis.call('ZADD', ARGV[2] .. name, older(all[i + 1]), all[i]) end
end
"""


class RedisBackend(SharedBackend):
    """A database of a server, which other tests use too."""

    def __init__(self, server: Redis, timeout_s: float = PATIENT_S) -> None:
        super().__init__()
        self._timeout_s = timeout_s
        self.server = server
        self.url = server.new_url()

    @property
    def opener(self) -> Callable[[], Journal]:
        return partial(RedisJournal, self.url, timeout_s=self._timeout_s)

    def execute(self, *command: str | bytes | float) -> object:
        """Run a command on the journal's database, beside the journals."""
        return self.server.execute(*command, url=self.url)

    def advance(self, seconds: float) -> None:
        self.execute("EVAL", _AGE_REDIS, 0, round(seconds * 1e6), PREFIX)

    def clear(self) -> None:
        self.execute("FLUSHDB")
        self.disconnect()
