"""A transport without a network, which plays a recorded response of a provider to the provider's real decoder."""

from __future__ import annotations

from importlib.resources import files

from webapp.seams import Call, Control

_PAUSE_S = 0.02


class RecordedTransport:
    """Responds to every call with the recording of one provider, a line at a time."""

    def __init__(self, provider: str, pause_s: float = _PAUSE_S) -> None:
        self._recording = (files("webapp.providers") / "recordings" / f"{provider}.txt").read_bytes()
        self._pause_s = pause_s

    def post(self, call: Call, control: Control) -> RecordedBody:
        """Return the recording; `call` is not sent."""
        return RecordedBody(self._recording, control, self._pause_s)


class RecordedBody:
    """A recording as a body: each read returns one line after a pause."""

    def __init__(self, recording: bytes, control: Control, pause_s: float) -> None:
        self._lines = recording.splitlines(keepends=True)
        self._lines.reverse()
        self._control = control
        self._pause_s = pause_s

    @property
    def ended(self) -> bool:
        """Whether all lines have been read."""
        return not self._lines

    @property
    def has_more(self) -> bool:
        """Return False: every read returns all that is due."""
        return False

    def read(self, *, wait: bool = True) -> bytes:
        """Return the next line after its pause; without `wait` return nothing, as if no line had arrived."""
        if not self._lines or not wait:
            return b""
        line = self._lines.pop()
        if line.strip():
            self._control.wait(self._pause_s)
        return line

    def end_within(self, seconds: float) -> None:
        """Do nothing: a recording has an end."""

    def close(self, *, reuse: bool) -> None:
        """Do nothing: there is no connection."""
