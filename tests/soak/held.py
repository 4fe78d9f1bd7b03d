"""What a server holds: memory, descriptors, greenlets and objects of each worker, and rows of its journal."""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.postgres import Postgres
from tests.support.redis import Redis
from tests.support.server import Server
from webapp.journal.redis_scripts import PREFIX

RECORDS = ("Run", "RunLog", "RunRecord", "RemoteRun", "Producer", "Reader")
"""The classes whose objects hold parts of answers: none of them may be left, not even for the garbage collector."""

COLLECTED = ("ReaderConnection",)
"""Those that are small, of which none may be left by the garbage collector."""

_TABLES = ("journal_runs", "journal_groups")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What all workers of a server hold together."""

    greenlets: int
    descriptors: int
    records: Mapping[str, int] = field(default_factory=dict)

    @property
    def has_records(self) -> bool:
        """Whether any answer or reader is left."""
        return any(self.records.values())

    def describe(self) -> str:
        """Return all counts in one line."""
        counts = [f"{count} {name}" for name, count in self.records.items() if count]
        return ", ".join((f"{self.greenlets} greenlets", f"{self.descriptors} descriptors", *counts))

    def most(self, other: "Holdings") -> "Holdings":
        """Return the larger of each count."""
        return Holdings(
            greenlets=max(self.greenlets, other.greenlets),
            descriptors=max(self.descriptors, other.descriptors),
            records={name: max(count, other.records.get(name, 0)) for name, count in self.records.items()},
        )

    def excess_over(self, before: "Holdings") -> list[str]:
        """Return what is more than before, and each record, one sentence each."""
        pairs = {
            "greenlets": (self.greenlets, before.greenlets),
            "descriptors": (self.descriptors, before.descriptors),
            **{name: (count, 0) for name, count in self.records.items()},
        }
        return [f"{now} {name} instead of {then}" for name, (now, then) in pairs.items() if now > then]


def count_held(server: Server, *, free: bool = False) -> Holdings:
    """Count what a server's workers hold; with `free`, `COLLECTED` too, after they have freed what nothing uses."""
    workers, names = server.workers, RECORDS + (COLLECTED if free else ())
    counts = [server.probe_worker(worker, free=free) for worker in workers]
    return Holdings(
        greenlets=sum(count["greenlets"] for count in counts),
        descriptors=sum(1 for worker in workers for _ in Path(f"/proc/{worker}/fd").iterdir()),
        records={name: sum(count.get(name, 0) for count in counts) for name in names},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """A worker's memory in bytes: what its code has allocated, what SQLite has, and all anonymous memory, with the gaps between these."""

    allocated: int
    sqlite: int
    anonymous: int


def measure_memory(server: Server, worker: int) -> Memory:
    """Measure a worker's memory after it has freed what nothing uses. What processes share of files is not counted."""
    found = server.probe_worker(worker, free=True)
    lines = Path(f"/proc/{worker}/smaps_rollup").read_text().splitlines()
    sizes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines[1:])}
    return Memory(
        allocated=found["allocated"] - found["sqlite"],
        sqlite=found["sqlite"],
        anonymous=1024 * (sizes["Anonymous"] + sizes["Swap"]),
    )


def sqlite_rows(folder: Path) -> Callable[[], int]:
    """Return a function that counts the rows of answers in a journal's file."""

    def count() -> int:
        with closing(sqlite3.connect(folder / "journal.db", timeout=5)) as connection:
            return sum(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in _TABLES)

    return count


def postgres_rows(postgres: Postgres, url: str) -> Callable[[], int]:
    """Return a function that counts the rows of answers in a database."""
    return lambda: sum(postgres.execute(f"SELECT count(*) FROM {table}", url)[0][0] for table in _TABLES)


def redis_rows(redis: Redis, url: str) -> Callable[[], int]:
    """Return a function that counts the keys of answers in Redis, and what the shared keys have of them."""

    def count() -> int:
        keys = [key.decode() for key in redis.execute("KEYS", f"{PREFIX}*", url=url)]
        own = [key for key in keys if key.startswith((f"{PREFIX}run:", f"{PREFIX}frames:"))]
        sizes = {
            "running": "HLEN",
            "owned": "ZCARD",
            "owners": "HLEN",
            "ended": "ZCARD",
            "stops": "HLEN",
        }
        shared = [redis.execute(command, PREFIX + name, url=url) for name, command in sizes.items()]
        return len(own) + sum(shared)

    return count
