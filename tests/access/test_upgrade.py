"""Upgrading from version 0.1: each of its database revisions, its cookie, and `freshet users adopt`."""

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
from tests.access.device import PASSWORD, SECRET_KEY, Device, wait_within
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.postgres import Postgres
from tests.support.script import Answer
from tests.support.server import ROOT
from tests.unit.test_cookies import legacy_cookie
from webapp.store.database import Database
from webapp.store.migrate import upgrade

REVISIONS = ("0001", "0002")
VISITOR = "visitor-of-version-0-1"


def legacy_owner(token: str) -> str:
    """Return the owner that version 0.1 stored for a bearer token."""
    return "key:" + hashlib.sha256(token.encode()).hexdigest()[:32]


OWNERS = {
    "byPasswordAAAAAAAAAAAA": legacy_owner(PASSWORD),
    "byAnotherTokenAAAAAAAA": legacy_owner("another token"),
    "byVisitorAAAAAAAAAAAAA": f"visitor:{VISITOR}",
    "byOtherVisitorAAAAAAAA": "visitor:somebody-else-entirely",
}


class LegacyDatabase:
    """A database with the data of version 0.1."""

    def __init__(self, url: str | None, folder: Path) -> None:
        self.url = url
        self.folder = folder

    @property
    def env(self) -> dict[str, str]:
        found = {"FRESHET_DATA_DIR": str(self.folder), "SECRET_KEY": SECRET_KEY}
        return found | ({"DATABASE_URL": self.url} if self.url else {})

    def fill(self, revision: str) -> None:
        """Create the tables of a revision, with a shared conversation of each owner."""
        database = Database(self.url, str(self.folder))
        engine = database._make_engine()
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
        """Run `freshet migrate`, as a release phase does; with SQLite it changes nothing."""
        done = freshet("migrate", **self.env)
        assert done.returncode == 0, done.stderr

    def owners(self, table: str = "conversations") -> dict[str, str]:
        """Return the owner of each row."""
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
    params=[(kind, revision) for kind in ("sqlite", "postgres") for revision in REVISIONS], ids="-".join
)
def old(request: pytest.FixtureRequest, postgres: Postgres, tmp_path: Path) -> LegacyDatabase:
    kind, revision = request.param
    (tmp_path / "data").mkdir()
    found = LegacyDatabase(postgres.new_url() if kind == "postgres" else None, tmp_path / "data")
    found.fill(revision)
    found.migrate()
    return found


def owners_renamed(old: LegacyDatabase) -> Callable[[], bool]:
    return lambda: not any(owner.startswith("key:") for owner in old.owners().values())


def test_conversations_stored_with_the_password_belong_to_the_user(old: LegacyDatabase, start: Start) -> None:
    server = start(FRESHET_ACCESS_PASSWORD=PASSWORD, **old.env)
    wait_within(owners_renamed(old), 10, "the owners to be renamed")
    person = Device(server.address)
    assert person.sign_in() == 303
    assert person.conversation_ids() == {"byPasswordAAAAAAAAAAAA"}
    assert person.messages("byPasswordAAAAAAAAAAAA")[0]["content"][0]["text"] == "Wie süß"
    assert person.json("GET", "/conversations/byPasswordAAAAAAAAAAAA/share")["shared_at"] == 4
    assert person.ask("On", conversation="byPasswordAAAAAAAAAAAA") == "Hello"


def test_plain_digests_of_tokens_are_removed_from_the_database(old: LegacyDatabase, start: Start) -> None:
    start(FRESHET_ACCESS_PASSWORD=PASSWORD, **old.env)
    wait_within(owners_renamed(old), 10, "the owners to be renamed")
    for token in (PASSWORD, "another token"):
        assert hashlib.sha256(token.encode()).hexdigest()[:32] not in old.dump()
    assert len(old.owners()) == len(OWNERS), "nothing is lost"
    assert old.owners()["byAnotherTokenAAAAAAAA"].startswith("token:")
    assert old.owners("shares") == old.owners()


def test_a_visitor_is_recognized_by_the_legacy_cookie(old: LegacyDatabase, start: Start) -> None:
    server = start(FRESHET_PUBLIC="true", **old.env)
    visitor = Device(server.address)
    visitor.cookies["freshet"] = legacy_cookie({"_permanent": True, "visitor": VISITOR}, SECRET_KEY)
    assert visitor.conversation_ids() == {"byVisitorAAAAAAAAAAAAA"}
    assert visitor.open() == 200
    assert "freshet-visitor" in visitor.cookies, "the current cookie is set"
    del visitor.cookies["freshet"]
    assert visitor.conversation_ids() == {"byVisitorAAAAAAAAAAAAA"}
    forged = Device(server.address)
    forged.cookies["freshet"] = legacy_cookie({"visitor": VISITOR}, "another secret")
    assert forged.request("GET", "/conversations")[0] == 401


