"""Keep new documents' texts uncompressed in Postgres: a search reads passages out of them, in half the time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_OLDEST = "0002"  # the code of that revision reads and writes such texts as well


def upgrade() -> None:
    """Change how new texts are kept; those that are there stay compressed."""
    _keep("EXTERNAL")
    table = sa.table("compatibility", sa.column("revision"), sa.column("oldest"))
    op.bulk_insert(table, [{"revision": revision, "oldest": _OLDEST}])


def downgrade() -> None:
    """Compress new texts again."""
    table = sa.table("compatibility", sa.column("revision"), sa.column("oldest"))
    op.execute(table.delete().where(table.c.revision == revision))
    _keep("EXTENDED")


def _keep(how: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE document_texts ALTER COLUMN text SET STORAGE {how}")
