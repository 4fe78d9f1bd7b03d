"""Count what callers do over all workers: starts, new visitors, wrong passwords. Only adds a table."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_OLDEST = "0002"  # the code of that revision works with this table as well; it counts in each worker


def upgrade() -> None:
    """Create the counters."""
    op.create_table(
        "rate_counters",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("rate_counters_by_expiry", "rate_counters", ["expires_at"])
    table = sa.table("compatibility", sa.column("revision"), sa.column("oldest"))
    op.bulk_insert(table, [{"revision": revision, "oldest": _OLDEST}])


def downgrade() -> None:
    """Drop the counters."""
    table = sa.table("compatibility", sa.column("revision"), sa.column("oldest"))
    op.execute(table.delete().where(table.c.revision == revision))
    op.drop_table("rate_counters")
