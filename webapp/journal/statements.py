"""The SQL of a journal, in the dialects of SQLite and Postgres. The functions run within a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection as SqlConnection

from webapp.errors import LeaseLapsed
from webapp.frames import Frame, StoppedBy
from webapp.journal.encoding import decode_frames, encode_frames
from webapp.journal.rules import (
    Position,
    StoredGroup,
    first_group,
    frames_to_store,
    make_update,
    refuse_append,
    refuse_end,
)
from webapp.journal.sql_texts import INSERT_GROUP, STATEMENTS
from webapp.journal_records import (
    JournalCursor,
    JournalEntry,
    JournalGroup,
    JournalRun,
    JournalUpdate,
    Refusal,
)

MAX_LISTED = 1_000

GroupRow = tuple[str, int, int, int, int, bytes]  # run, epoch, last_seq, first_seq, size, frames


def _execute(connection: SqlConnection, name: str, values: Any = None) -> Any:
    return connection.execute(STATEMENTS[connection.dialect.name][name], values)


def _list(values: Collection[object]) -> str:
    return msgspec.json.encode(list(values)).decode()


def now(connection: SqlConnection) -> float:
    """Return the time."""
    return float(_execute(connection, "now").scalar_one())


def find(connection: SqlConnection, run: str) -> JournalRun | None:
    """Return a run."""
    row = _execute(connection, "find", {"run": run}).first()
    return None if row is None else _to_run(row)


def list_running(connection: SqlConnection, owner: str, conversation: str | None) -> list[JournalRun]:
    """Return an owner's running runs."""
    values = {"owner": owner, "conversation": conversation, "limit": MAX_LISTED}
    return [_to_run(row) for row in _execute(connection, "list_running", values)]


def list_lapsed(connection: SqlConnection, grace_s: float, limit: int) -> list[JournalRun]:
    """Return running runs without a valid lease."""
    return [_to_run(row) for row in _execute(connection, "list_lapsed", {"grace_s": grace_s, "limit": limit})]


def begin(connection: SqlConnection, entry: JournalEntry) -> JournalRun | None:
    """Insert a run, unless it is known. Raises `LeaseLapsed`."""
    values = {
        "run": entry.run,
        "owner": entry.owner,
        "fingerprint": entry.fingerprint,
        "conversation": entry.conversation,
        "worker": entry.worker,
        "epoch": entry.epoch,
        "temporary": entry.temporary,
        "start": entry.start,
        "request": entry.request,
    }
    if _execute(connection, "insert_run", values).first() is None:
        known = find(connection, entry.run)
        if known is None:
            raise LeaseLapsed
        return known
    first = first_group(entry.frames, entry.epoch, temporary=entry.temporary)
    if first is not None:
        _insert(connection, [_group_values(entry.run, entry.epoch, first)])
    return None


def append(connection: SqlConnection, worker: str, groups: Sequence[JournalGroup]) -> dict[str, Refusal]:
    """Insert groups; return the refused runs."""
    positions = _lock(connection, {group.run for group in groups})
    refused: dict[str, Refusal] = {}
    rows: list[GroupRow] = []
    for group in groups:
        position = positions.get(group.run)
        refusal = refused.get(group.run) or refuse_append(position, worker, group)
        if refusal is not None or position is None:
            refused[group.run] = refusal or "unknown"
            continue
        stored = frames_to_store(position, group)
        if stored is not None:
            rows.append(_group_values(group.run, group.epoch, stored))
            positions[group.run] = msgspec.structs.replace(position, last_seq=stored.last_seq)
    _insert(connection, rows)
    return refused


def end(connection: SqlConnection, worker: str, group: JournalGroup) -> Refusal | None:
    """Insert a run's last group and mark it as ended."""
    position = _lock(connection, [group.run]).get(group.run)
    terminal = None
    if position is not None and position.state == "ended":
        terminal = _terminal(connection, group.run, position)
    refusal = refuse_end(position, worker, group, terminal)
    if refusal is None and position is not None and position.state == "running":
        stored = frames_to_store(position, group)
        if stored is not None:
            _insert(connection, [_group_values(group.run, group.epoch, stored)])
        _execute(connection, "end_run", {"run": group.run, "nothing": b""})
    return refusal


def seize(
    connection: SqlConnection, run: str, epoch: int, last_seq: int, worker: str, reset: Sequence[Frame]
) -> int | None:
    """Begin a new epoch of a run."""
    position = _lock(connection, [run]).get(run)
    if position is None or position.state == "ended" or position.epoch != epoch:
        return None
    taken = position.worker != worker
    if max(0, position.last_seq) != last_seq or (taken and _has_lease(connection, position.worker)):
        return None
    _execute(connection, "seize_run", {"run": run, "epoch": epoch + 1, "worker": worker, "taken": int(taken)})
    _execute(connection, "delete_groups", {"ids": _list([run])})
    first = first_group(reset, epoch + 1, temporary=position.temporary)
    if first is not None:
        _insert(connection, [_group_values(run, epoch + 1, first)])
    return epoch + 1


