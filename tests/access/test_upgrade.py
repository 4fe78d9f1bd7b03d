"""The data of version 0.1: from a database of each of its revisions, by the cookie of that time and by command."""

import hashlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from tests.access.conftest import Start
from tests.access.device import PASSWORD, SECRET_KEY, Device, within
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.postgres import Postgres
from tests.support.script import Answer
from tests.support.server import ROOT
from tests.unit.test_cookies import former
from webapp.store.database import Database
from webapp.store.migrate import upgrade

OLD = ("0001", "0002")
VISITOR = "visitor-of-version-0-1"


def former_owner(token: str) -> str:
    """Name an owner as version 0.1 did it."""
    return "key:" + hashlib.sha256(token.encode()).hexdigest()[:32]


OWNERS = {
    "byPasswordAAAAAAAAAAAA": former_owner(PASSWORD),
    "byAnotherTokenAAAAAAAA": former_owner("another token"),
    "byVisitorAAAAAAAAAAAAA": f"visitor:{VISITOR}",
    "byOtherVisitorAAAAAAAA": "visitor:somebody-else-entirely",
}


class Old:
    """A database as version 0.1 left it."""

    def __init__(self, url: str | None, folder: Path) -> None:
        self.url = url
        self.folder = folder

    @property
    def env(self) -> dict[str, str]:
        found = {"FRESHET_DATA_DIR": str(self.folder), "SECRET_KEY": SECRET_KEY}
        return found | ({"DATABASE_URL": self.url} if self.url else {})

    def fill(self, revision: str) -> None:
        """Make the tables of a revision, with a conversation of each owner, one of them shared."""
        database = Database(self.url, str(self.folder))
        engine = database._made()
        with engine.connect().execution_options(freshet_write=True) as connection, connection.begin():
            upgrade(connection, revision)
            for name, owner in OWNERS.items():
                row = {"id": name, "owner": owner}
                connection.execute(
                    text(
                        "INSERT INTO conversations (id, owner, title, folded, created_at, updated_at)"
                        " VALUES (:id, :owner, 'Old', 'old', 1, 2)"
                    ),
                    row,
                )
                connection.execute(
                    text(
                        "INSERT INTO messages (conversation, id, role, content, folded, state, created_at) VALUES"
                        " (:id, 'm', 'user', '[{\"type\":\"text\",\"text\":\"Wie süß\"}]', '', 'done', 3)".replace(
                            ':"', '\\:"'
                        )
                    ),
                    row,
                )
                connection.execute(
                    text(
                        "INSERT INTO shares (token, conversation, owner, leaf, created_at)"
                        " VALUES (:id, :id, :owner, 'm', 4)"
                    ),
                    row,
                )
        engine.dispose()

    def migrate(self) -> None:
        """Do what a host's release phase does; for SQLite nothing."""
        done = freshet("migrate", **self.env)
        assert done.returncode == 0, done.stderr

    def owners(self, table: str = "conversations") -> dict[str, str]:
        """Who owns which row now."""
        key = "conversation" if table == "shares" else "id"
        statement = f"SELECT {key}, owner FROM {table}"
        if self.url:
            with psycopg.connect(self.url) as connection:
                return dict(connection.execute(statement.encode()).fetchall())
        with sqlite3.connect(self.folder / "freshet.db") as connection:
            return dict(connection.execute(statement).fetchall())

    def dump(self) -> str:
        return str([self.owners(), self.owners("shares")])


def freshet(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    bare = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8"}
    command = [sys.executable, "-m", "webapp", *arguments]
    return subprocess.run(command, cwd=ROOT, env=bare | env, capture_output=True, text=True, timeout=60)


@pytest.fixture(autouse=True)
def hello(provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["Hello"])))


