"""Add users, sessions, values shared between servers, and message sizes. Only adds tables and columns."""

from __future__ import annotations

import time

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_OLDEST = "0002"  # the code of that revision works with these tables as well
_TABLES = ("compatibility", "shared_values", "moves", "sessions", "users")


def upgrade() -> None:
    """Create the tables, the one user, and the record of compatible revisions."""
    users = op.create_table(
        "users",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    _create_sessions()
    op.create_table(
        "moves",
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "shared_values",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
    )
    compatibility = op.create_table(
        "compatibility",
        sa.Column("revision", sa.Text(), primary_key=True),
        sa.Column("oldest", sa.Text(), nullable=False),
    )
    _add_sizes()
    op.bulk_insert(users, [{"id": "owner", "name": "owner", "created_at": int(time.time() * 1000)}])
    op.bulk_insert(compatibility, [{"revision": revision, "oldest": _OLDEST}])


def downgrade() -> None:
    """Drop the tables and the column."""
    for table in _TABLES:
        op.drop_table(table)
    op.drop_index("messages_by_size")
    op.drop_column("messages", "size")


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("token", sa.Text(), nullable=False, unique=True),
        sa.Column("user", sa.Text(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("credential", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("sessions_of_user", "sessions", ["user", "seen_at"])


def _add_sizes() -> None:
    """Store each message's size, so that an owner's storage can be summed quickly."""
    op.add_column("messages", sa.Column("size", sa.Integer(), nullable=False, server_default="0"))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("UPDATE messages SET size = 300 + octet_length(content) + octet_length(reasoning)")
    else:
        op.execute(
            "UPDATE messages SET size = 300 + length(CAST(content AS BLOB)) + length(CAST(reasoning AS BLOB))"
        )
    op.create_index("messages_by_size", "messages", ["conversation", "size"])
