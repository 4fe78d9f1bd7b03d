"""Add the model's thinking time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; it stays empty for existing answers."""
    op.add_column("messages", sa.Column("thought_ms", sa.Integer()))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("messages", "thought_ms")
