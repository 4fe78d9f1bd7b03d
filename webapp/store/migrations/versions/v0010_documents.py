"""Add collections, documents and their passages, with an index of the passages' words. Only adds tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_OLDEST = "0002"  # the code of that revision works with these tables as well; deleting a conversation deletes its documents

# The words are separated by blanks and need no folding: `ascii` takes all characters beyond ASCII for parts of words.
_SQLITE = (
    "CREATE VIRTUAL TABLE passage_words USING fts5(words, tokenize = 'ascii', detail = none)",
    "CREATE VIRTUAL TABLE passage_vocabulary USING fts5vocab(passage_words, 'row')",
    "CREATE TRIGGER passages_deleted AFTER DELETE ON passages BEGIN DELETE FROM passage_words WHERE rowid = old.id; END",
)
_POSTGRES = (
    "CREATE TABLE passage_words (passage bigint PRIMARY KEY REFERENCES passages (id) ON DELETE CASCADE, words tsvector NOT NULL)",
    "ALTER TABLE passage_words ALTER COLUMN words SET STATISTICS 300",
    "CREATE INDEX passage_words_index ON passage_words USING gin (words)",
)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "collections",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("collections_by_name", "collections", ["owner", "name"], unique=True)
    op.create_table(
        "collection_grants",
        sa.Column(
            "collection", sa.Text(), sa.ForeignKey("collections.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("grantee", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("collection", "grantee"),
    )
    op.create_index("collection_grants_by_grantee", "collection_grants", ["grantee"])
    _create_documents()
    for statement in _POSTGRES if op.get_context().dialect.name == "postgresql" else _SQLITE:
        op.execute(statement)
    table = sa.table("compatibility", sa.column("revision"), sa.column("oldest"))
    op.bulk_insert(table, [{"revision": revision, "oldest": _OLDEST}])


def _create_documents() -> None:
    op.create_table(
        "documents",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("collection", sa.Text(), sa.ForeignKey("collections.id", ondelete="CASCADE")),
        sa.Column("conversation", sa.Text(), sa.ForeignKey("conversations.id", ondelete="CASCADE")),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("passages", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("(collection IS NULL) <> (conversation IS NULL)", name="documents_belong_to_one"),
    )
    op.create_index("documents_by_source", "documents", ["collection", "source"], unique=True)
    op.create_index("documents_of_conversation", "documents", ["conversation", "created_at", "id"])
    op.create_index("documents_of_owner", "documents", ["owner", "size"])
    op.create_table(
        "document_texts",
        sa.Column("document", sa.Text(), sa.ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("pages", sa.Text(), nullable=False),
    )
    op.create_table(
        "passages",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("document", sa.Text(), sa.ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("stop", sa.Integer(), nullable=False),
        sa.Column("page", sa.Integer()),
        sa.Column("heading", sa.Text(), nullable=False),
    )
    op.create_index("passages_of_document", "passages", ["document", "number"], unique=True)


def downgrade() -> None:
    """Drop the tables."""
    table = sa.table("compatibility", sa.column("revision"), sa.column("oldest"))
    op.execute(table.delete().where(table.c.revision == revision))
    if op.get_context().dialect.name != "postgresql":
        op.execute("DROP TABLE passage_vocabulary")
    op.execute("DROP TABLE passage_words")
    for name in ("passages", "document_texts", "documents", "collection_grants", "collections"):
        op.drop_table(name)
