"""The server's gevent worker and log, derived from gunicorn's.

The worker answers with JSON instead of HTML if a request does not reach the application.
"""

from __future__ import annotations

import errno
import gc
import json
import logging
import os
import signal
import time
from typing import Any

from gevent import socket
from gevent.server import StreamServer
from gunicorn import util
from gunicorn.glogging import Logger
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine
from gunicorn.workers import ggevent

from webapp.errors import ConfigurationError
from webapp.logs import chosen_formatter, set_run, shorten_ids

log_ = logging.getLogger("freshet.http")

_GC_THRESHOLDS = (20_000, 20, 50)  # high, because a frame creates few reference cycles
_BOOT_ERROR = 3  # gunicorn's exit code that keeps the master from starting another worker
_SPARE_S = 5.0  # between the end of draining and the end of the process
_STORE_S = 2.0  # of these, for pending writes of the store
_JOURNAL_S = 0.5  # for those of the journal
_END_S = 1.5  # and for the engine to end the runs that are still in progress then


class ServerLogger(Logger):  # type: ignore[misc]
    """gunicorn's log, which also switches off preloading: it is set up before gunicorn would load the application."""

    def setup(self, cfg: Any) -> None:
        """Set up the log, and make gunicorn load the application in the worker, after gevent's patches."""
        super().setup(cfg)
        if cfg.preload_app:
            cfg.set("preload_app", False)
            self.warning(
                "preload_app is switched off: gevent must patch the standard library before the application is loaded"
            )

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> dict[str, Any]:
        """Return the values of the access log, without query strings, whole ids and tokens, and Referer."""
        path = shorten_ids(environ.get("PATH_INFO") or "")
        line = f"{environ.get('REQUEST_METHOD')} {path} {environ.get('SERVER_PROTOCOL')}"
        found: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        return found | {"U": path, "r": line, "q": "", "f": "-"}

    def _set_handler(self, log: Any, output: Any, fmt: Any, stream: Any = None) -> None:
        """Write the lines in the form that the settings name."""
        del fmt
        super()._set_handler(log, output, chosen_formatter(), stream)


class QuickSocket(socket.socket):  # type: ignore[misc]
    """A client's socket whose `sendall` tries a plain `send` first, which nearly always writes everything.

    The socket's timeout is for each 8 KiB, so that a slow client meets it whatever the size of a write.
    """

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Write all of `data`; gevent's slower `sendall` writes what one `send` leaves."""
        sent = self.send(data, flags)
        if sent < len(data):
            rest = memoryview(data)[sent:]
            for start in range(0, len(rest), _TIMED_BYTES):
                super().sendall(rest[start : start + _TIMED_BYTES], flags)


_TIMED_BYTES = 8 * 1024
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_LOG_EVERY_S = 60.0
_PAUSE_S = 0.1
_READ_BYTES = 64 * 1024
_FULL_BODY = b'{"error":{"message":"The server is full: try again in a few seconds.","type":"server_error","param":null,"code":"full"}}'
_FULL_RESPONSE = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\nContent-Type: application/json\r\n"
    b"Cache-Control: no-store\r\nContent-Length: %d\r\n\r\n%b" % (len(_FULL_BODY), _FULL_BODY)
)


class FairServer(StreamServer):  # type: ignore[misc]
    """Accepts one connection per turn of the event loop, so that many new requests do not delay current answers.

    Connections are `QuickSocket`s.
    """

    max_accept = 1
    _spare: int | None = None
    _logged_at = -_LOG_EVERY_S

    def do_read(self) -> Any:
        """Accept a connection. Without free descriptors, refuse it with 503 by a spare one, and log that once a minute."""
        try:
            descriptor, address = self.socket._accept()
        except BlockingIOError:  # another worker was faster
            return None
        except OSError as error:
            if error.errno not in _EXHAUSTED:
                raise
            self._log_exhausted(error)
            self._accept_with_spare()
            return None
        if not self._has_spare():  # the last descriptor: it must serve to refuse others
            self._refuse(descriptor)
            return None
        listener = self.socket
        return QuickSocket(listener.family, listener.type, listener.proto, fileno=descriptor), address

    def _log_exhausted(self, error: OSError) -> None:
        now = time.monotonic()
        if now - self._logged_at >= _LOG_EVERY_S:
            self._logged_at = now
            log_.error(
                "no connection can be accepted: %s. Those that are open go on, new ones get 503. "
                "Raise the limit of open files (ulimit -n) or lower FRESHET_MAX_STREAMS",
                os.strerror(error.errno or 0),
            )

    def _accept_with_spare(self) -> None:
        """Accept a connection and refuse it; without a spare descriptor, pause before the next try."""
        if self._spare is None:
            self.stop_accepting()
            self._timer = self.loop.timer(_PAUSE_S)
            self._timer.start(self._start_accepting_if_started)
            return
        os.close(self._spare)
        self._spare = None
        try:
            descriptor, _ = self.socket._accept()
        except OSError:
            self._has_spare()  # the client has left, or another thread took the descriptor
        else:
            self._refuse(descriptor)

    def _refuse(self, descriptor: int) -> None:
        try:
            os.set_blocking(descriptor, False)
            os.write(descriptor, _FULL_RESPONSE)
            os.read(descriptor, _READ_BYTES)  # unread bytes would reset the connection
        except OSError:
            pass  # the client has left, or has sent nothing yet
        finally:
            os.close(descriptor)
            self._has_spare()

    def _has_spare(self) -> bool:
        """Return whether there is a spare descriptor, after opening one if need be."""
        if self._spare is None:
            try:
                self._spare = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                return False
        return True