@pytest.fixture(
    params=[(kind, revision) for kind in ("sqlite", "postgres") for revision in OLD], ids="-".join
)
def old(request: pytest.FixtureRequest, postgres: Postgres, tmp_path: Path) -> Old:
    kind, revision = request.param
    (tmp_path / "data").mkdir()
    found = Old(postgres.new_url() if kind == "postgres" else None, tmp_path / "data")
    found.fill(revision)
    found.migrate()
    return found


def renamed(old: Old) -> Callable[[], bool]:
    return lambda: not any(owner.startswith("key:") for owner in old.owners().values())


def test_what_was_stored_with_the_password_is_the_user_s(old: Old, start: Start) -> None:
    server = start(FRESHET_ACCESS_PASSWORD=PASSWORD, **old.env)
    within(renamed(old), 10, "the names of owners, replaced")
    person = Device(server.address)
    assert person.sign_in() == 303
    assert person.listed() == {"byPasswordAAAAAAAAAAAA"}
    assert person.messages("byPasswordAAAAAAAAAAAA")[0]["content"][0]["text"] == "Wie süß"
    assert person.json("GET", "/conversations/byPasswordAAAAAAAAAAAA/share")["shared_at"] == 4
    assert person.ask("On", conversation="byPasswordAAAAAAAAAAAA") == "Hello"


def test_no_plain_digest_of_a_token_stays_in_the_database(old: Old, start: Start) -> None:
    start(FRESHET_ACCESS_PASSWORD=PASSWORD, **old.env)
    within(renamed(old), 10, "the names of owners, replaced")
    for token in (PASSWORD, "another token"):
        assert hashlib.sha256(token.encode()).hexdigest()[:32] not in old.dump()
    assert len(old.owners()) == len(OWNERS), "nothing is lost"
    assert old.owners()["byAnotherTokenAAAAAAAA"].startswith("token:")
    assert old.owners("shares") == old.owners()


def test_a_visitor_is_known_by_the_cookie_of_that_time(old: Old, start: Start) -> None:
    server = start(FRESHET_PUBLIC="true", **old.env)
    visitor = Device(server.address)
    visitor.cookies["freshet"] = former({"_permanent": True, "visitor": VISITOR}, SECRET_KEY)
    assert visitor.listed() == {"byVisitorAAAAAAAAAAAAA"}
    assert visitor.open() == 200
    assert "freshet-visitor" in visitor.cookies, "it gets the cookie of today"
    del visitor.cookies["freshet"]
    assert visitor.listed() == {"byVisitorAAAAAAAAAAAAA"}
    forged = Device(server.address)
    forged.cookies["freshet"] = former({"visitor": VISITOR}, "another secret")
    assert forged.do("GET", "/conversations")[0] == 401


@pytest.mark.parametrize("env", [{"FRESHET_ACCESS_PASSWORD": PASSWORD}, {"FRESHET_LOCAL": "true"}])
def test_the_user_takes_over_what_the_old_cookie_names(old: Old, start: Start, env: dict[str, str]) -> None:
    server = start(**old.env, **env)
    person = Device(server.address)
    person.cookies["freshet"] = former({"visitor": VISITOR, "pass": "x" * 32}, SECRET_KEY)
    if "FRESHET_ACCESS_PASSWORD" in env:
        assert person.do("GET", "/conversations")[0] == 401, (
            "the old cookie signs nobody in: it can't be revoked"
        )
        assert person.sign_in() == 303
    assert person.json("GET", "/visitor") == {"conversations": 1}
    assert person.json("POST", "/visitor/move") == {"moved": 1}
    assert "byVisitorAAAAAAAAAAAAA" in person.listed()
    assert "freshet" not in person.cookies


