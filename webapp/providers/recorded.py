"""A transport without a network: it plays a recording of a provider, byte for byte, for its real decoder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.resources import files

from webapp.seams import Call, Control

_PAUSE_S = 0.02


class RecordedTransport:
    """Answers every call with the recording of one provider, a line at a time."""

    def __init__(self, provider: str, pause_s: float = _PAUSE_S) -> None:
        self._recording = (files("webapp.providers") / "recordings" / f"{provider}.txt").read_bytes()
        self._pause_s = pause_s

    @contextmanager
    def post(self, call: Call, control: Control) -> Iterator[Iterable[bytes]]:
        """Play the recording; `call` is not sent anywhere."""
        yield self._played(control)

    def _played(self, control: Control) -> Iterator[bytes]:
        for line in self._recording.splitlines(keepends=True):
            if line.strip():
                control.wait(self._pause_s)
            yield line
