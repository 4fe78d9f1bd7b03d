"""The tables of keys; see `seams.KeyStore`. A revoked key is deleted."""

from __future__ import annotations

import json

import msgspec
from sqlalchemy import Connection, delete, func, insert, or_, select, update

from webapp.errors import NotFound, TooLarge
from webapp.publishable_keys import KeyProfile, KeyValue, PublishableKey
from webapp.store.database import Database
from webapp.store.rows import clean_text, now_ms
from webapp.store.schema import key_values, keys

MAX_KEYS = 1_000
_FIND_S = 0.5  # short, because requests wait for it
_KIND = "publishable"


class KeyTable:
    """The keys in a database; implements `seams.KeyStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, owner: str, key: PublishableKey) -> None:
        """Store a new key. Raises `TooLarge` if there are too many."""
        self._database.write(lambda c: _add(c, owner, key))

    def list_all(self) -> list[PublishableKey]:
        """Return all keys, the oldest first."""
        return self._database.read(_list, _FIND_S)

    def change(self, key: PublishableKey) -> None:
        """Store a key's name, origins and profile. Raises `NotFound`."""
        self._database.write(lambda c: _change(c, key))

    def add_value(self, key_id: str, value: KeyValue, older_expire_at: int) -> None:
        """Store another value of a key, whose older ones expire then at the latest. Raises `NotFound`."""
        self._database.write(lambda c: _add_value(c, key_id, value, older_expire_at))

    def delete(self, key_id: str) -> None:
        """Delete a key. Raises `NotFound`."""

        def work(connection: Connection) -> None:
            connection.execute(delete(key_values).where(key_values.c.key == key_id))
            if not connection.execute(delete(keys).where(keys.c.id == key_id)).rowcount:
                raise _not_found(key_id)

        self._database.write(work)


def _add(connection: Connection, owner: str, key: PublishableKey) -> None:
    count = connection.execute(select(func.count()).select_from(keys)).scalar_one()
    if count >= MAX_KEYS:
        raise TooLarge(
            f"There are {MAX_KEYS} keys already.", param="key", code="too_many_keys", limit=MAX_KEYS
        )
    connection.execute(
        insert(keys).values(id=key.id, kind=_KIND, owner=owner, created_at=key.created_at, **_columns(key))
    )
    for value in key.values:
        connection.execute(insert(key_values).values(key=key.id, **msgspec.structs.asdict(value)))


def _columns(key: PublishableKey) -> dict[str, str]:
    return {
        "name": clean_text(key.name),
        "origins": json.dumps(key.origins),
        "profile": msgspec.json.encode(key.profile).decode(),
    }


def _list(connection: Connection) -> list[PublishableKey]:
    values: dict[str, list[KeyValue]] = {}
    query = select(key_values).order_by(key_values.c.created_at.desc(), key_values.c.token)
    for row in connection.execute(query):
        value = KeyValue(
            token=row.token,
            sealed_secret=row.sealed_secret,
            created_at=row.created_at,
            expires_at=row.expires_at,
        )
        values.setdefault(row.key, []).append(value)
    rows = connection.execute(
        select(keys).where(keys.c.kind == _KIND).order_by(keys.c.created_at, keys.c.id)
    ).all()
    return [
        PublishableKey(
            id=row.id,
            name=row.name,
            origins=tuple(json.loads(row.origins)),
            profile=msgspec.json.decode(row.profile, type=KeyProfile),
            values=tuple(values.get(row.id, ())),
            created_at=row.created_at,
        )
        for row in rows
    ]


def _change(connection: Connection, key: PublishableKey) -> None:
    changed = connection.execute(update(keys).where(keys.c.id == key.id).values(**_columns(key)))
    if not changed.rowcount:
        raise _not_found(key.id)


def _add_value(connection: Connection, key_id: str, value: KeyValue, older_expire_at: int) -> None:
    if connection.execute(select(keys.c.id).where(keys.c.id == key_id)).first() is None:
        raise _not_found(key_id)
    connection.execute(
        delete(key_values).where(key_values.c.key == key_id, key_values.c.expires_at <= now_ms())
    )
    older = key_values.c.expires_at
    connection.execute(
        update(key_values)
        .where(key_values.c.key == key_id, or_(older.is_(None), older > older_expire_at))
        .values(expires_at=older_expire_at)
    )
    connection.execute(insert(key_values).values(key=key_id, **msgspec.structs.asdict(value)))


def _not_found(key_id: str) -> NotFound:
    return NotFound(f"There is no key {key_id[:40]!r}.", param="key", code="key_not_found")
