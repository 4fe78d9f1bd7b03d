"""The tables of sessions and of the secret that all servers of a database share; see `seams.SessionStore`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, insert, select, update

from webapp.seams import SignInSession
from webapp.store.database import Database
from webapp.store.rows import now_ms, upsert
from webapp.store.schema import sessions, shared_values

_MAX_IDLE_MS = 30 * 24 * 3600 * 1000  # as long as the cookie lives: `SESSION_AGE_S` in `access/cookies.py`
_MAX_PER_USER = 100  # the most recently used
_TIMEOUT_S = 2.0
_FIND_S = 0.5  # short, because every request waits for it
_SECRET = "secret"  # noqa: S105  (the key of the row, not the secret)


class SessionTable:
    """The sessions in a database; implements `seams.SessionStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, digest: str, session: SignInSession, replaced: str | None) -> None:
        """Store a new session, deleting expired ones and the one whose digest is `replaced`."""
        self._database.write(lambda c: _add(c, digest, session, replaced), _TIMEOUT_S)

    def find(self, digest: str) -> SignInSession | None:
        """Return a session that has not expired; None if there is none."""
        return self._database.read(lambda c: _find(c, digest), _FIND_S)

    def list_for(self, user: str) -> Sequence[SignInSession]:
        """List a user's sessions, the most recently used first."""
        return self._database.read(lambda c: _list(c, user))

    def end(self, user: str, session_ids: Sequence[str] | None, except_id: str | None = None) -> list[str]:
        """Delete these sessions of a user, or with None all except `except_id`; return the deleted ids."""
        return self._database.write(lambda c: _end(c, user, session_ids, except_id))

    def filter_active(self, session_ids: Sequence[str]) -> list[str]:
        """Return those of the ids that still exist."""
        return self._database.read(
            lambda c: [
                row.id for row in c.execute(select(sessions.c.id).where(sessions.c.id.in_(session_ids)))
            ],
            _TIMEOUT_S,
        )

    def touch(self, session_ids: Sequence[str]) -> None:
        """Set the time of last use to now."""
        self._database.write(
            lambda c: c.execute(
                update(sessions).where(sessions.c.id.in_(session_ids)).values(seen_at=now_ms())
            ),
            _TIMEOUT_S,
        )


class SharedSecret:
    """The secret in a database; implements `seams.SecretStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get_or_create(self, candidate: str) -> str:
        """Return the secret; if there is none, store `candidate` first."""

        def work(connection: Connection) -> str:
            upsert(connection, shared_values, [{"name": _SECRET, "value": candidate}])
            query = select(shared_values.c.value).where(shared_values.c.name == _SECRET)
            return str(connection.execute(query).scalar_one())

        return self._database.write(work, _TIMEOUT_S)


def _add(connection: Connection, digest: str, session: SignInSession, replaced: str | None) -> None:
    table, now = sessions.c, now_ms()
    connection.execute(delete(sessions).where(table.seen_at < now - _MAX_IDLE_MS))
    if replaced is not None:
        connection.execute(delete(sessions).where(table.token == replaced))
    newest_first = select(table.id).where(table.user == session.user).order_by(table.seen_at.desc(), table.id)
    surplus = [row.id for row in connection.execute(newest_first.offset(_MAX_PER_USER - 1))]
    if surplus:
        connection.execute(delete(sessions).where(table.id.in_(surplus)))
    connection.execute(
        insert(sessions).values(
            id=session.id,
            token=digest,
            user=session.user,
            device=session.device,
            credential=session.credential,
            created_at=now,
            seen_at=now,
        )
    )


def _find(connection: Connection, digest: str) -> SignInSession | None:
    query = select(sessions).where(
        and_(sessions.c.token == digest, sessions.c.seen_at >= now_ms() - _MAX_IDLE_MS)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _parse_session(row)


def _list(connection: Connection, user: str) -> list[SignInSession]:
    table = sessions.c
    query = select(sessions).where(table.user == user, table.seen_at >= now_ms() - _MAX_IDLE_MS)
    return [_parse_session(row) for row in connection.execute(query.order_by(table.seen_at.desc(), table.id))]


def _end(
    connection: Connection, user: str, session_ids: Sequence[str] | None, except_id: str | None
) -> list[str]:
    table = sessions.c
    conditions = [table.user == user]
    if session_ids is not None:
        conditions.append(table.id.in_(session_ids))
    elif except_id is not None:
        conditions.append(table.id != except_id)
    found = [row.id for row in connection.execute(select(table.id).where(*conditions))]
    if found:
        connection.execute(delete(sessions).where(table.id.in_(found)))
    return found


def _parse_session(row: Row[*tuple[Any, ...]]) -> SignInSession:
    return SignInSession(
        id=row.id,
        user=row.user,
        device=row.device,
        credential=row.credential,
        created_at=row.created_at,
        seen_at=row.seen_at,
    )
