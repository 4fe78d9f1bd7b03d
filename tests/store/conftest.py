"""Every test of the store runs on SQLite and on a real Postgres."""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete

from tests.store.people import Person
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.postgres import Postgres
from tests.support.script import Answer
from webapp.app import create_app
from webapp.settings import Settings
from webapp.store.conversation_cache import ConversationCache
from webapp.store.database import Database
from webapp.store.quota import Remembered
from webapp.store.schema import conversations
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
    request.getfixturevalue("postgres").execute("TRUNCATE conversations, moves CASCADE", url)
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


class Apps:
    """One application for each database: making one takes longer than most tests."""

    def __init__(self, provider: FakeProvider, folder: Path) -> None:
        self._provider = provider
        self._folder = folder
        self._made: dict[str, Flask] = {}
        (folder / "models.toml").write_text(_MODELS)

    def on(self, kind: str, url: str | None) -> Flask:
        """The application with an empty database, without runs and caches."""
        app = self._made.get(kind)
        if app is None:
            environ = {
                "OPENAI_API_KEY": "sk-test",
                "OPENAI_BASE_URL": f"{self._provider.url}/v1",
                "FRESHET_RETRIES": "0",
                "FRESHET_PUBLIC": "true",
                "FRESHET_VISITOR_STARTS": "100000",
                "FRESHET_ADDRESS_SHARE": "1000",
                "FRESHET_VISITOR_ANSWERS": "1000",
                "FRESHET_VISITOR_STORED_BYTES": str(200 * 1024**2),
                "FRESHET_MODELS_FILE": str(self._folder / "models.toml"),
                "FRESHET_DATA_DIR": str(self._folder / kind),
            }
            app = create_app(Settings.read(environ | ({"DATABASE_URL": url} if url else {})))
            self._made[kind] = app
        parts = app.extensions["freshet"]
        parts.store.write(lambda connection: connection.execute(delete(conversations)))
        parts.store.recall = parts.store._turns._recall = ConversationCache()
        parts.store._remembered = Remembered()
        parts.runs._runs.clear()
        parts.runs._ended.clear()
        return app

    def close(self) -> None:
        for app in self._made.values():
            app.extensions["freshet"].store.close(5.0)


@pytest.fixture(scope="session")
def apps(provider: FakeProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apps]:
    made = Apps(provider, tmp_path_factory.mktemp("apps"))
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "postgres"])
def parts(request: pytest.FixtureRequest, apps: Apps, provider: FakeProvider) -> Iterator[Flask]:
    """An application with its doors, on a database that is up to date and holds nothing."""
    url = request.getfixturevalue("migrated") if request.param == "postgres" else None
    count = itertools.count(1)
    provider.play(lambda call: Answer(steps=openai([f"Answer {next(count)}", " of many words"])))
    app = apps.on(request.param, url)
    yield app
    assert app.extensions["freshet"].store.saver.flush(5.0)


@pytest.fixture
def nobody(parts: Flask) -> Person:
    return Person(parts.test_client(use_cookies=False), None)


@pytest.fixture
def anna(parts: Flask) -> Person:
    return Person(parts.test_client(use_cookies=False), "anna")


@pytest.fixture
def ben(parts: Flask) -> Person:
    return Person(parts.test_client(use_cookies=False), "ben")
