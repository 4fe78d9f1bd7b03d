"""Every test of the journal runs on each implementation; Postgres and Redis are real servers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journal.backends import (
    Backend,
    MemoryBackend,
    PostgresBackend,
    RedisBackend,
    SharedBackend,
    SqliteBackend,
)
from tests.support.postgres import Postgres
from tests.support.redis import Redis
from webapp.seams import Journal

KINDS = ("memory", "sqlite", "postgres", "redis")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One Postgres for all tests; each has a database of its own."""
    with Postgres() as server:
        yield server


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    """One Redis for all tests; each has a database of its own."""
    with Redis() as server:
        yield server


def make_backend(kind: str, request: pytest.FixtureRequest) -> Backend:
    """Create an empty place of a kind."""
    match kind:
        case "memory":
            return MemoryBackend()
        case "sqlite":
            folder: Path = request.getfixturevalue("tmp_path")
            return SqliteBackend(folder / "data")
        case "redis":
            return RedisBackend(request.getfixturevalue("redis"))
        case _:
            return PostgresBackend(request.getfixturevalue("postgres"))


@pytest.fixture(params=KINDS)
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """An empty place of each kind."""
    created = make_backend(request.param, request)
    yield created
    created.close()


@pytest.fixture(params=[kind for kind in KINDS if kind != "memory"])
def shared_backend(request: pytest.FixtureRequest) -> Iterator[SharedBackend]:
    """An empty place of each kind that several processes can use."""
    created = make_backend(request.param, request)
    assert isinstance(created, SharedBackend)
    yield created
    created.close()


@pytest.fixture
def journal(backend: Backend) -> Journal:
    """A journal, as the first worker has it."""
    return backend.connect()


@pytest.fixture
def other(backend: Backend) -> Journal:
    """The same journal, as a second worker has it."""
    return backend.connect()