def read(
    connection: SqlConnection, cursors: Mapping[str, JournalCursor], limit_bytes: int
) -> dict[str, JournalUpdate]:
    """Return what follows each cursor."""
    wanted = _list([(run, cursor.epoch, cursor.seq) for run, cursor in cursors.items()])
    positions: dict[str, Position] = {}
    following: dict[str, list[StoredGroup]] = {}
    for run, worker, epoch, ended, temporary, last_seq, first, last, content in _execute(
        connection, "read", {"cursors": wanted, "limit_bytes": limit_bytes}
    ):
        if run not in positions:
            positions[run] = _to_position(worker, epoch, ended, temporary, last_seq)
            following[run] = []
        if content is not None:
            following[run].append(StoredGroup(first, last, decode_frames(content)))
    return {run: make_update(position, cursors[run], following[run]) for run, position in positions.items()}


def renew(connection: SqlConnection, worker: str, ttl_s: float) -> bool:
    """Begin or extend a lease that has not lapsed."""
    return _execute(connection, "renew", {"worker": worker, "ttl_s": ttl_s}).first() is not None


def reclaim(connection: SqlConnection, worker: str, ttl_s: float) -> list[JournalRun]:
    """Begin a lease, lapsed or not, and return the worker's running runs."""
    _execute(connection, "reclaim", {"worker": worker, "ttl_s": ttl_s})
    return [_to_run(row) for row in _execute(connection, "list_of_worker", {"worker": worker})]


def release(connection: SqlConnection, worker: str) -> None:
    """Delete a lease."""
    _execute(connection, "release", {"worker": worker})


def request_stop(connection: SqlConnection, run: str, by: StoppedBy) -> bool:
    """Store who asked to stop a run; return whether it is running."""
    return _execute(connection, "stop", {"run": run, "by": by}).first() is not None


def find_stops(connection: SqlConnection, worker: str) -> dict[str, StoppedBy]:
    """Return a worker's runs that are to be stopped."""
    return {row.run: row.stop for row in _execute(connection, "stops", {"worker": worker})}


def mark_read(connection: SqlConnection, runs: Collection[str]) -> None:
    """Store that runs have readers."""
    _execute(connection, "mark_read", {"ids": _list(runs)})


def measure_unread_s(connection: SqlConnection, runs: Collection[str]) -> dict[str, float]:
    """Return for how long runs have had no reader."""
    return {
        run: max(0.0, float(seconds)) for run, seconds in _execute(connection, "unread", {"ids": _list(runs)})
    }


def move_owner(connection: SqlConnection, source: str, target: str) -> None:
    """Change the owner of runs."""
    _execute(connection, "move_owner", {"source": source, "target": target})


def expire(connection: SqlConnection, older_than_s: float, limit: int) -> int:
    """Delete runs that ended, and leases that nobody needs."""
    found = _execute(connection, "expired", {"older_than_s": older_than_s, "limit": limit})
    old = list(found.scalars())
    if old:
        _execute(connection, "delete_groups", {"ids": _list(old)})
        _execute(connection, "delete_runs", {"ids": _list(old)})
    _execute(connection, "delete_leases")
    return len(old)


def _lock(connection: SqlConnection, runs: Collection[str]) -> dict[str, Position]:
    """Lock runs against other writers and return their positions.

    On Postgres these are two statements: the second one sees what the previous holder of the lock has written.
    """
    ids = {"ids": _list(runs)}
    if connection.dialect.name == "postgresql":
        _execute(connection, "lock_runs", ids)
    return {
        run: Position(worker, epoch, "ended" if ended else "running", last_seq, bool(temporary))
        for run, worker, epoch, ended, temporary, last_seq in _execute(connection, "positions", ids).all()
    }


def _has_lease(connection: SqlConnection, worker: str) -> bool:
    return bool(_execute(connection, "lease", {"worker": worker}).scalar())


def _terminal(connection: SqlConnection, run: str, position: Position) -> Frame | None:
    values = {"run": run, "epoch": position.epoch, "last_seq": position.last_seq}
    content = _execute(connection, "group", values).scalar()
    return None if content is None else decode_frames(content)[-1]


def _insert(connection: SqlConnection, rows: list[GroupRow]) -> None:
    """Insert groups. The driver's own statement: it is the most frequent one, and named parameters cost as much as it does."""
    if rows:
        connection.exec_driver_sql(INSERT_GROUP[connection.dialect.name], rows)


def _group_values(run: str, epoch: int, group: StoredGroup) -> GroupRow:
    content = encode_frames(group.frames)
    return run, epoch, group.last_seq, group.first_seq, len(content), content


def _to_position(worker: str, epoch: int, ended: object, temporary: object, last_seq: int) -> Position:
    return Position(worker, epoch, "ended" if ended else "running", last_seq, bool(temporary))


def _to_run(row: Any) -> JournalRun:
    return JournalRun(
        run=row.run,
        owner=row.owner,
        fingerprint=row.fingerprint,
        conversation=row.conversation,
        start=bytes(row.start),
        request=bytes(row.request),
        worker=row.worker,
        epoch=row.epoch,
        last_seq=max(0, row.last_seq),
        state="running" if row.ended_at is None else "ended",
        takeovers=row.takeovers,
        stop=row.stop,
        read_at=row.read_at,
        began_at=row.began_at,
        ended_at=row.ended_at,
        temporary=bool(row.temporary),
    )
