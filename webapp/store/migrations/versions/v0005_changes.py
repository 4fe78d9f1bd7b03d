"""Number the changes of each owner's conversations, for the feed of changes. Only adds a table and a column."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_OLDEST = "0002"  # the code of that revision works with these tables as well; its changes get no number


def upgrade() -> None:
    """Create the counters and the column; what has not changed since has number 0."""
    op.create_table(
        "change_counters",
        sa.Column("owner", sa.Text(), primary_key=True),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("oldest", sa.BigInteger(), nullable=False),
    )
    op.add_column("conversations", sa.Column("changed", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_index("conversations_by_change", "conversations", ["owner", "changed"])
    table = sa.table("compatibility", sa.column("revision"), sa.column("oldest"))
    op.bulk_insert(table, [{"revision": revision, "oldest": _OLDEST}])


def downgrade() -> None:
    """Drop the column and the counters."""
    table = sa.table("compatibility", sa.column("revision"), sa.column("oldest"))
    op.execute(table.delete().where(table.c.revision == revision))
    op.drop_index("conversations_by_change")
    op.drop_column("conversations", "changed")
    op.drop_table("change_counters")
