"""How long the model thought."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give answers a place for it; of those that are there nobody knows."""
    op.add_column("messages", sa.Column("thought_ms", sa.Integer()))


def downgrade() -> None:
    """Undo it."""
    op.drop_column("messages", "thought_ms")
