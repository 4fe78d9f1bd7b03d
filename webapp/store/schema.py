"""The current tables. The migrations in `migrations/` create the same ones; a test compares them.

Times are milliseconds since 1970. Amounts of money are exact decimal text. Content and usage are JSON in text columns:
no query reads inside them, and both databases preserve text byte for byte.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

HEAD = "0013"  # the newest revision in `migrations/versions`

metadata = MetaData()
_STREAMING = text("state = 'streaming'")


def _conversation_column() -> Column[str]:
    return Column("conversation", Text, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False)


conversations = Table(
    "conversations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("folded", Text, nullable=False),  # the title, folded for search
    Column("system", Text),
    Column("leaf", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    Column("changed", BigInteger, nullable=False, server_default="0"),  # the number of its last change
    Index("conversations_of_owner", "owner", "updated_at", "id"),
    Index("conversations_by_change", "owner", "changed"),
)

# The client chooses a message's id, so it is unique only within its conversation.
messages = Table(
    "messages",
    metadata,
    _conversation_column(),
    Column("id", Text, nullable=False),
    Column("parent", Text),
    Column("role", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("folded", Text, nullable=False),
    Column("reasoning", Text, nullable=False, server_default=""),
    Column("state", Text, nullable=False),
    Column("provider", Text),
    Column("model", Text),
    Column("usage", Text),
    Column("cost", Text),
    Column("finish_reason", Text),
    Column("error", Text),
    Column("thought_ms", Integer),
    Column("sources", Text),
    Column("sealed", Text),  # reasoning of an answer that was cut off, for the provider that continues it
    Column("epoch", Integer, nullable=False, server_default="0"),  # of the run, when it wrote the answer
    Column("created_at", BigInteger, nullable=False),
    Column(
        "size", Integer, nullable=False, server_default="0"
    ),  # of the row's texts in bytes, plus an overhead
    PrimaryKeyConstraint("conversation", "id"),
    Index("messages_in_order", "conversation", "created_at", "id"),
    Index("messages_by_id", "id"),
    Index("messages_by_size", "conversation", "size"),  # lets a sum skip the texts
    Index("messages_streaming", "created_at", sqlite_where=_STREAMING, postgresql_where=_STREAMING),
)

images = Table(
    "images",
    metadata,
    _conversation_column(),
    Column("id", Text, nullable=False),  # the SHA-256 of the bytes
    Column("media_type", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
    PrimaryKeyConstraint("conversation", "id"),
)

collections = Table(
    "collections",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("collections_by_name", "owner", "name", unique=True),
)

# Who may search a collection of somebody else: `everyone`, or `key:` and a key's id.
collection_grants = Table(
    "collection_grants",
    metadata,
    Column("collection", Text, ForeignKey("collections.id", ondelete="CASCADE"), nullable=False),
    Column("grantee", Text, nullable=False),
    PrimaryKeyConstraint("collection", "grantee"),
    Index("collection_grants_by_grantee", "grantee"),
)

# A document belongs to a collection or to a conversation. Its text is kept, not the file.
documents = Table(
    "documents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("collection", Text, ForeignKey("collections.id", ondelete="CASCADE")),
    Column("conversation", Text, ForeignKey("conversations.id", ondelete="CASCADE")),
    Column("source", Text, nullable=False),  # the file's name, with folders in a collection
    Column("title", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("digest", Text, nullable=False),  # the SHA-256 of the file's bytes
    Column("file_bytes", Integer, nullable=False, server_default="0"),
    Column("size", Integer, nullable=False),  # of what is stored of it, in bytes
    Column("pages", Integer, nullable=False),
    Column("passages", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    CheckConstraint("(collection IS NULL) <> (conversation IS NULL)", name="documents_belong_to_one"),
    Index("documents_by_source", "collection", "source", unique=True),
    Index("documents_of_conversation", "conversation", "created_at", "id"),
    Index("documents_of_owner", "owner", "size"),
)

document_texts = Table(
    "document_texts",
    metadata,
    Column("document", Text, ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Column("text", Text, nullable=False),
    Column("pages", Text, nullable=False),  # JSON: the offsets at which the pages begin
)

# The words of a passage are in `passage_words`, which each database has in its own form; see `passage_index`.
passages = Table(
    "passages",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("document", Text, ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("start", Integer, nullable=False),
    Column("stop", Integer, nullable=False),
    Column("page", Integer),
    Column("heading", Text, nullable=False),
    Index("passages_of_document", "document", "number", unique=True),
)

shares = Table(
    "shares",
    metadata,
    Column("token", Text, primary_key=True),  # the SHA-256 of the token; the token itself is not stored
    _conversation_column(),
    Column("owner", Text, nullable=False),
    Column("leaf", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("shares_of_conversation", "conversation"),
)

users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column(
        "token", Text, nullable=False, unique=True
    ),  # the SHA-256 of the token; the token itself is not stored
    Column("user", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("device", Text, nullable=False),
    Column("credential", Text, nullable=False),  # a keyed digest of the password used to sign in
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Index("sessions_of_user", "user", "seen_at"),
)

# Transfers between owners, for writes that were queued before a transfer.
moves = Table(
    "moves",
    metadata,
    Column("source", Text, primary_key=True),
    Column("target", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

# For each owner, the number of the last change of a conversation; see `changes`.
change_counters = Table(
    "change_counters",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("tag", Text, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("oldest", BigInteger, nullable=False),
)

# How often something was done in one slot of time, over all workers; see `rate_counters`.
rate_counters = Table(
    "rate_counters",
    metadata,
    Column("name", Text, primary_key=True),  # a digest
    Column("slot", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),
    Column("most", Integer, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("rate_counters_by_expiry", "expires_at"),
)

# Values that all servers of a database share, such as the secret that signs cookies.
shared_values = Table(
    "shared_values",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

# For each revision, the oldest one whose code can work with its tables.
compatibility = Table(
    "compatibility",
    metadata,
    Column("revision", Text, primary_key=True),
    Column("oldest", Text, nullable=False),
)

# `origins` and `profile` are JSON; see `publishable_keys`.
keys = Table(
    "keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("origins", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

key_values = Table(
    "key_values",
    metadata,
    Column("token", Text, primary_key=True),
    Column("key", Text, ForeignKey("keys.id", ondelete="CASCADE"), nullable=False),
    Column("sealed_secret", Text, nullable=False),  # encrypted with the server's secret
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Index("key_values_of_key", "key"),
)

# The newest run of each chat of another program.
chat_runs = Table(
    "chat_runs",
    metadata,
    Column("name", Text, primary_key=True),  # a digest of the owner and the program's own name for the chat
    Column("run", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("chat_runs_by_age", "created_at"),
)
