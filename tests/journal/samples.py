"""Values for tests of the journal: runs, groups and frames that can be told apart."""

from collections.abc import Sequence

from webapp.frames import Frame, encode
from webapp.journal_records import JournalCursor, JournalEntry, JournalGroup, JournalUpdate
from webapp.seams import Journal

TTL_S = 100.0
LONG_S = 1_000.0
NOTHING = JournalCursor()


def text(piece: object) -> Frame:
    return Frame("text", encode({"text": str(piece)}))


def texts(first: int, last: int) -> tuple[Frame, ...]:
    """Return the text frames with these numbers."""
    return tuple(text(number) for number in range(first, last + 1))


def reset(piece: object) -> tuple[Frame, ...]:
    """Return a reset of two frames."""
    return (Frame("reset", encode({"reset": {"text": str(piece)}})), text(f"rest of {piece}"))


def done(piece: object = "done") -> Frame:
    return Frame("done", encode({"done": True, "sha256": str(piece)}), True)


def entry(
    run: str = "run",
    worker: str = "a",
    *,
    owner: str | None = "anna",
    conversation: str | None = None,
    temporary: bool = False,
    frames: Sequence[Frame] = (),
    epoch: int = 1,
) -> JournalEntry:
    return JournalEntry(
        run=run,
        owner=owner,
        fingerprint=f"print of {run}",
        conversation=conversation,
        start=b'{"start":{}}',
        request=f"request of {run}".encode(),
        worker=worker,
        temporary=temporary,
        frames=frames,
        epoch=epoch,
    )


def group(run: str, epoch: int, first: int, last: int) -> JournalGroup:
    return JournalGroup(run=run, epoch=epoch, first_seq=first, frames=texts(first, last))


def ending(run: str, epoch: int, first: int, last: int, terminal: Frame | None = None) -> JournalGroup:
    """Return a last group; its frame `last` is the terminal one."""
    return JournalGroup(
        run=run, epoch=epoch, first_seq=first, frames=(*texts(first, last - 1), terminal or done())
    )


def started(journal: Journal, run: str = "run", worker: str = "a", **values: object) -> None:
    """Begin a run of a worker with a lease."""
    assert journal.renew(worker, TTL_S)
    assert journal.begin(entry(run, worker, **values)) is None  # type: ignore[arg-type]


def read_one(journal: Journal, run: str, cursor: JournalCursor = NOTHING) -> JournalUpdate:
    return journal.read({run: cursor}, 1_000_000)[run]
