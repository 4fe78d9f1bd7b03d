"""Add the sealed reasoning of an answer that was cut off, which its provider gets back when it continues the answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_OLDEST = "0002"  # the code of that revision works with this column as well


def upgrade() -> None:
    """Add the column; it stays empty for existing answers."""
    op.add_column("messages", sa.Column("sealed", sa.Text()))
    table = sa.table("compatibility", sa.column("revision"), sa.column("oldest"))
    op.bulk_insert(table, [{"revision": revision, "oldest": _OLDEST}])


def downgrade() -> None:
    """Drop the column."""
    table = sa.table("compatibility", sa.column("revision"), sa.column("oldest"))
    op.execute(table.delete().where(table.c.revision == revision))
    op.drop_column("messages", "sealed")