@pytest.mark.parametrize("env", [{"FRESHET_ACCESS_PASSWORD": PASSWORD}, {"FRESHET_LOCAL": "true"}])
def test_the_user_can_move_the_conversations_of_the_legacy_cookie(
    old: LegacyDatabase, start: Start, env: dict[str, str]
) -> None:
    server = start(**old.env, **env)
    person = Device(server.address)
    person.cookies["freshet"] = legacy_cookie({"visitor": VISITOR, "pass": "x" * 32}, SECRET_KEY)
    if "FRESHET_ACCESS_PASSWORD" in env:
        assert person.request("GET", "/conversations")[0] == 401, (
            "the legacy cookie cannot be revoked, so it signs nobody in"
        )
        assert person.sign_in() == 303
    assert person.json("GET", "/visitor") == {"conversations": 1}
    assert person.json("POST", "/visitor/move") == {"moved": 1}
    assert "byVisitorAAAAAAAAAAAAA" in person.conversation_ids()
    assert "freshet" not in person.cookies


def test_users_adopt_lists_and_moves_conversations(old: LegacyDatabase, start: Start) -> None:
    env = old.env | {"FRESHET_ACCESS_PASSWORD": PASSWORD}
    listed = freshet("users", "adopt", **env)
    assert listed.returncode == 0, listed.stderr
    for owner in ("visitor:somebody-else-entirely", f"visitor:{VISITOR}", "token:"):
        assert owner in listed.stdout
    assert legacy_owner(PASSWORD) not in listed.stdout
    unknown = freshet("users", "adopt", "visitor:nobody", **env)
    assert (unknown.returncode, "visitor:nobody" in unknown.stderr) == (2, True)
    one = freshet("users", "adopt", "visitor:somebody-else-entirely", **env)
    assert (one.returncode, one.stdout) == (0, "visitor:somebody-else-entirely: 1 conversation moved\n")
    everything = freshet("users", "adopt", "--all", **env)
    assert everything.returncode == 0
    assert set(old.owners().values()) == set(old.owners("shares").values()) == {"user:owner"}
    again = freshet("users", "adopt", **env)
    assert "no conversations to move" in again.stdout
    server = start(FRESHET_ACCESS_PASSWORD=PASSWORD, **old.env)
    person = Device(server.address)
    assert person.sign_in() == 303
    assert person.conversation_ids() == set(OWNERS)


def test_stored_messages_get_their_size(old: LegacyDatabase, start: Start) -> None:
    start(FRESHET_ACCESS_PASSWORD=PASSWORD, **old.env)
    statement = "SELECT size FROM messages WHERE conversation = 'byVisitorAAAAAAAAAAAAA'"
    expected = 300 + len('[{"type":"text","text":"Wie süß"}]'.encode())

    def size() -> object:
        if old.url:
            with psycopg.connect(old.url) as connection:
                return connection.execute(statement.encode()).fetchall()[0][0]
        with sqlite3.connect(old.folder / "freshet.db") as connection:
            return connection.execute(statement).fetchall()[0][0]

    wait_within(owners_renamed(old), 10, "the database to be opened")
    assert size() == expected


# A release phase migrates while servers are running.


def mark_newer(postgres: Postgres, url: str, oldest: str | None) -> None:
    """Mark the database as migrated by a later version, compatible with `oldest` and newer ones."""
    postgres.execute("UPDATE alembic_version SET version_num = '9999'", url)
    if oldest is not None:
        postgres.execute(f"INSERT INTO compatibility VALUES ('9999', '{oldest}')", url)


def test_a_newer_compatible_revision_is_accepted(
    start: Start, postgres: Postgres, new_migrated_url: Callable[[], str]
) -> None:
    url = new_migrated_url()
    before = start(FRESHET_PUBLIC="true", DATABASE_URL=url)
    visitor = Device(before.address)
    visitor.open()
    name = visitor.create_conversation()
    mark_newer(postgres, url, "0003")
    assert visitor.conversation_ids() == {name}, "a running server continues"
    after = start(FRESHET_PUBLIC="true", DATABASE_URL=url)
    visitor.address = after.address
    assert visitor.conversation_ids() == {name}
    assert visitor.ask("On", conversation=name) == "Hello"
    done = freshet("migrate", DATABASE_URL=url)
    assert (done.returncode, "already up to date" in done.stdout) == (0, True)


@pytest.mark.parametrize("oldest", [None, "9998"])
def test_a_newer_incompatible_revision_is_not_touched(
    start: Start, postgres: Postgres, new_migrated_url: Callable[[], str], oldest: str | None
) -> None:
    url = new_migrated_url()
    mark_newer(postgres, url, oldest)
    server = start(FRESHET_PUBLIC="true", DATABASE_URL=url, SECRET_KEY=SECRET_KEY)
    visitor = Device(server.address)
    visitor.open()
    assert visitor.request("GET", "/conversations")[0] == 503
    assert visitor.ask() == "Hello", "chatting still works"
    assert "not those of this version" in server.wait_log("not those of this version")


def test_a_newer_compatible_revision_is_accepted_on_sqlite(start: Start, tmp_path: Path) -> None:
    database = Database(None, str(tmp_path))
    database.open()
    database.close()
    with sqlite3.connect(tmp_path / "freshet.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("INSERT INTO compatibility VALUES ('9999', '0003')")
    connection.close()
    server = start(FRESHET_LOCAL="true", FRESHET_DATA_DIR=str(tmp_path))
    person = Device(server.address)
    name = person.create_conversation()
    assert person.conversation_ids() == {name}
