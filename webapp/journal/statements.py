"""The SQL of a journal, in the dialects of SQLite and Postgres. The functions run within a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

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
from webapp.journal.transaction import GroupRow, Row, Transaction
from webapp.journal_records import (
    JournalCursor,
    JournalEntry,
    JournalGroup,
    JournalRun,
    JournalUpdate,
    Refusal,
)

MAX_LISTED = 1_000


def _list(values: Collection[object]) -> str:
    return msgspec.json.encode(list(values)).decode()


def now(transaction: Transaction) -> float:
    """Return the time."""
    return float(transaction.query("now")[0][0])


def find(transaction: Transaction, run: str) -> JournalRun | None:
    """Return a run."""
    row = transaction.query_first("find", {"run": run})
    return None if row is None else _to_run(row)


def list_running(transaction: Transaction, owner: str, conversation: str | None) -> list[JournalRun]:
    """Return an owner's running runs."""
    values = {"owner": owner, "conversation": conversation, "limit": MAX_LISTED}
    return [_to_run(row) for row in transaction.query("list_running", values)]


def list_lapsed(transaction: Transaction, grace_s: float, limit: int) -> list[JournalRun]:
    """Return running runs without a valid lease."""
    return [_to_run(row) for row in transaction.query("list_lapsed", {"grace_s": grace_s, "limit": limit})]


def begin(transaction: Transaction, entry: JournalEntry) -> JournalRun | None:
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
    if not transaction.query("insert_run", values):
        known = find(transaction, entry.run)
        if known is None:
            raise LeaseLapsed
        return known
    first = first_group(entry.frames, entry.epoch, temporary=entry.temporary)
    if first is not None:
        transaction.insert_groups([_group_values(entry.run, entry.epoch, first)])
    return None


def append(transaction: Transaction, worker: str, groups: Sequence[JournalGroup]) -> dict[str, Refusal]:
    """Insert groups; return the refused runs."""
    positions = _lock(transaction, {group.run for group in groups})
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
    transaction.insert_groups(rows)
    return refused


def end(transaction: Transaction, worker: str, group: JournalGroup) -> Refusal | None:
    """Insert a run's last group and mark it as ended."""
    position = _lock(transaction, [group.run]).get(group.run)
    terminal = None
    if position is not None and position.state == "ended":
        terminal = _terminal(transaction, group.run, position)
    refusal = refuse_end(position, worker, group, terminal)
    if refusal is None and position is not None and position.state == "running":
        stored = frames_to_store(position, group)
        if stored is not None:
            transaction.insert_groups([_group_values(group.run, group.epoch, stored)])
        transaction.execute("end_run", {"run": group.run, "nothing": b""})
    return refusal


def seize(
    transaction: Transaction, run: str, epoch: int, last_seq: int, worker: str, reset: Sequence[Frame]
) -> int | None:
    """Begin a new epoch of a run."""
    position = _lock(transaction, [run]).get(run)
    if position is None or position.state == "ended" or position.epoch != epoch:
        return None
    taken = position.worker != worker
    if max(0, position.last_seq) != last_seq or (taken and _has_lease(transaction, position.worker)):
        return None
    transaction.execute("seize_run", {"run": run, "epoch": epoch + 1, "worker": worker, "taken": int(taken)})
    transaction.execute("delete_groups", {"ids": _list([run])})
    first = first_group(reset, epoch + 1, temporary=position.temporary)
    if first is not None:
        transaction.insert_groups([_group_values(run, epoch + 1, first)])
    return epoch + 1


def read(
    transaction: Transaction, cursors: Mapping[str, JournalCursor], limit_bytes: int
) -> dict[str, JournalUpdate]:
    """Return what follows each cursor."""
    wanted = _list([(run, cursor.epoch, cursor.seq) for run, cursor in cursors.items()])
    positions: dict[str, Position] = {}
    following: dict[str, list[StoredGroup]] = {}
    for run, worker, epoch, ended, temporary, last_seq, first, last, content in transaction.query(
        "read", {"cursors": wanted, "limit_bytes": limit_bytes}
    ):
        if run not in positions:
            positions[run] = _to_position(worker, epoch, ended, temporary, last_seq)
            following[run] = []
        if content is not None:
            following[run].append(StoredGroup(first, last, decode_frames(content)))
    return {run: make_update(position, cursors[run], following[run]) for run, position in positions.items()}