ggevent.StreamServer = FairServer  # gunicorn's worker has no option for it


class Worker(ggevent.GeventWorker):  # type: ignore[misc]
    """Answers early errors with JSON, and drains the run engine before it exits."""

    _drain_by: float | None = None  # when the runs must have ended; None until the worker is stopped
    _is_quitting = False

    def load_wsgi(self) -> None:
        """Load the application, open its store, and exclude the objects created so far from garbage collection."""
        try:
            super().load_wsgi()
        except ConfigurationError as error:  # one line, where gunicorn would log a traceback
            self.log.error("freshet: %s", error)
            raise SystemExit(_BOOT_ERROR) from None
        services = self._services()
        if services is not None:
            services.store.open()
            services.ended_answers.start_sweeping()
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GC_THRESHOLDS)

    def run(self) -> None:
        """Serve until the worker is stopped, then let the runs end and the store finish its pending writes."""
        services = self._services()
        if services is not None:
            services.runs.open()
            services.providers.refresh_models()  # so that the first page shows what the providers list
        grace_s = 0.0  # after SIGINT and SIGQUIT, which raise `SystemExit`, nobody waits
        try:
            super().run()
            grace_s = self._grace_s
        finally:
            services = self._services()
            if services is not None:
                self._end_runs(services.runs, grace_s)
                services.runs.close(_JOURNAL_S)
                services.store.close(_STORE_S)

    @property
    def _grace_s(self) -> float:
        """How long runs may go on after the worker was stopped."""
        return max(1.0, float(self.cfg.graceful_timeout) - _SPARE_S)

    def _drain(self, runs: Any, within_s: float) -> None:
        """Start no more runs, and end those that are in progress after `within_s`, or earlier if that was said before."""
        drain_by = time.monotonic() + within_s
        if self._drain_by is None or drain_by < self._drain_by:
            self._drain_by = drain_by
            runs.drain(within_s)

    def _end_runs(self, runs: Any, within_s: float) -> None:
        """Wait for the runs, also those that nobody reads; the connections have ended by now."""
        self._drain(runs, within_s)
        while self._drain_by is not None and time.monotonic() < self._drain_by + _END_S:
            if runs.wait_until_idle(1.0):
                return
            self.tmp.notify()  # the master would kill a worker without a heartbeat

    def init_signals(self) -> None:
        """Stop on SIGHUP as on SIGTERM: a terminal that closes sends it to all processes, and gunicorn's worker would die of it."""
        super().init_signals()
        signal.signal(signal.SIGHUP, self.handle_exit)
        signal.siginterrupt(signal.SIGHUP, False)

    def handle_quit(self, sig: int, frame: Any) -> None:
        """Stop at once. Ctrl-C reaches the worker twice, also through the master: the second must not end `run`'s last work."""
        if not self._is_quitting:
            self._is_quitting = True
            super().handle_quit(sig, frame)

    def notify(self) -> None:
        """Send the master its heartbeat; once the worker is stopping, drain the engine."""
        super().notify()
        if not self.alive:
            services = self._services()
            if services is not None:
                self._drain(services.runs, self._grace_s)

    def _services(self) -> Any:
        """Return the application's `Services`; None before it is loaded."""
        return getattr(self.wsgi, "extensions", {}).get("freshet")

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Serve a request; a client that stalls for `write_s` is treated as one that has left, not as an error."""
        set_run(None)  # the connection's last request may have been about one
        services = self._services()
        if services is not None:
            sock.settimeout(services.write_s)
        try:
            super().handle_request(listener_name, req, sock, addr)
        except TimeoutError as error:
            raise ConnectionResetError(errno.ECONNRESET, "the client stalled") from error
        if not self.alive:
            raise StopIteration  # which closes the connection: the client's next request must reach another worker

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer a request that could not be parsed; any other error is a 500, logged without the query string."""
        if isinstance(exc, LimitRequestLine):
            status, reason, message = (
                414,
                "URI Too Long",
                "The URL is longer than this server accepts: send a POST instead.",
            )
        elif isinstance(exc, LimitRequestHeaders):
            status, reason, message = (
                431,
                "Request Header Fields Too Large",
                "The request headers are too large.",
            )
        elif type(exc).__module__ == "gunicorn.http.errors":
            status, reason, message = (
                400,
                "Bad Request",
                "The request is not valid HTTP.",
            )
        else:
            self.log.error("request failed: %s", type(exc).__name__, exc_info=exc)
            status, reason, message = 500, "Internal Server Error", "Something went wrong on the server."
        kind = "server_error" if status == 500 else "invalid_request_error"
        body = json.dumps({"error": {"message": message, "type": kind, "param": None, "code": None}})
        head = (
            f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        try:
            util.write_nonblock(client, (head + body).encode())
        except OSError:
            self.log.debug("an error response could not be sent")
