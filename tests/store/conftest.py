"""Every test of the store runs on SQLite and on a real Postgres."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.postgres import Postgres
from webapp.store.database import Database
from webapp.store.store import Store

MakeDatabase = Callable[[], Database]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One Postgres for all tests; each has a database of its own."""
    with Postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str | None, str]:
    """Name an empty database: an address or none, and a folder."""
    if request.param == "sqlite":
        return None, str(tmp_path / "data")
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_url(), str(tmp_path / "data")


@pytest.fixture
def empty(where: tuple[str | None, str]) -> Iterator[Database]:
    """A database that nobody has opened yet."""
    database = Database(*where)
    yield database
    database.close()


@pytest.fixture
def store(where: tuple[str | None, str]) -> Iterator[Store]:
    """A store whose tables are there."""
    made = Store(*where)
    if where[0] is not None:
        made.database.migrate()
    made.database.open()
    yield made
    made.close(5.0)
