"""Alembic's environment. `migrate.py` passes the connection, and owns the transaction and the lock."""

from __future__ import annotations

from alembic import context

from webapp.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite can change most things of a table only by rebuilding it
    transactional_ddl=False,  # the caller has begun the transaction
)
context.run_migrations()
