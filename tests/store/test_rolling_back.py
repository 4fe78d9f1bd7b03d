"""What a migration may do, so that the version before it still works with the database, and says truly whether it does."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, text

from tests.store.test_migrations import REVISIONS, in_transaction
from webapp.store.database import Database, DatabaseUnavailable
from webapp.store.migrate import upgrade

FIRST_WITH_RECORD = "0003"  # the revision that created the table `compatibility`


def snapshot(connection: Connection) -> dict[str, Any]:
    """Return the tables with what may stop the code of another revision from reading or writing them."""
    found, looking = {}, inspect(connection)
    for table in looking.get_table_names():
        found[table] = {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"], column["default"] is not None)
                for column in looking.get_columns(table)
            },
            "key": looking.get_pk_constraint(table)["constrained_columns"],
            "unique": sorted(
                tuple(index["column_names"]) for index in looking.get_indexes(table) if index["unique"]
            ),
            "references": sorted(
                (tuple(key["constrained_columns"]), key["referred_table"])
                for key in looking.get_foreign_keys(table)
            ),
            "checks": sorted(check["sqltext"] for check in looking.get_check_constraints(table)),
        }
    return found


def changes_of(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """Yield what a migration changes but by adding: the code of the revision before it would not work any more."""
    for table, old in before.items():
        if table not in after:
            yield f"{table} is dropped"
            continue
        new = after[table]
        for column, kind in old["columns"].items():
            if new["columns"].get(column) != kind:
                yield f"{table}.{column} is changed"
        for column in new["columns"].keys() - old["columns"].keys():
            _, nullable, has_default = new["columns"][column]
            if not (nullable or has_default):
                yield f"{table}.{column} needs a value"
        for rule in ("key", "unique", "references", "checks"):
            if new[rule] != old[rule]:
                yield f"the {rule} of {table} is changed"


def migrate_stepwise(database: Database) -> dict[str, list[str]]:
    """Migrate by one revision after the other; return what each changes but by adding."""
    changed, before = {}, in_transaction(database, snapshot)
    for revision in REVISIONS:
        in_transaction(database, lambda connection, revision=revision: upgrade(connection, revision))
        after = in_transaction(database, snapshot)
        changed[revision] = list(changes_of(before, after))
        before = after
    return changed


def test_each_revision_says_which_code_works_with_it(empty: Database) -> None:
    changed = migrate_stepwise(empty)
    rows = in_transaction(
        empty, lambda connection: connection.execute(text("SELECT revision, oldest FROM compatibility")).all()
    )
    oldest = dict(map(tuple, rows))
    assert list(oldest) == [revision for revision in REVISIONS if revision >= FIRST_WITH_RECORD]
    for revision, first in oldest.items():
        later = [one for one in REVISIONS if first < one <= revision]
        assert {one: changed[one] for one in later if changed[one]} == {}, f"{revision} names {first}"


@pytest.mark.parametrize(
    ("statement", "change"),
    [
        ("DROP TABLE shares", "shares is dropped"),
        ("ALTER TABLE messages DROP COLUMN thought_ms", "messages.thought_ms is changed"),
        ("ALTER TABLE messages RENAME COLUMN cost TO price", "messages.cost is changed"),
        ("CREATE UNIQUE INDEX only_one ON shares (conversation)", "the unique of shares is changed"),
        ("ALTER TABLE messages ADD COLUMN later TEXT", None),
        ("ALTER TABLE messages ADD COLUMN later INTEGER NOT NULL DEFAULT 0", None),
        ("CREATE INDEX by_cost ON messages (cost)", None),
        ("CREATE TABLE later (id TEXT PRIMARY KEY)", None),
    ],
)
def test_what_is_more_than_an_addition_is_found(empty: Database, statement: str, change: str | None) -> None:
    in_transaction(empty, upgrade)
    before = in_transaction(empty, snapshot)
    in_transaction(empty, lambda connection: connection.execute(text(statement)))
    found = list(changes_of(before, in_transaction(empty, snapshot)))
    assert found == ([] if change is None else [change])


def test_migrating_a_database_that_this_version_cannot_use_fails_and_names_its_revision(
    postgres: Any,
) -> None:
    database = Database(postgres.new_url(), "unused")
    database.migrate()
    in_transaction(
        database,
        lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'")),
    )
    with pytest.raises(DatabaseUnavailable, match="9999"):
        database.migrate()
    database.close()
