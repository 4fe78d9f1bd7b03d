"""What the journal of running answers stores and returns; the operations are in `seams.Journal`.

Times are seconds since 1970 by the journal's own clock, never by a worker's. Ids, owners and fingerprints have at most
64 characters. Frames are numbered within an epoch: in epoch 1 from 1; a later epoch begins with a reset, which may be
several frames and as a whole is number 0, and its other frames are numbered from 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from webapp.frames import Frame, StoppedBy

MAX_ID_CHARS = 64
MAX_IDS = 2_000  # runs or groups in one call
MAX_GROUP_BYTES = 128 * 1024**2  # twice the longest answer that can be configured
MAX_REQUEST_BYTES = 1024**2  # of the copy of a request that no conversation has

JournalState = Literal["running", "ended"]
Refusal = Literal["unknown", "seized", "ended", "misplaced"]
"""Why a group was not accepted.

`unknown`: the journal does not have the run, because it expired or the journal lost it, for example by a restart.
`seized`: another epoch or worker has the run; the caller must send no more of it to readers.
`ended`: the run has its terminal frame already, from the same epoch.
`misplaced`: frames between those stored and the group's first are missing; or the group of `end` is not the last.
"""


class JournalGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Consecutive frames of a run, `first_seq` and the following; at least one. They are stored as one row.

    Raises `ValueError` for a group out of bounds.
    """

    run: str
    epoch: int
    first_seq: int
    frames: Sequence[Frame]

    def __post_init__(self) -> None:
        _check_ids(self.run)
        if not self.frames or self.first_seq < 1 or self.epoch < 1:
            raise ValueError("a group has frames, which are numbered from 1 in epochs numbered from 1")
        check_size(self.frames)

    @property
    def last_seq(self) -> int:
        """The number of the last frame."""
        return self.first_seq + len(self.frames) - 1


class JournalEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A run that begins. Raises `ValueError` for values out of bounds.

    Args:
        owner: None for an anonymous caller.
        fingerprint: A digest of the request's body.
        conversation: The conversation that the answer belongs to.
        start: The payload of the run's `start` frame.
        request: What a takeover needs to call the provider: the ids of a stored turn, or a copy of the request of at most
            1 MiB. The journal does not look into it, and deletes it when the run ends.
        worker: The worker that generates the answer.
        temporary: Store no text of this run: of its frames only the terminal one is stored, and `frames` is ignored.
        frames: The first frames, which are stored with the run. In epoch 1 they are numbered from 1.
        epoch: Above 1 for a run that the journal has lost and that its worker stores again; `frames` is then a reset of
            all its text so far. Not empty in that case.
    """

    run: str
    owner: str | None
    fingerprint: str
    start: bytes
    request: bytes
    worker: str
    conversation: str | None = None
    temporary: bool = False
    frames: Sequence[Frame] = ()
    epoch: int = 1

    def __post_init__(self) -> None:
        _check_ids(self.run, self.fingerprint, self.worker, self.owner, self.conversation)
        if len(self.request) > MAX_REQUEST_BYTES:
            raise ValueError("the copy of a request is too large for the journal")
        if self.epoch < 1 or (self.epoch > 1 and not self.frames and not self.temporary):
            raise ValueError("epochs are numbered from 1, and those after the first begin with a reset")
        check_size(self.frames)


class JournalRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it is stored.

    Args:
        request: Empty once the run has ended.
        epoch: The current epoch, from 1.
        last_seq: The number of the last stored frame of that epoch; 0 if there is none but a reset. Of a temporary run,
            0 until it ends.
        takeovers: How often another worker has seized the run.
        stop: Who asked to stop the run, if anybody did.
        read_at: When a reader was last seen; at first when the run began.
        ended_at: None while it is running.
    """

    run: str
    owner: str | None
    fingerprint: str
    conversation: str | None
    start: bytes
    request: bytes
    worker: str
    epoch: int
    last_seq: int
    state: JournalState
    takeovers: int
    stop: StoppedBy | None
    read_at: float
    began_at: float
    ended_at: float | None
    temporary: bool


class JournalCursor(msgspec.Struct, frozen=True):
    """What a reader of a run has: the frames of `epoch` up to number `seq`; (0, 0) is nothing, not even the reset."""

    epoch: int = 0
    seq: int = 0


class JournalUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """What follows a cursor.

    Args:
        epoch: The run's current epoch.
        state: Whether the run has ended. The terminal frame may still follow if `more`.
        last_seq: The number of the last stored frame of the epoch, delivered or not.
        reset: The frames that begin the epoch, if it is newer than the cursor's; they replace all that the reader has.
        frames: The frames that follow the cursor, or the reset. Of a temporary run frames before the first may be
            missing, so compare `first_seq`.
        first_seq: The number of the first of `frames`, or if there are none, of the next.
        cursor: The cursor for the next call. It is the previous one if nothing follows.
        more: Whether more frames are stored than the limit of bytes let through.
    """

    epoch: int
    state: JournalState
    last_seq: int
    reset: Sequence[Frame]
    frames: Sequence[Frame]
    first_seq: int
    cursor: JournalCursor
    more: bool


def check_size(frames: Sequence[Frame]) -> None:
    """Raise `ValueError` if these frames are too large for one group."""
    if sum([len(frame.payload) for frame in frames]) > MAX_GROUP_BYTES:
        raise ValueError("the group is too large for the journal")


def check_reset(frames: Sequence[Frame]) -> None:
    """Raise `ValueError` unless these frames can begin an epoch after the first."""
    if not frames or any(frame.terminal for frame in frames):
        raise ValueError("an epoch after the first begins with a reset, which is not terminal")
    check_size(frames)


def check_count(count: int) -> None:
    """Raise `ValueError` for more runs or groups than one call may have."""
    if count > MAX_IDS:
        raise ValueError(f"a call has at most {MAX_IDS} runs or groups")


def _check_ids(*names: str | None) -> None:
    for name in names:
        if name is not None and (len(name) > MAX_ID_CHARS or "\0" in name):
            raise ValueError(f"an id has at most {MAX_ID_CHARS} characters and no NUL")
