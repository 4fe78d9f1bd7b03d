"""Create conversations, messages, images and share links."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _create_conversations()
    _create_messages()
    _create_images()
    _create_shares()


def downgrade() -> None:
    """Drop the tables."""
    for table in ("shares", "images", "messages", "conversations"):
        op.drop_table(table)


def _create_conversations() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("system", sa.Text()),
        sa.Column("leaf", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger()),
    )
    op.create_index("conversations_of_owner", "conversations", ["owner", "updated_at", "id"])


def _create_messages() -> None:
    op.create_table(
        "messages",
        _conversation_column(),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text()),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("reasoning", sa.Text(), nullable=False, server_default=""),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text()),
        sa.Column("model", sa.Text()),
        sa.Column("usage", sa.Text()),
        sa.Column("cost", sa.Text()),
        sa.Column("finish_reason", sa.Text()),
        sa.Column("error", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("conversation", "id"),
    )
    op.create_index("messages_in_order", "messages", ["conversation", "created_at", "id"])
    op.create_index("messages_by_id", "messages", ["id"])


def _create_images() -> None:
    op.create_table(
        "images",
        _conversation_column(),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("conversation", "id"),
    )


def _create_shares() -> None:
    op.create_table(
        "shares",
        sa.Column("token", sa.Text(), primary_key=True),
        _conversation_column(),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("leaf", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("shares_of_conversation", "shares", ["conversation"])


def _conversation_column() -> sa.Column[str]:
    return sa.Column(
        "conversation", sa.Text(), sa.ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False
    )
