"""A later version has migrated the database, and this one works with it: during the deploy, and after it is rolled back."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.answers import KEY, SECRET_KEY, new_run
from tests.faults.conversations import Person
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.postgres import Postgres
from tests.support.script import Answer
from tests.support.server import Server
from tests.survival.workers import migrate
from webapp.journal import schema as journal_schema
from webapp.store.schema import HEAD
from webapp.store.schema import metadata as store_tables

LATER = "9999"
Execute = Callable[[str], None]


class Place:
    """Where a server stores its conversations and its journal."""

    def __init__(self, folder: Path, postgres: Postgres | None) -> None:
        self.folder = folder
        self._postgres = postgres
        self.url = None if postgres is None else postgres.new_url()
        if self.url is not None:
            migrate(self.url)

    @property
    def env(self) -> dict[str, str]:
        place = {"FRESHET_DATA_DIR": str(self.folder)}
        return place if self.url is None else place | {"DATABASE_URL": self.url}

    def migrate_later(self) -> None:
        """Do what a later version may do: add to every table, of the store and of the journal, and say who works with it."""
        for table in store_tables.sorted_tables:
            self._extend(table.name, self._execute_in("freshet.db"))
        for table in journal_schema.metadata.sorted_tables:
            self._extend(table.name, self._execute_in("journal.db"))
        self._execute_in("journal.db")(
            f"INSERT INTO journal_version (version) VALUES ({journal_schema.VERSION + 1})"
        )
        execute = self._execute_in("freshet.db")
        execute("CREATE TABLE later (id TEXT PRIMARY KEY)")
        execute(f"INSERT INTO compatibility (revision, oldest) VALUES ('{LATER}', '{HEAD}')")
        execute(f"UPDATE alembic_version SET version_num = '{LATER}'")

    @staticmethod
    def _extend(table: str, execute: Execute) -> None:
        execute(f"ALTER TABLE {table} ADD COLUMN later_text TEXT")
        execute(f"ALTER TABLE {table} ADD COLUMN later_count INTEGER NOT NULL DEFAULT 7")
        execute(f"CREATE INDEX later_{table} ON {table} (later_count, later_text)")

    def _execute_in(self, file: str) -> Execute:
        if self._postgres is not None:
            postgres = self._postgres
            return lambda statement: (postgres.execute(statement, self.url), None)[1]

        def execute(statement: str) -> None:
            connection = sqlite3.connect(self.folder / file, isolation_level=None, timeout=10)
            connection.execute(statement)
            connection.close()

        return execute


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return Place(tmp_path, request.getfixturevalue("postgres") if request.param == "postgres" else None)


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider(Answer(steps=openai(["Hello"]))) as fake:
        yield fake


def test_a_database_of_a_later_version_is_read_and_written(place: Place, provider: FakeProvider) -> None:
    env = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{provider.url}/v1", "SECRET_KEY": SECRET_KEY}
    with Server(env | place.env, secrets=(KEY, SECRET_KEY)) as server:
        anna, name, other = Person(server), new_run(), new_run()
        anna.ask(name, "Before")
        place.migrate_later()
        anna.ask(name, "Meanwhile")
        server.stop()
        server.start()
        log = server.wait_log("newer revision")
        assert f"the newer revision {LATER}, which works with this version's {HEAD}" in log
        anna.wait_kept(name, "Before", "Hello", "Meanwhile", "Hello")
        use_everything(anna, name, other)
        anna.ask(name, "Afterwards")
        anna.wait_kept(name, "Before", "Hello", "Meanwhile", "Hello", "Afterwards", "Hello")
        status, _, ready = anna.do("GET", "/readyz")
        assert (status, ready["store"]["state"], ready["journal"]["state"]) == (200, "ready", "ready")


def use_everything(anna: Person, name: str, other: str) -> None:
    """Use each table."""
    anna.ask(other, "To be deleted")
    for method, path, body, expected in (
        ("PATCH", f"/conversations/{name}", {"title": "Renamed"}, 200),
        ("POST", f"/conversations/{name}/share", {}, 201),
        ("GET", f"/conversations/{name}/share", None, 200),
        ("DELETE", f"/conversations/{other}", None, 200),
        ("GET", "/conversations?search=meanwhile", None, 200),
    ):
        status, _, answer = anna.do(method, path, body)
        assert status == expected, (path, answer)
    assert [head["title"] for head in answer["conversations"]] == ["Renamed"]
    status, _, answer = anna.do("GET", "/conversations")
    assert [head["id"] for head in answer["conversations"]] == [name]