def renew(transaction: Transaction, worker: str, ttl_s: float) -> bool:
    """Begin or extend a lease that has not lapsed."""
    return bool(transaction.query("renew", {"worker": worker, "ttl_s": ttl_s}))


def reclaim(transaction: Transaction, worker: str, ttl_s: float) -> list[JournalRun]:
    """Begin a lease, lapsed or not, and return the worker's running runs."""
    transaction.execute("reclaim", {"worker": worker, "ttl_s": ttl_s})
    return [_to_run(row) for row in transaction.query("list_of_worker", {"worker": worker})]


def release(transaction: Transaction, worker: str) -> None:
    """Delete a lease."""
    transaction.execute("release", {"worker": worker})


def request_stop(transaction: Transaction, run: str, by: StoppedBy) -> bool:
    """Store who asked to stop a run; return whether it is running."""
    return bool(transaction.query("stop", {"run": run, "by": by}))


def find_stops(transaction: Transaction, worker: str) -> dict[str, StoppedBy]:
    """Return a worker's runs that are to be stopped."""
    return dict(transaction.query("stops", {"worker": worker}))


def mark_read(transaction: Transaction, runs: Collection[str]) -> None:
    """Store that runs have readers."""
    transaction.execute("mark_read", {"ids": _list(runs)})


def measure_unread_s(transaction: Transaction, runs: Collection[str]) -> dict[str, float]:
    """Return for how long runs have had no reader."""
    return {
        run: max(0.0, float(seconds)) for run, seconds in transaction.query("unread", {"ids": _list(runs)})
    }


def move_owner(transaction: Transaction, source: str, target: str) -> None:
    """Change the owner of runs."""
    transaction.execute("move_owner", {"source": source, "target": target})


def expire(transaction: Transaction, older_than_s: float, limit: int) -> int:
    """Delete runs that ended, and leases that nobody needs."""
    old = [run for (run,) in transaction.query("expired", {"older_than_s": older_than_s, "limit": limit})]
    if old:
        transaction.execute("delete_groups", {"ids": _list(old)})
        transaction.execute("delete_runs", {"ids": _list(old)})
    transaction.execute("delete_leases")
    return len(old)


def _lock(transaction: Transaction, runs: Collection[str]) -> dict[str, Position]:
    """Lock runs against other writers and return their positions.

    On Postgres these are two statements: the second one sees what the previous holder of the lock has written.
    """
    ids = {"ids": _list(runs)}
    if transaction.dialect == "postgresql":
        transaction.execute("lock_runs", ids)
    return {
        run: Position(worker, epoch, "ended" if ended else "running", last_seq, bool(temporary))
        for run, worker, epoch, ended, temporary, last_seq in transaction.query("positions", ids)
    }


def _has_lease(transaction: Transaction, worker: str) -> bool:
    row = transaction.query_first("lease", {"worker": worker})
    return row is not None and bool(row[0])


def _terminal(transaction: Transaction, run: str, position: Position) -> Frame | None:
    values = {"run": run, "epoch": position.epoch, "last_seq": position.last_seq}
    row = transaction.query_first("group", values)
    return None if row is None else decode_frames(row[0])[-1]


def _group_values(run: str, epoch: int, group: StoredGroup) -> GroupRow:
    content = encode_frames(group.frames)
    return run, epoch, group.last_seq, group.first_seq, len(content), content


def _to_position(worker: str, epoch: int, ended: object, temporary: object, last_seq: int) -> Position:
    return Position(worker, epoch, "ended" if ended else "running", last_seq, bool(temporary))


def _to_run(row: Row) -> JournalRun:
    """Return a row of the statements that select whole runs."""
    run, owner, fingerprint, conversation, start, request, worker, epoch, last_seq, ended_at, *rest = row
    takeovers, stop, read_at, began_at, temporary = rest
    return JournalRun(
        run=run,
        owner=owner,
        fingerprint=fingerprint,
        conversation=conversation,
        start=bytes(start),
        request=bytes(request),
        worker=worker,
        epoch=epoch,
        last_seq=max(0, last_seq),
        state="running" if ended_at is None else "ended",
        takeovers=takeovers,
        stop=stop,
        read_at=read_at,
        began_at=began_at,
        ended_at=ended_at,
        temporary=bool(temporary),
    )
