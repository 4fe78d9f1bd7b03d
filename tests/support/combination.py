"""The journal and the number of workers of the servers under test: FRESHET_TEST_JOURNAL (sqlite) and FRESHET_TEST_WORKERS (1)."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.support.journals import JOURNALS, journal_servers
from tests.support.server import Server

_WORKERS = (1, 2)


@dataclass(frozen=True, kw_only=True)
class Combination:
    """What the servers have that do not say otherwise."""

    journal: str
    workers: int

    @classmethod
    def read(cls, env: Mapping[str, str]) -> "Combination":
        """Read the variables. Raises `ValueError` that names the one with a wrong value."""
        journal, workers = env.get("FRESHET_TEST_JOURNAL", "sqlite"), env.get("FRESHET_TEST_WORKERS", "1")
        if journal not in JOURNALS:
            raise ValueError(f"FRESHET_TEST_JOURNAL is {journal!r}: use one of {', '.join(JOURNALS)}")
        if workers not in map(str, _WORKERS):
            raise ValueError(f"FRESHET_TEST_WORKERS is {workers!r}: use 1 or 2")
        return cls(journal=journal, workers=int(workers))


COMBINATION = Combination.read(os.environ)

one_worker = pytest.mark.skipif(COMBINATION.workers > 1, reason="each worker asks the provider for itself")
"""Marks a test of how often one worker asks for what each keeps for itself."""

remembers = pytest.mark.skipif(
    COMBINATION.workers > 1, reason="about what one worker remembers while the store is away"
)
"""Marks a test of what is in one worker's memory alone, as long as nothing can be stored."""

sqlite_store = pytest.mark.skipif(COMBINATION.journal == "postgres", reason="about the file of the store")
"""Marks a test of the store in SQLite, which is not used where DATABASE_URL is set."""


@contextmanager
def combined_servers() -> Iterator[None]:
    """Give the servers that are created within the `with` the chosen journal, empty, and number of workers."""
    with journal_servers(COMBINATION.journal) as new_place:
        before = Server.common_env
        Server.common_env = lambda: {"WEB_CONCURRENCY": str(COMBINATION.workers)} | new_place().env
        try:
            yield
        finally:
            Server.common_env = before
