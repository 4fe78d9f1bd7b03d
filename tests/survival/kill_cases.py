"""What is done at each of the points of `killing.POINTS`, and what must come of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class KillCase:
    """One point.

    Args:
        earlier: The points at which workers with the same run die before.
        hangup: Whether the worker is stopped by SIGHUP to its master, once its answer has begun.
        by_websocket: How often the reader uses a WebSocket.
        end: How the answer ends: `done`, or `error` where it is interrupted.
        calls: How often the provider is called.
    """

    point: str
    earlier: Sequence[str] = ()
    hangup: bool = False
    by_websocket: float = 0.0
    end: Literal["done", "error"] = "done"
    calls: int


_RUNNING = (
    "group committed",
)  # at which the first worker dies, so that the others have something to take over

CASES: Sequence[KillCase] = (
    # The longest ones first, so that none of them is the last one alone.
    KillCase(
        point="takeover ends the answer, saved and not in the journal",
        earlier=(*_RUNNING, "takeover, before its first text"),
        end="error",
        calls=2,
    ),
    # Taken over a second time, an answer ends.
    KillCase(point="takeover claimed", earlier=_RUNNING, end="error", calls=1),
    KillCase(point="takeover begun, provider not called", earlier=_RUNNING, end="error", calls=1),
    KillCase(
        point="takeover, before its first text", earlier=_RUNNING, end="error", calls=2, by_websocket=1.0
    ),
    KillCase(point="takeover not claimed", earlier=_RUNNING, calls=2),
    KillCase(point="run about to be left", hangup=True, calls=2),
    KillCase(point="run left, last frames not stored", hangup=True, calls=2, by_websocket=1.0),
    KillCase(point="run left, lease not released", hangup=True, calls=2),
    KillCase(point="run left, lease released", hangup=True, calls=2, by_websocket=1.0),
    # Nothing was paid for yet.
    KillCase(point="request arrived", calls=1),
    KillCase(point="run written, not committed", calls=1, by_websocket=1.0),
    KillCase(point="run stored, provider not called", calls=1),
    KillCase(point="question stored", calls=1),
    # A takeover has to call the provider again.
    KillCase(point="provider connected", calls=2),
    KillCase(point="before the first text is in the log", calls=2),
    KillCase(point="after the first text is in the log", calls=2, by_websocket=1.0),
    KillCase(point="group written, not committed", calls=2),
    KillCase(point="group committed", calls=2, by_websocket=1.0),
    KillCase(point="answer complete, not saved", calls=2),
    # The answer is whole somewhere.
    KillCase(point="answer saved, end not offered to the journal", calls=1),
    KillCase(point="end written, not committed", calls=1, by_websocket=1.0),
    KillCase(point="end stored, terminal frame not sent", calls=1),
    KillCase(point="terminal frame sent, answer not saved", calls=1),
    KillCase(point="terminal frame sent, answer saved", calls=1, by_websocket=1.0),
)
