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
from webapp.store.quota import QuotaCache
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
def empty_location(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str | None, str]:
    """The URL (None for SQLite) and folder of an empty database."""
    if request.param == "sqlite":
        return None, str(tmp_path / "data")
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_url(), str(tmp_path / "data")


@pytest.fixture
def empty(empty_location: tuple[str | None, str]) -> Iterator[Database]:
    """A database that is not open yet."""
    database = Database(*empty_location)
    yield database
    database.close()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied: that is faster than migrating."""
    folder = tmp_path_factory.mktemp("migrated")
    database = Database(None, str(folder))
    database.open()
    database.close()
    return folder / "freshet.db"


@pytest.fixture(scope="session")
def migrated_url(postgres: Postgres) -> str:
    """The URL of a migrated Postgres database."""
    url = postgres.new_url()
    Database(url, "unused").migrate()
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def migrated_location(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str | None, str]:
    """The URL (None for SQLite) and folder of a migrated database without rows."""
    folder = tmp_path / "data"
    if request.param == "sqlite":
        folder.mkdir()
        shutil.copy(request.getfixturevalue("migrated_file"), folder)
        return None, str(folder)
    url: str = request.getfixturevalue("migrated_url")
    request.getfixturevalue("postgres").execute("TRUNCATE conversations, collections, moves CASCADE", url)
    return url, str(folder)


@pytest.fixture
def store(migrated_location: tuple[str | None, str]) -> Iterator[Store]:
    """An open store."""
    opened = Store(*migrated_location)
    opened.database.open()
    yield opened
    opened.close(5.0)


@pytest.fixture(scope="session")
def provider() -> Iterator[FakeProvider]:
    """A fake provider; `parts` makes it answer with numbered texts."""
    with FakeProvider() as fake:
        yield fake


class Apps:
    """One application per database, because creating one takes longer than most tests."""

    def __init__(self, provider: FakeProvider, folder: Path, **more: str) -> None:
        self._provider = provider
        self._more = more
        self._folder = folder
        self._apps: dict[str, Flask] = {}
        (folder / "models.toml").write_text(_MODELS)

    def on(self, kind: str, url: str | None) -> Flask:
        """Return the application with its database, runs and caches emptied."""
        app = self._apps.get(kind)
        if app is None:
            environ = {
                "OPENAI_API_KEY": "sk-test",
                "OPENAI_BASE_URL": f"{self._provider.url}/v1",
                "FRESHET_RETRIES": "0",
                "FRESHET_MODEL": "gpt-4.1",
                "FRESHET_PUBLIC": "true",
                "FRESHET_VISITOR_STARTS": "100000",
                "FRESHET_ADDRESS_SHARE": "1000",
                "FRESHET_VISITOR_ANSWERS": "1000",
                "FRESHET_VISITOR_STORED_BYTES": str(200 * 1024**2),
                "FRESHET_MODELS_FILE": str(self._folder / "models.toml"),
                "FRESHET_DATA_DIR": str(self._folder / kind),
            }
            environ |= self._more
            app = create_app(Settings.read(environ | ({"DATABASE_URL": url} if url else {})))
            self._apps[kind] = app
        parts = app.extensions["freshet"]
        parts.store.write(lambda connection: connection.execute(delete(conversations)))
        parts.store.cache = parts.store._turns._cache = ConversationCache()
        parts.store._quota_cache = QuotaCache()
        parts.runs._runs.clear()
        parts.runs.memory._ended.clear()
        return app

    def close(self) -> None:
        for app in self._apps.values():
            app.extensions["freshet"].runs.close(1.0)
            app.extensions["freshet"].store.close(5.0)


@pytest.fixture(scope="session")
def apps(provider: FakeProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apps]:
    created = Apps(provider, tmp_path_factory.mktemp("apps"))
    yield created
    created.close()


@pytest.fixture(params=["sqlite", "postgres"])
def parts(request: pytest.FixtureRequest, apps: Apps, provider: FakeProvider) -> Iterator[Flask]:
    """An application on a migrated database without rows."""
    url = request.getfixturevalue("migrated_url") if request.param == "postgres" else None
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
