"""Index the answers that are in progress, so that those which ended unnoticed are found. Only adds an index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_OLDEST = "0002"  # an index changes nothing for older code


def upgrade() -> None:
    """Create the index."""
    condition = sa.text("state = 'streaming'")
    op.create_index(
        "messages_streaming", "messages", ["created_at"], sqlite_where=condition, postgresql_where=condition
    )
    table = sa.table("compatibility", sa.column("revision"), sa.column("oldest"))
    op.bulk_insert(table, [{"revision": revision, "oldest": _OLDEST}])


def downgrade() -> None:
    """Drop the index."""
    table = sa.table("compatibility", sa.column("revision"), sa.column("oldest"))
    op.execute(table.delete().where(table.c.revision == revision))
    op.drop_index("messages_streaming", "messages")
