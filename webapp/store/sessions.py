"""Sessions as rows, and the secret that all servers of a database share; see `seams.SessionStore`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, insert, select, update

from webapp.seams import SignInSession
from webapp.store.database import Database
from webapp.store.rows import now_ms, put
from webapp.store.schema import sessions, shared_values

_AGE_MS = 30 * 24 * 3600 * 1000  # since it was last used
_MOST_OF_USER = 100  # the ones that were used last
_PATIENCE_S = 2.0
_FIND_S = 0.5  # a request waits for it
_SECRET = "secret"  # noqa: S105  (the name of the row)


class SessionTable:
    """The sessions of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, digest: str, session: SignInSession, replaced: str | None) -> None:
        """Keep a new session."""
        self._database.write(lambda c: _add(c, digest, session, replaced), _PATIENCE_S)

    def find(self, digest: str) -> SignInSession | None:
        """Find a session that has not expired."""
        return self._database.read(lambda c: _find(c, digest), _FIND_S)

    def listed(self, user: str) -> Sequence[SignInSession]:
        """List a user's sessions, the last used first."""
        return self._database.read(lambda c: _listed(c, user))

    def end(self, user: str, ended: Sequence[str] | None, kept: str | None = None) -> list[str]:
        """End these sessions of a user, or all but `kept`."""
        return self._database.write(lambda c: _end(c, user, ended, kept))

    def alive(self, chosen: Sequence[str]) -> list[str]:
        """Return which of these ids are sessions still."""
        return self._database.read(
            lambda c: [row.id for row in c.execute(select(sessions.c.id).where(sessions.c.id.in_(chosen)))],
            _PATIENCE_S,
        )

    def touch(self, used: Sequence[str]) -> None:
        """Note that these sessions were used just now."""
        self._database.write(
            lambda c: c.execute(update(sessions).where(sessions.c.id.in_(used)).values(seen_at=now_ms())),
            _PATIENCE_S,
        )


class SharedSecret:
    """The secret of a database; see `seams.SecretStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def secret(self, offered: str) -> str:
        """Return the secret; the first that is offered becomes it."""

        def work(connection: Connection) -> str:
            put(connection, shared_values, [{"name": _SECRET, "value": offered}])
            chosen = select(shared_values.c.value).where(shared_values.c.name == _SECRET)
            return str(connection.execute(chosen).scalar_one())

        return self._database.write(work, _PATIENCE_S)


def _add(connection: Connection, digest: str, session: SignInSession, replaced: str | None) -> None:
    table, now = sessions.c, now_ms()
    connection.execute(delete(sessions).where(table.seen_at < now - _AGE_MS))
    if replaced is not None:
        connection.execute(delete(sessions).where(table.token == replaced))
    kept = select(table.id).where(table.user == session.user).order_by(table.seen_at.desc(), table.id)
    surplus = [row.id for row in connection.execute(kept.offset(_MOST_OF_USER - 1))]
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
    chosen = select(sessions).where(
        and_(sessions.c.token == digest, sessions.c.seen_at >= now_ms() - _AGE_MS)
    )
    row = connection.execute(chosen).one_or_none()
    return None if row is None else _session_of(row)


def _listed(connection: Connection, user: str) -> list[SignInSession]:
    table = sessions.c
    chosen = select(sessions).where(table.user == user, table.seen_at >= now_ms() - _AGE_MS)
    return [_session_of(row) for row in connection.execute(chosen.order_by(table.seen_at.desc(), table.id))]


def _end(connection: Connection, user: str, ended: Sequence[str] | None, kept: str | None) -> list[str]:
    table = sessions.c
    meant = [table.user == user]
    if ended is not None:
        meant.append(table.id.in_(ended))
    elif kept is not None:
        meant.append(table.id != kept)
    found = [row.id for row in connection.execute(select(table.id).where(*meant))]
    if found:
        connection.execute(delete(sessions).where(table.id.in_(found)))
    return found


def _session_of(row: Row[*tuple[Any, ...]]) -> SignInSession:
    return SignInSession(
        id=row.id,
        user=row.user,
        device=row.device,
        credential=row.credential,
        created_at=row.created_at,
        seen_at=row.seen_at,
    )
