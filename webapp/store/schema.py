"""The tables as they are now. How they came to be is in `migrations/`; a test holds the two together.

Times are milliseconds since 1970. An amount of money is its exact decimal text. Content, usage and the like
are JSON in text: no query looks into them, and both databases keep them to the byte.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

HEAD = "0003"  # the newest revision in `migrations/versions`

metadata = MetaData()


def _of_conversation() -> Column[str]:
    return Column("conversation", Text, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False)


conversations = Table(
    "conversations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("folded", Text, nullable=False),  # the title as a search compares it
    Column("system", Text),
    Column("leaf", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    Index("conversations_of_owner", "owner", "updated_at", "id"),
)

# A message's name is chosen by its client, so it is a name within its conversation only.
messages = Table(
    "messages",
    metadata,
    _of_conversation(),
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
    Column("created_at", BigInteger, nullable=False),
    Column("size", Integer, nullable=False, server_default="0"),  # of its texts, in bytes, and a little
    PrimaryKeyConstraint("conversation", "id"),
    Index("messages_in_order", "conversation", "created_at", "id"),
    Index("messages_by_id", "id"),
    Index("messages_by_size", "conversation", "size"),  # summed without reading the texts
)

images = Table(
    "images",
    metadata,
    _of_conversation(),
    Column("id", Text, nullable=False),  # the SHA-256 of the bytes
    Column("media_type", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
    PrimaryKeyConstraint("conversation", "id"),
)

shares = Table(
    "shares",
    metadata,
    Column("token", Text, primary_key=True),  # the SHA-256 of the token, which nobody keeps
    _of_conversation(),
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
    Column("token", Text, nullable=False, unique=True),  # the SHA-256 of the token, which nobody keeps
    Column("user", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("device", Text, nullable=False),
    Column("credential", Text, nullable=False),  # a keyed digest of the password that it was begun with
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Index("sessions_of_user", "user", "seen_at"),
)

# Whose things were moved to whom, for writes that were on their way meanwhile.
moves = Table(
    "moves",
    metadata,
    Column("source", Text, primary_key=True),
    Column("target", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

# What all servers of a database share: the secret that signs cookies.
shared_values = Table(
    "shared_values",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

# The oldest revision whose code can work with a revision's tables.
compatibility = Table(
    "compatibility",
    metadata,
    Column("revision", Text, primary_key=True),
    Column("oldest", Text, nullable=False),
)
