"""A call to a server that may load its model first, and sends nothing for as long as that takes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from webapp.errors import AnswerError, Stopped, UpstreamError, release_frames
from webapp.events import Event, ModelLoading
from webapp.offload import start_thread
from webapp.seams import Control, EventStream

NOTICE_AFTER_S = 1.0


class LoadingEvents:
    """The events of a call that a thread of its own makes, up to its first events; see `seams.EventStream`.

    If there are none after `notice_after_s`, and `is_loading()`, the first event is `ModelLoading`. How long the call
    may take at most is up to the transport.
    """

    def __init__(
        self,
        make_call: Callable[[Control], EventStream],
        control: Control,
        is_loading: Callable[[], bool],
        notice_after_s: float = NOTICE_AFTER_S,
    ) -> None:
        self._make_call = make_call
        self._control = _CallControl(control)
        self._is_loading = is_loading
        self._notice_after_s = notice_after_s
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._has_waited = False
        self._is_closed = False
        self._events: EventStream | None = None
        self._first: Sequence[Event] = ()
        self._error: BaseException | None = None
        start_thread(self._run, "freshet-call")

    @property
    def has_more(self) -> bool:
        """See `seams.EventStream`."""
        return bool(self._first) or (self._events is not None and self._events.has_more)

    def read(self, *, wait: bool = True) -> Sequence[Event]:
        """Return the events that have arrived; see `seams.EventStream`."""
        if not self._done.is_set():
            if not wait:
                return ()
            if not self._has_waited:
                self._has_waited = True
                if not self._done.wait(self._notice_after_s) and self._is_loading():
                    return [ModelLoading()]
            self._done.wait()
        if self._first:
            first, self._first = self._first, ()
            return first
        if self._error is not None:
            raise self._error
        return self._events.read(wait=wait) if self._events is not None else ()

    @property
    def rest(self) -> EventStream:
        """See `seams.EventStream`."""
        is_plain = self._done.is_set() and not self._first and self._error is None
        return self._events.rest if is_plain and self._events is not None else self

    def close(self) -> None:
        """End the call, in whatever state it is."""
        with self._lock:
            self._is_closed = True
            is_done = self._done.is_set()
        if not is_done:
            self._control.abort()  # and `_run` closes the events
        elif self._events is not None:
            self._events.close()

    def _run(self) -> None:
        """Make the call and read its first events."""
        try:
            self._events = self._make_call(self._control)
            self._first = self._events.read()
        except BaseException as error:  # noqa: BLE001  (raised where the events are read)
            if isinstance(error, (AnswerError, Stopped)):  # a bug's traceback is logged
                release_frames(error)  # the error may never be raised
            self._error = error
        with self._lock:
            is_closed = self._is_closed
            self._done.set()
        if is_closed and self._events is not None:
            self._events.close()


class _CallControl:
    """The control of a call that can also be ended by the reader of its events."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._abort: Callable[[], None] | None = None
        self._is_aborted = False

    def register_abort(self, abort: Callable[[], None]) -> None:
        """Store the function that ends the call; see `seams.Control`."""
        self._abort = abort
        if self._is_aborted:
            abort()
            raise Stopped
        self._control.register_abort(abort)

    def report_delivery(self, delivered: bool) -> None:
        """See `seams.Control`."""
        self._control.report_delivery(delivered)

    def report_retry(self, error: UpstreamError) -> None:
        """See `seams.Control`."""
        self._control.report_retry(error)

    def wait(self, seconds: float) -> None:
        """Sleep; see `seams.Control`."""
        if self._is_aborted:
            raise Stopped
        self._control.wait(seconds)
        if self._is_aborted:
            raise Stopped

    def abort(self) -> None:
        """End the call."""
        self._is_aborted = True
        if self._abort is not None:
            self._abort()
