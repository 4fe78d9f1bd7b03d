"""A transport without a network: it plays a recording of a provider, byte for byte, for its real decoder."""

from __future__ import annotations

from importlib.resources import files

from webapp.seams import Call, Control

_PAUSE_S = 0.02


class RecordedTransport:
    """Answers every call with the recording of one provider, a line at a time."""

    def __init__(self, provider: str, pause_s: float = _PAUSE_S) -> None:
        self._recording = (files("webapp.providers") / "recordings" / f"{provider}.txt").read_bytes()
        self._pause_s = pause_s

    def post(self, call: Call, control: Control) -> RecordedBody:
        """Play the recording; `call` is not sent anywhere."""
        return RecordedBody(self._recording, control, self._pause_s)


class RecordedBody:
    """A recording as a body: one line a read, each after a pause."""

    def __init__(self, recording: bytes, control: Control, pause_s: float) -> None:
        self._lines = recording.splitlines(keepends=True)
        self._lines.reverse()
        self._control = control
        self._pause_s = pause_s

    @property
    def ended(self) -> bool:
        """Whether all lines were read."""
        return not self._lines

    @property
    def has_more(self) -> bool:
        """Return False: one line comes after the other."""
        return False

    def read(self, *, wait: bool = True) -> bytes:
        """Return the next line after its pause; without `wait` nothing, because none has come yet."""
        if not self._lines or not wait:
            return b""
        line = self._lines.pop()
        if line.strip():
            self._control.wait(self._pause_s)
        return line

    def close(self, *, reuse: bool) -> None:
        """Do nothing: there is no connection."""
