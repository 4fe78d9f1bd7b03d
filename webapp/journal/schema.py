"""The journal's tables, the same in SQLite and Postgres, and the check that they are this version's.

While a new version is deployed, and where it is rolled back, servers of two versions share the journal. So the tables name
each version whose code can work with them. A later version that only adds (a table; a column that is nullable or has a default)
adds to the tables that it finds, and its row to `journal_version`. One that changes anything else, such as the kinds of frames
that are stored, takes tables of other names: the answers of each version then stay with its own servers. They are of
the last minutes only, so nothing is copied. Times are seconds since 1970.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    inspect,
    text,
)
from sqlalchemy import Connection as SqlConnection

VERSION = 1
_ADVISORY_LOCK = 7_305_401_828  # an arbitrary number, the same in every process that creates the tables

metadata = MetaData()

version = Table("journal_version", metadata, Column("version", Integer, nullable=False))

runs = Table(
    "journal_runs",
    metadata,
    Column("run", Text, primary_key=True),
    Column("owner", Text),
    Column("fingerprint", Text, nullable=False),
    Column("conversation", Text),
    Column("worker", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("takeovers", Integer, nullable=False),
    Column("stop", Text),
    Column("temporary", Boolean, nullable=False),
    Column("began_at", Double, nullable=False),
    Column("read_at", Double, nullable=False),
    Column("ended_at", Double),  # null while it is running
    Column("start", LargeBinary, nullable=False),
    Column("request", LargeBinary, nullable=False),
)
_is_running = runs.c.ended_at.is_(None)
Index("journal_runs_of_worker", runs.c.worker, sqlite_where=_is_running, postgresql_where=_is_running)
Index("journal_runs_of_owner", runs.c.owner)
Index("journal_runs_by_end", runs.c.ended_at)

# A run's last stored frame is its newest group's `last_seq`. It is not a column of the run, because each group would then
# rewrite the run's row with its request. Groups of older epochs are deleted with a takeover.
groups = Table(
    "journal_groups",
    metadata,
    Column("run", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("size", Integer, nullable=False),  # of `frames`, so that a read can stay within its limit
    Column("frames", LargeBinary, nullable=False),
    PrimaryKeyConstraint("run", "epoch", "last_seq"),
)

leases = Table(
    "journal_leases",
    metadata,
    Column("worker", Text, primary_key=True),
    Column("expires_at", Double, nullable=False),
)


class OtherVersion(Exception):
    """This version's code cannot work with the tables."""


def is_created(connection: SqlConnection) -> bool:
    """Return whether the tables exist. Raises `OtherVersion`."""
    names = inspect(connection).get_table_names()
    if version.name not in names:
        return False
    found = connection.execute(text("SELECT version FROM journal_version")).scalars().all()
    if VERSION not in found:
        raise OtherVersion(f"the journal is for the versions {found}, not {VERSION}")
    return all(name in names for name in metadata.tables)


def create(connection: SqlConnection) -> None:
    """Create the tables in the connection's transaction, unless another process does. Raises `OtherVersion`."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    if not is_created(connection):
        metadata.create_all(connection)
        connection.execute(text("DELETE FROM journal_version"))
        connection.execute(version.insert().values(version=VERSION))
