"""Keep keys and their values, and which run answers in a chat of another program. Only adds tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_OLDEST = "0002"  # the code of that revision works beside these tables; it knows no keys


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "keys",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("origins", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "key_values",
        sa.Column("token", sa.Text(), primary_key=True),
        sa.Column("key", sa.Text(), sa.ForeignKey("keys.id", ondelete="CASCADE"), nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger()),
    )
    op.create_index("key_values_of_key", "key_values", ["key"])
    op.create_table(
        "chat_runs",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("chat_runs_by_age", "chat_runs", ["created_at"])
    table = sa.table("compatibility", sa.column("revision"), sa.column("oldest"))
    op.bulk_insert(table, [{"revision": revision, "oldest": _OLDEST}])


def downgrade() -> None:
    """Drop the tables."""
    table = sa.table("compatibility", sa.column("revision"), sa.column("oldest"))
    op.execute(table.delete().where(table.c.revision == revision))
    op.drop_table("chat_runs")
    op.drop_table("key_values")
    op.drop_table("keys")
