"""Brings a database to the newest revision: Postgres when told to, SQLite whenever it is opened."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.exc import DBAPIError

from webapp.store.schema import HEAD, compatibility

_ADVISORY_LOCK = 7_305_401_827  # any number, the same for all that migrate this database


def revision(connection: Connection) -> str | None:
    """Name the revision that a database is at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def works_with(connection: Connection) -> bool:
    """Return whether this code can work with the database's tables: they are its own, or newer and say so."""
    found = revision(connection)
    if found is None or found <= HEAD:
        return found == HEAD
    chosen = select(compatibility.c.oldest).where(compatibility.c.revision == found)
    try:
        oldest: str | None = connection.execute(chosen).scalar()
    except DBAPIError:  # a later version may keep its note elsewhere
        return False
    return oldest is not None and oldest <= HEAD


def upgrade(connection: Connection, target: str = "head") -> bool:
    """Migrate within the connection's transaction; returns whether there was anything to do.

    A database of a newer revision is left as it is.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    if target == "head" and (revision(connection) or "") >= HEAD:
        return False  # what Alembic would find out in a tenth of a second, or not at all
    from alembic import command  # noqa: PLC0415  (rarely needed, and slow to load)
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(files("webapp.store").joinpath("migrations")))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, target)
    return True


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold a lock between processes for as long as the `with` lasts; waits for whoever has it.

    The system gives it back when a process dies. It blocks, so it is for a thread of the system's.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