def test_freshet_users_adopt(old: Old, start: Start) -> None:
    env = old.env | {"FRESHET_ACCESS_PASSWORD": PASSWORD}
    listed = freshet("users", "adopt", **env)
    assert listed.returncode == 0, listed.stderr
    for owner in ("visitor:somebody-else-entirely", f"visitor:{VISITOR}", "token:"):
        assert owner in listed.stdout
    assert former_owner(PASSWORD) not in listed.stdout
    unknown = freshet("users", "adopt", "visitor:nobody", **env)
    assert (unknown.returncode, "visitor:nobody" in unknown.stderr) == (2, True)
    one = freshet("users", "adopt", "visitor:somebody-else-entirely", **env)
    assert (one.returncode, one.stdout) == (0, "visitor:somebody-else-entirely: 1 conversation moved\n")
    everything = freshet("users", "adopt", "--all", **env)
    assert everything.returncode == 0
    assert set(old.owners().values()) == set(old.owners("shares").values()) == {"user:owner"}
    again = freshet("users", "adopt", **env)
    assert "nobody but the user" in again.stdout
    server = start(FRESHET_ACCESS_PASSWORD=PASSWORD, **old.env)
    person = Device(server.address)
    assert person.sign_in() == 303
    assert person.listed() == set(OWNERS)


def test_what_is_there_is_weighed(old: Old, start: Start) -> None:
    start(FRESHET_ACCESS_PASSWORD=PASSWORD, **old.env)
    statement = "SELECT size FROM messages WHERE conversation = 'byVisitorAAAAAAAAAAAAA'"
    expected = 300 + len('[{"type":"text","text":"Wie süß"}]'.encode())

    def size() -> object:
        if old.url:
            with psycopg.connect(old.url) as connection:
                return connection.execute(statement.encode()).fetchall()[0][0]
        with sqlite3.connect(old.folder / "freshet.db") as connection:
            return connection.execute(statement).fetchall()[0][0]

    within(renamed(old), 10, "the database, opened")
    assert size() == expected


# A release phase migrates under running servers.


def newer(postgres: Postgres, url: str, oldest: str | None) -> None:
    """Make the database one of a later version, which says who can work with it."""
    postgres.execute("UPDATE alembic_version SET version_num = '9999'", url)
    if oldest is not None:
        postgres.execute(f"INSERT INTO compatibility VALUES ('9999', '{oldest}')", url)


def test_a_newer_revision_that_says_it_is_compatible_is_accepted(
    start: Start, postgres: Postgres, migrated: Callable[[], str]
) -> None:
    url = migrated()
    before = start(FRESHET_PUBLIC="true", DATABASE_URL=url)
    visitor = Device(before.address)
    visitor.open()
    name = visitor.converse()
    newer(postgres, url, "0003")
    assert visitor.listed() == {name}, "a running server goes on"
    after = start(FRESHET_PUBLIC="true", DATABASE_URL=url)
    visitor.address = after.address
    assert visitor.listed() == {name}
    assert visitor.ask("On", conversation=name) == "Hello"
    done = freshet("migrate", DATABASE_URL=url)
    assert (done.returncode, "up to date already" in done.stdout) == (0, True)


@pytest.mark.parametrize("oldest", [None, "0004"])
def test_one_that_does_not_say_so_is_not_touched(
    start: Start, postgres: Postgres, migrated: Callable[[], str], oldest: str | None
) -> None:
    url = migrated()
    newer(postgres, url, oldest)
    server = start(FRESHET_PUBLIC="true", DATABASE_URL=url, SECRET_KEY=SECRET_KEY)
    visitor = Device(server.address)
    visitor.open()
    assert visitor.do("GET", "/conversations")[0] == 503
    assert visitor.ask() == "Hello", "the chat goes on"
    assert "other tables than this version" in server.wait_log("other tables than this version")


def test_the_same_on_sqlite(start: Start, tmp_path: Path) -> None:
    database = Database(None, str(tmp_path))
    database.open()
    database.close()
    with sqlite3.connect(tmp_path / "freshet.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("INSERT INTO compatibility VALUES ('9999', '0003')")
    connection.close()
    server = start(FRESHET_LOCAL="true", FRESHET_DATA_DIR=str(tmp_path))
    person = Device(server.address)
    name = person.converse()
    assert person.listed() == {name}
