"""Values of the journal as arguments and results of the scripts in `redis_scripts`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from webapp.frames import StoppedBy
from webapp.journal.encoding import decode_frames
from webapp.journal.redis_channel import Argument
from webapp.journal.rules import NOTHING, Position, StoredGroup, make_update
from webapp.journal_records import JournalCursor, JournalEntry, JournalRun, JournalUpdate, Refusal


def to_microseconds(seconds: float) -> int:
    """Return a time as the scripts count it."""
    return round(seconds * 1e6)


def to_names(found: Sequence[bytes | str]) -> list[str]:
    """Return ids as text."""
    return [name.decode() if isinstance(name, bytes) else name for name in found]


def fields_of(entry: JournalEntry) -> list[Argument]:
    """Return the fields of a new run's hash, each name followed by its value; the script adds the others."""
    fields: dict[str, Argument] = {
        "fingerprint": entry.fingerprint,
        "start": entry.start,
        "request": entry.request,
        "epoch": entry.epoch,
        "temporary": int(entry.temporary),
    }
    if entry.conversation is not None:
        fields["conversation"] = entry.conversation
    return [part for field in fields.items() for part in field]


def to_run(name: str, row: Sequence[bytes]) -> JournalRun:
    """Return a run from its hash, a list of names and values."""
    found = {key.decode(): value for key, value in zip(row[::2], row[1::2], strict=True)}
    ended = found.get("ended")
    stop = found.get("stop")
    conversation = found.get("conversation")
    return JournalRun(
        run=name,
        owner=found["owner"].decode() or None,
        fingerprint=found["fingerprint"].decode(),
        conversation=None if conversation is None else conversation.decode(),
        start=found["start"],
        request=found["request"],
        worker=found["worker"].decode(),
        epoch=int(found["epoch"]),
        last_seq=max(0, int(found["last"])),
        state="running" if ended is None else "ended",
        takeovers=int(found["takeovers"]),
        stop=None if stop is None else cast(StoppedBy, stop.decode()),
        read_at=int(found["read"]) / 1e6,
        began_at=int(found["began"]) / 1e6,
        ended_at=None if ended is None else int(ended) / 1e6,
        temporary=found["temporary"] == b"1",
    )


def to_refusal(found: bytes) -> Refusal | None:
    """Return a refusal from its name, which is empty if there is none."""
    return cast(Refusal, found.decode()) if found else None


def to_refusals(runs: Sequence[str], found: Sequence[Any]) -> dict[str, Refusal]:
    """Return refusals from a list of numbers of runs, counted from 1, each followed by its refusal."""
    return {
        runs[number - 1]: cast(Refusal, refusal.decode())
        for number, refusal in zip(found[::2], found[1::2], strict=True)
    }


def to_stops(found: Sequence[bytes]) -> dict[str, StoppedBy]:
    """Return who asked to stop runs, from a list of runs, each followed by that."""
    return {
        run.decode(): cast(StoppedBy, by.decode()) for run, by in zip(found[::2], found[1::2], strict=True)
    }


def to_updates(
    cursors: Mapping[str, JournalCursor], found: Sequence[Any]
) -> tuple[dict[str, JournalUpdate], list[tuple[str, str]]]:
    """Return what follows the cursors, and of each stream the id of its last entry, after which a reader waits."""
    runs = list(cursors)
    updates: dict[str, JournalUpdate] = {}
    heads: list[tuple[str, str]] = []
    for number, epoch, last_seq, ended, temporary, groups in found:
        run = runs[number - 1]
        position = Position("", epoch, "ended" if ended else "running", last_seq, bool(temporary))
        updates[run] = make_update(position, cursors[run], _to_groups(groups))
        heads.append((run, "0-0" if last_seq == NOTHING else f"{epoch}-{last_seq}"))
    return updates, heads


def _to_groups(found: Sequence[Any]) -> Iterator[StoredGroup]:
    """Yield groups without the frames that the one before has too: a repeated write is stored whole."""
    stored = 0
    for first_seq, last_seq, content in found:
        frames = decode_frames(content)
        skipped = max(0, stored + 1 - first_seq) if first_seq > 0 else 0
        yield StoredGroup(first_seq + skipped, last_seq, frames[skipped:] if skipped else frames)
        stored = last_seq
