"""The tables come to be step by step, from any step, on both databases, and from several processes at once."""

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

from webapp.store.database import Away, Database
from webapp.store.migrate import file_lock, revision, upgrade
from webapp.store.schema import HEAD, metadata

ROOT = Path(__file__).resolve().parents[2]


def scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(files("webapp.store").joinpath("migrations")))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


REVISIONS = [script.revision for script in reversed(list(scripts().walk_revisions()))]


def within(database: Database, work: Any) -> Any:
    """Do something in a transaction, without the opening that brings SQLite up to date."""
    engine = database._made()
    try:
        with engine.connect().execution_options(freshet_write=True) as connection, connection.begin():
            return work(connection)
    finally:
        engine.dispose()


def test_the_head_is_the_last_of_one_line() -> None:
    assert scripts().get_heads() == [HEAD]
    assert REVISIONS[-1] == HEAD


def test_from_empty_to_the_tables_as_the_code_knows_them(empty: Database) -> None:
    assert within(empty, upgrade) is True

    def differences(connection: Connection) -> list[Any]:
        return compare_metadata(MigrationContext.configure(connection), metadata)

    assert within(empty, differences) == []
    assert within(empty, revision) == HEAD


def test_twice_does_nothing_the_second_time(empty: Database) -> None:
    assert within(empty, upgrade) is True
    assert within(empty, upgrade) is False
    assert within(empty, revision) == HEAD


@pytest.mark.parametrize("first", REVISIONS)
def test_from_every_revision_on_what_was_there_stays(empty: Database, first: str) -> None:
    """Rows of the first revision's form, which later ones must carry on."""

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

    within(empty, fill)
    within(empty, upgrade)
    rows = within(
        empty,
        lambda c: c.execute(
            text("SELECT title, m.id FROM conversations c JOIN messages m ON m.conversation = c.id")
        ).all(),
    )
    assert [tuple(row) for row in rows] == [("Title", "m")]
    assert within(empty, revision) == HEAD


def test_a_failed_migration_leaves_nothing_behind(empty: Database) -> None:
    def fail(connection: Connection) -> None:
        upgrade(connection)
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        within(empty, fail)
    assert within(empty, revision) is None


def test_many_processes_open_one_file_at_once(tmp_path: Path) -> None:
    script = (
        "import sys; from webapp.store.database import Database;"
        "d = Database(None, sys.argv[1]); d.open(); print(d.state); d.close()"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / "data")],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in started:
        said, complained = process.communicate(timeout=30)
        assert (said.strip(), process.returncode) == ("ready", 0), complained


def test_who_opens_a_file_waits_for_whoever_migrates_it(tmp_path: Path) -> None:
    database = Database(None, str(tmp_path))
    with ThreadPoolExecutor(1) as pool:
        with file_lock(tmp_path / "freshet.db.lock"):
            opened = pool.submit(database.open)
            with pytest.raises(TimeoutError):
                opened.result(0.5)
            assert not (tmp_path / "freshet.db").exists() or within(database, revision) is None
        opened.result(10)
    assert database.state == "ready"
    database.close()


def test_many_migrate_one_postgres_at_once(postgres: Any) -> None:
    url = postgres.new_url()
    databases = [Database(url, "unused") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        changed = list(pool.map(Database.migrate, databases))
    assert sorted(changed) == [False, False, False, True]


def test_a_server_does_not_migrate_postgres_by_itself_and_says_what_to_do(
    postgres: Any, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(postgres.new_url(), "unused")
    with pytest.raises(Away) as away:
        database.open()
    assert (away.value.code, database.state) == ("store_outdated", "outdated")
    assert "freshet migrate" in caplog.text
    database.migrate()
    database.open()
    assert database.state == "ready"
    database.close()


@pytest.mark.parametrize(("url", "code"), [(False, 0), (True, 0), ("postgres://127.0.0.1:1/none", 1)])
def test_freshet_migrate(postgres: Any, tmp_path: Path, url: bool | str, code: int) -> None:
    address = postgres.new_url() if url is True else url
    env = {"PATH": "", "HOME": str(tmp_path)} | ({"DATABASE_URL": address} if address else {})
    for _ in range(2):  # a release phase may run it again
        done = subprocess.run(
            [sys.executable, "-m", "webapp", "migrate"],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == code, done.stderr
        assert len((done.stdout + done.stderr).strip().splitlines()) == 1
