"""Add the epoch of the run that wrote an answer: a worker that has lost the run cannot overwrite what another has stored."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_OLDEST = "0002"  # the code of that revision works with this column as well


def upgrade() -> None:
    """Add the column; the answers that are there have epoch 0, which every run may write over."""
    op.add_column("messages", sa.Column("epoch", sa.Integer(), nullable=False, server_default="0"))
    table = sa.table("compatibility", sa.column("revision"), sa.column("oldest"))
    op.bulk_insert(table, [{"revision": revision, "oldest": _OLDEST}])


def downgrade() -> None:
    """Drop the column."""
    table = sa.table("compatibility", sa.column("revision"), sa.column("oldest"))
    op.execute(table.delete().where(table.c.revision == revision))
    op.drop_column("messages", "epoch")
