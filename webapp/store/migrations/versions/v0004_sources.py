"""Add the sources that an answer cites."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_OLDEST = "0002"  # the code of that revision works with this column as well


def upgrade() -> None:
    """Add the column; it stays empty for existing answers."""
    op.add_column("messages", sa.Column("sources", sa.Text()))
    table = sa.table("compatibility", sa.column("revision"), sa.column("oldest"))
    op.bulk_insert(table, [{"revision": revision, "oldest": _OLDEST}])


def downgrade() -> None:
    """Drop the column."""
    table = sa.table("compatibility", sa.column("revision"), sa.column("oldest"))
    op.execute(table.delete().where(table.c.revision == revision))
    op.drop_column("messages", "sources")
