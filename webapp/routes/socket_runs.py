"""The runs of one WebSocket: started, found and stopped in threads of their own, so that none waits for another."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Annotated

import msgspec

from webapp.access.principals import Principal
from webapp.api.start_request import StartBody
from webapp.codecs.websocket import text_message
from webapp.errors import InvalidRequest, RequestError, TooManyRequests, Unavailable
from webapp.frames import Cursor, encode_message
from webapp.logs import set_run
from webapp.routes.stream import receipt_body
from webapp.runs.readers import Reader, ReaderConnection
from webapp.runs.remote_runs import AnyRun
from webapp.services import Services

log_ = logging.getLogger("freshet.http")

_MAX_RUNS = 4
_MAX_REF_CHARS = 200

Ref = str | int | None
"""What a client calls its message by; the reply has it too."""


class SocketMessage(msgspec.Struct, frozen=True):
    """A message of the client; one of the type `start` is also a `StartBody`."""

    type: str
    ref: Annotated[str, msgspec.Meta(max_length=_MAX_REF_CHARS)] | int | None = None
    run: str | None = None
    after: str | None = None
    token: str | None = None


_Place = tuple[AnyRun, Cursor | None]


class _AtEnd(RequestError):
    """There is nothing left to read of a run."""

    status = 204
    code = "at_end"


class SocketRuns:
    """The runs that a connection reads, and those that are being found for it. `send` writes a message to the client."""

    def __init__(
        self, parts: Services, connection: ReaderConnection, send: Callable[[dict[str, object], Ref], None]
    ) -> None:
        self._services = parts
        self._connection = connection
        self._send = send
        self._reading: dict[str, tuple[AnyRun, Reader]] = {}
        self._refs: dict[str, Ref] = {}
        self._found: deque[tuple[_Place | RequestError, Ref]] = deque()
        self._finding = 0

    @property
    def are_read(self) -> bool:
        """Whether the connection reads any run."""
        return bool(self._reading)

    def leave(self) -> None:
        """Stop reading all runs, which continue."""
        for run, _ in self._reading.values():
            self._services.runs.detach(run, self._connection)
        self._reading.clear()

    def start(self, body: StartBody, caller: Principal, ref: Ref) -> None:
        """Start a run and read it. Raises `TooManyRequests`."""
        self._require_place()
        self._find_in_thread(lambda: (self._services.starter.start(body, caller), None), body.run, ref)

    def resume(self, message: SocketMessage, caller: Principal) -> None:
        """Read a run from a cursor on. Raises `TooManyRequests`."""
        if message.run not in self._reading:
            self._require_place()
        self._find_in_thread(lambda: self._find(message, caller), message.run, message.ref)

    def stop(self, message: SocketMessage, caller: Principal) -> None:
        """Stop a run, and send the receipt."""

        def stop() -> None:
            set_run(message.run)
            try:
                receipt = self._services.runs.stop(message.run or "", caller.owner)
                self._send({"stopped": receipt_body(receipt), "run": receipt.run}, message.ref)
            except RequestError as error:
                self._finding += 1
                self._found.append((error, message.ref))
                self._connection.wake.set()
            except OSError:
                pass  # the client has left

        # In a thread, so that the other runs of this connection do not wait for the provider.
        threading.Thread(target=stop, name="stop", daemon=True).start()

    def follow_found(self) -> list[tuple[RequestError, Ref]]:
        """Join the runs that were started or found, and return the errors of the others."""
        refused: list[tuple[RequestError, Ref]] = []
        while self._found:
            found, ref = self._found.popleft()
            self._finding -= 1
            if isinstance(found, RequestError):
                refused.append((found, ref))
            else:
                self._follow(*found, ref)
        return refused

    def take_frames(self) -> list[bytes]:
        """Return the new frames of all runs, encoded, and leave the runs that have ended."""
        writes: list[bytes] = []
        for run_id, (run, reader) in list(self._reading.items()):
            for frame, cursor in reader.take():
                ref = self._refs.get(run_id) if frame.kind == "start" else None
                message = encode_message(frame, run_id, cursor.decode() if cursor else None, ref)
                writes.append(text_message(message))
            if reader.ended:
                del self._reading[run_id]
                self._refs.pop(run_id, None)
                self._services.runs.detach(run, self._connection)
        return writes

    def _find(self, message: SocketMessage, caller: Principal) -> _Place:
        """Return the run to resume and the reader's place in it. Raises `RequestError`."""
        run = self._services.runs.find(message.run or "", caller.owner)
        cursor = None
        if message.after is not None:
            cursor = Cursor.parse(message.after)
            if cursor is None or cursor.run != run.id:
                raise InvalidRequest(
                    "after must be a cursor of this run: run:epoch:seq.", param="after", code="bad_cursor"
                )
        if self._services.runs.has_read_all(run, cursor):
            raise _AtEnd("The answer was read to its end.")
        return run, cursor

    def _require_place(self) -> None:
        if len(self._reading) + self._finding >= _MAX_RUNS:
            raise TooManyRequests(
                f"A connection can read at most {_MAX_RUNS} runs: wait until one has ended.",
                code="too_many_runs",
            )

    def _find_in_thread(self, find: Callable[[], _Place], name: str | None, ref: Ref) -> None:
        """Find or start a run in a thread, so that the connection's other runs do not wait for the database or the journal.

        The run, or the error, is queued for `follow_found`.
        """
        self._finding += 1

        def work() -> None:
            found: _Place | RequestError
            set_run(name)
            try:
                found = find()
            except RequestError as error:
                found = error
            except Exception as error:  # the thread's last handler: a bug must not leave the client waiting
                log_.error("a run could not be started or found", exc_info=error)
                found = Unavailable("Something went wrong on the server.", code="internal")
            self._found.append((found, ref))
            self._connection.wake.set()

        threading.Thread(target=work, name="find", daemon=True).start()

    def _follow(self, run: AnyRun, cursor: Cursor | None, ref: Ref) -> None:
        if run.id in self._reading:
            self._services.runs.detach(self._reading[run.id][0], self._connection)
        self._reading[run.id] = (run, self._services.runs.attach(run, self._connection, cursor))
        self._refs[run.id] = ref
