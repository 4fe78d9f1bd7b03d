"""Migrations: from every revision, on both databases, and by several processes at once."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from webapp.sql import file_lock
from webapp.store.database import Database, DatabaseUnavailable
from webapp.store.migrate import revision, upgrade
from webapp.store.schema import HEAD, metadata

ROOT = Path(__file__).resolve().parents[2]


def scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(files("webapp.store").joinpath("migrations")))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


REVISIONS = [script.revision for script in reversed(list(scripts().walk_revisions()))]


def in_transaction(database: Database, work: Any) -> Any:
    """Run `work` in a transaction without `Database.open`, which would migrate SQLite."""
    engine = database._make_engine()
    try:
        with engine.connect().execution_options(freshet_write=True) as connection, connection.begin():
            return work(connection)
    finally:
        engine.dispose()


def test_there_is_one_line_of_revisions_and_head_is_its_last() -> None:
    assert scripts().get_heads() == [HEAD]
    assert REVISIONS[-1] == HEAD


def test_an_empty_database_is_migrated_to_the_tables_of_schema_py(empty: Database) -> None:
    assert in_transaction(empty, upgrade) is True

    def is_described(item: Any, name: str | None, kind: str, *_: object) -> bool:
        table = name if kind == "table" else item.table.name
        return not (table or "").startswith(
            ("passage_words", "passage_vocabulary")
        )  # in each database's own form

    def differences(connection: Connection) -> list[Any]:
        options = {"include_object": is_described}
        return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)

    assert in_transaction(empty, differences) == []
    assert in_transaction(empty, revision) == HEAD


def test_a_second_upgrade_does_nothing(empty: Database) -> None:
    assert in_transaction(empty, upgrade) is True
    assert in_transaction(empty, upgrade) is False
    assert in_transaction(empty, revision) == HEAD


@pytest.mark.parametrize("first", REVISIONS)
def test_rows_survive_the_upgrade_from_every_revision(empty: Database, first: str) -> None:
    """The rows have the columns of revision 0001."""

    def fill(connection: Connection) -> None:
        upgrade(connection, first)
        connection.execute(
            text(
                "INSERT INTO conversations (id, owner, title, folded, created_at, updated_at)"
                " VALUES ('c', 'o', 'Title', 'title', 1, 2)"
            )
        )
        connection.execute(
            text(
                "INSERT INTO messages (conversation, id, role, content, folded, state, created_at)"
                " VALUES ('c', 'm', 'user', '[]', '', 'done', 3)"
            )
        )

    in_transaction(empty, fill)
    in_transaction(empty, upgrade)
    rows = in_transaction(
        empty,
        lambda c: c.execute(
            text("SELECT title, m.id FROM conversations c JOIN messages m ON m.conversation = c.id")
        ).all(),
    )
    assert [tuple(row) for row in rows] == [("Title", "m")]
    assert in_transaction(empty, revision) == HEAD


def test_a_failed_migration_leaves_nothing_behind(empty: Database) -> None:
    def fail(connection: Connection) -> None:
        upgrade(connection)
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        in_transaction(empty, fail)
    assert in_transaction(empty, revision) is None


def test_many_processes_can_open_one_file_at_once(tmp_path: Path) -> None:
    script = (
        "import sys; from webapp.store.database import Database;"
        "d = Database(None, sys.argv[1]); d.open(); print(d.state); d.close()"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / "data")],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in processes:
        stdout, stderr = process.communicate(timeout=30)
        assert (stdout.strip(), process.returncode) == ("ready", 0), stderr


def test_opening_a_file_waits_for_a_running_migration(tmp_path: Path) -> None:
    database = Database(None, str(tmp_path))
    with ThreadPoolExecutor(1) as pool:
        with file_lock(tmp_path / "freshet.db.lock"):
            opened = pool.submit(database.open)
            with pytest.raises(TimeoutError):
                opened.result(0.5)
            assert not (tmp_path / "freshet.db").exists() or in_transaction(database, revision) is None
        opened.result(10)
    assert database.state == "ready"
    database.close()


def test_concurrent_migrations_of_one_postgres_run_once(postgres: Any) -> None:
    url = postgres.new_url()
    databases = [Database(url, "unused") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        changed = list(pool.map(Database.migrate, databases))
    assert sorted(changed) == [False, False, False, True]


def test_opening_an_outdated_postgres_fails_and_names_the_command(
    postgres: Any, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(postgres.new_url(), "unused")
    with pytest.raises(DatabaseUnavailable) as raised:
        database.open()
    assert (raised.value.code, database.state) == ("store_outdated", "outdated")
    assert "freshet migrate" in caplog.text
    database.migrate()
    database.open()
    assert database.state == "ready"
    database.close()


@pytest.mark.parametrize(("url", "code"), [(False, 0), (True, 0), ("postgres://127.0.0.1:1/none", 1)])
def test_freshet_migrate_prints_one_line_and_exits(
    postgres: Any, tmp_path: Path, url: bool | str, code: int
) -> None:
    address = postgres.new_url() if url is True else url
    env = {"PATH": "", "HOME": str(tmp_path)} | ({"DATABASE_URL": address} if address else {})
    for _ in range(2):  # a host's release phase may run it again
        result = subprocess.run(
            [sys.executable, "-m", "webapp", "migrate"],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert result.returncode == code, result.stderr
        assert len((result.stdout + result.stderr).strip().splitlines()) == 1
