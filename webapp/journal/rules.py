"""Decisions that the journals share, without I/O: which groups are accepted, and what a reader gets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from webapp.frames import Frame
from webapp.journal_records import (
    JournalCursor,
    JournalGroup,
    JournalState,
    JournalUpdate,
    Refusal,
)

NOTHING = -1  # the `last_seq` of an epoch of which nothing is stored, not even a reset
POLL_S = 0.05


class Position(msgspec.Struct, frozen=True):
    """Who writes a run, and how far it is stored. `last_seq` is `NOTHING`, 0 after a reset, or a frame's number."""

    worker: str
    epoch: int
    state: JournalState
    last_seq: int
    temporary: bool


class StoredGroup(msgspec.Struct, frozen=True):
    """Stored frames of one epoch. A reset has the numbers 0 and 0, however many frames it is."""

    first_seq: int
    last_seq: int
    frames: Sequence[Frame]


def check_append(group: JournalGroup) -> None:
    """Raise `ValueError` for a terminal frame."""
    if any(frame.terminal for frame in group.frames):
        raise ValueError("a terminal frame is stored by `end`")


def check_end(group: JournalGroup) -> None:
    """Raise `ValueError` unless exactly the last frame is terminal."""
    if any(frame.terminal for frame in group.frames[:-1]) or not group.frames[-1].terminal:
        raise ValueError("the last frame of `end`, and no other, is terminal")


def refuse_append(position: Position | None, worker: str, group: JournalGroup) -> Refusal | None:
    """Return why a group is not accepted; None if it is, even if all of it is stored already.

    Raises `ValueError` for a terminal frame.
    """
    check_append(group)
    if position is None:
        return "unknown"
    if position.epoch != group.epoch or position.worker != worker:
        return "seized"
    if group.last_seq <= position.last_seq:
        return None
    if position.state == "ended":
        return "ended"
    return "misplaced" if _leaves_gap(position, group) else None


def refuse_end(
    position: Position | None, worker: str, group: JournalGroup, stored: Frame | None
) -> Refusal | None:
    """Return why a run's last group is not accepted; None if it is, or was already.

    `stored` is the stored terminal frame of a run that has ended. Raises `ValueError` unless exactly the last frame is terminal.
    """
    check_end(group)
    if position is None:
        return "unknown"
    if position.epoch != group.epoch or position.worker != worker:
        return "seized"
    if position.state == "ended":
        same = group.last_seq == position.last_seq and stored == group.frames[-1]
        return None if same else "ended"
    return "misplaced" if _leaves_gap(position, group) or group.last_seq <= position.last_seq else None


def frames_to_store(position: Position, group: JournalGroup) -> StoredGroup | None:
    """Return the part of an accepted group that is not stored yet and may be; None if there is none."""
    if position.temporary:
        last = group.frames[-1]
        return StoredGroup(group.last_seq, group.last_seq, (last,)) if last.terminal else None
    skipped = max(0, position.last_seq + 1 - group.first_seq)
    if skipped >= len(group.frames):
        return None
    return StoredGroup(group.first_seq + skipped, group.last_seq, group.frames[skipped:])


def first_group(frames: Sequence[Frame], epoch: int, *, temporary: bool) -> StoredGroup | None:
    """Return the first group of a run that begins: its first frames, or in a later epoch a reset."""
    if temporary or not frames:
        return None
    return StoredGroup(1, len(frames), frames) if epoch == 1 else StoredGroup(0, 0, frames)


def position_of_reader(position: Position, cursor: JournalCursor) -> int:
    """Return the number of the last frame of the current epoch that a reader has; `NOTHING` if its epoch is another."""
    return cursor.seq if cursor.epoch == position.epoch else NOTHING


def make_update(position: Position, cursor: JournalCursor, groups: Iterable[StoredGroup]) -> JournalUpdate:
    """Return what follows a cursor. `groups` are the first of those that follow it, in order."""
    had = position_of_reader(position, cursor)
    seq, first_seq = had, None
    reset: Sequence[Frame] = ()
    frames: list[Frame] = []
    for group in groups:
        if group.first_seq == 0:
            reset = group.frames
        else:
            skipped = max(0, had + 1 - group.first_seq)
            if first_seq is None:
                first_seq = group.first_seq + skipped
            frames += group.frames[skipped:] if skipped else group.frames
        seq = group.last_seq
    return JournalUpdate(
        epoch=position.epoch,
        state=position.state,
        last_seq=max(0, position.last_seq),
        reset=reset,
        frames=frames,
        first_seq=max(0, seq) + 1 if first_seq is None else first_seq,
        cursor=cursor if seq == had else JournalCursor(position.epoch, seq),
        more=seq < position.last_seq,
    )


def has_news(update: JournalUpdate) -> bool:
    """Return whether a waiting reader must be told of an update."""
    return bool(update.frames or update.reset) or update.state == "ended"


def _leaves_gap(position: Position, group: JournalGroup) -> bool:
    return not position.temporary and group.first_seq > max(0, position.last_seq) + 1
