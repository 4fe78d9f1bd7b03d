"""Every test of the store runs on SQLite and on a real Postgres."""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.store.people import Person
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.postgres import Postgres
from tests.support.script import Answer
from webapp.app import create_app
from webapp.settings import Settings
from webapp.store.database import Database
from webapp.store.store import Store

_MODELS = """
dated = 2026-11-01
[[model]]
provider = "openai"
name = "tiny"
window = 8_192
longest = 100
images = false
"""


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


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file whose tables are there: making it takes longer than copying it."""
    folder = tmp_path_factory.mktemp("made")
    database = Database(None, str(folder))
    database.open()
    database.close()
    return folder / "freshet.db"


@pytest.fixture(scope="session")
def migrated(postgres: Postgres) -> str:
    """The address of a Postgres database whose tables are there."""
    url = postgres.new_url()
    Database(url, "unused").migrate()
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def ready(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str | None, str]:
    """Name a database whose tables are there and hold nothing: an address or none, and a folder."""
    folder = tmp_path / "data"
    if request.param == "sqlite":
        folder.mkdir()
        shutil.copy(request.getfixturevalue("made"), folder)
        return None, str(folder)
    url: str = request.getfixturevalue("migrated")
    request.getfixturevalue("postgres").execute("TRUNCATE conversations CASCADE", url)
    return url, str(folder)


@pytest.fixture
def store(ready: tuple[str | None, str]) -> Iterator[Store]:
    """A store that is open."""
    made = Store(*ready)
    made.database.open()
    yield made
    made.close(5.0)


@pytest.fixture(scope="session")
def provider() -> Iterator[FakeProvider]:
    """A provider that answers every question with its number and words."""
    with FakeProvider() as fake:
        yield fake


@pytest.fixture
def parts(ready: tuple[str | None, str], provider: FakeProvider, tmp_path: Path) -> Iterator[Flask]:
    """An application with its doors, on an empty database that is up to date."""
    count = itertools.count(1)
    models = tmp_path / "models.toml"
    models.write_text(_MODELS)
    provider.play(lambda call: Answer(steps=openai([f"Answer {next(count)}", " of many words"])))
    app = create_app(
        Settings.read(
            {
                "OPENAI_API_KEY": "sk-test",
                "OPENAI_BASE_URL": f"{provider.url}/v1",
                "FRESHET_RETRIES": "0",
                "FRESHET_MODELS_FILE": str(models),
                "FRESHET_DATA_DIR": ready[1],
            }
            | ({"DATABASE_URL": ready[0]} if ready[0] else {})
        )
    )
    store = app.extensions["freshet"].store
    yield app
    assert store.saver.flush(5.0)
    store.close(5.0)


@pytest.fixture
def anna(parts: Flask) -> Person:
    return Person(parts.test_client(use_cookies=False), "anna")


@pytest.fixture
def ben(parts: Flask) -> Person:
    return Person(parts.test_client(use_cookies=False), "ben")
