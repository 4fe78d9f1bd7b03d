"""Migrate a database to the newest revision: Postgres by `freshet migrate`, SQLite whenever it is opened."""

from __future__ import annotations

from importlib.resources import files
from typing import Literal

from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.exc import DBAPIError

from webapp.store.schema import HEAD, compatibility

Fit = Literal["same", "newer", "other"]

_ADVISORY_LOCK = 7_305_401_827  # an arbitrary number, the same in every process that migrates


def revision(connection: Connection) -> str | None:
    """Return the database's revision; None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def compare(connection: Connection) -> Fit:
    """Return how the tables fit this code: they have its revision, a newer one that is marked as compatible with it, or another."""
    found = revision(connection)
    if found is None or found <= HEAD:
        return "same" if found == HEAD else "other"
    query = select(compatibility.c.oldest).where(compatibility.c.revision == found)
    try:
        oldest: str | None = connection.execute(query).scalar()
    except DBAPIError:  # a later version may have dropped or changed this table
        return "other"
    return "newer" if oldest is not None and oldest <= HEAD else "other"


def upgrade(connection: Connection, target: str = "head") -> bool:
    """Migrate within the connection's transaction; return whether there was anything to do.

    A database of a newer revision stays unchanged.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    if target == "head" and (revision(connection) or "") >= HEAD:
        return False  # loading Alembic takes a tenth of a second, and it fails on an unknown revision
    from alembic import command  # noqa: PLC0415  (rarely needed, and slow to load)
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(files("webapp.store").joinpath("migrations")))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, target)
    return True
