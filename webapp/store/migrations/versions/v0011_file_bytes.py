"""Add the size of the file that a document was read from, which people know it by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_OLDEST = "0002"  # the code of that revision works with this column as well


def upgrade() -> None:
    """Add the column; 0 is for the documents that are there."""
    op.add_column("documents", sa.Column("file_bytes", sa.Integer(), nullable=False, server_default="0"))
    table = sa.table("compatibility", sa.column("revision"), sa.column("oldest"))
    op.bulk_insert(table, [{"revision": revision, "oldest": _OLDEST}])


def downgrade() -> None:
    """Drop the column."""
    table = sa.table("compatibility", sa.column("revision"), sa.column("oldest"))
    op.execute(table.delete().where(table.c.revision == revision))
    op.drop_column("documents", "file_bytes")
