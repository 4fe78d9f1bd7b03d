"""gunicorn's gevent worker and log, as far as ours differ.

The worker answers with JSON instead of HTML where a request never reaches the application.
"""

from __future__ import annotations

import errno
import gc
import json
from typing import Any

from gevent import socket
from gevent.server import StreamServer
from gunicorn import util
from gunicorn.glogging import Logger
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine
from gunicorn.workers import ggevent

from webapp.errors import ConfigurationError

_GC_THRESHOLDS = (20_000, 20, 50)  # a frame makes little that refers to itself
_BOOT_ERROR = 3  # gunicorn's word to its master that another try would fail, too
_SPARE_S = 5.0  # between the last word to a reader and the end of the process
_STORE_S = 2.0  # of these, for what waits to be stored


class ServerLogger(Logger):  # type: ignore[misc]
    """gunicorn's own log; of all that is ours it sees the settings first, before anything is preloaded."""

    def setup(self, cfg: Any) -> None:
        """Set up, and see to it that the application is loaded in the worker, after gevent's patches."""
        super().setup(cfg)
        if cfg.preload_app:
            cfg.set("preload_app", False)
            self.warning("preload_app is switched off: it would break the patches that gevent needs")


class QuickSocket(socket.socket):  # type: ignore[misc]
    """A client's socket whose `sendall` tries one plain write first, which nearly always takes all of it."""

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Write all; what one write leaves over goes gevent's own way."""
        sent = self.send(data, flags)
        if sent < len(data):
            super().sendall(memoryview(data)[sent:], flags)


class FairServer(StreamServer):  # type: ignore[misc]
    """Accepts one connection at a time, so that answers in progress get their turn between many new requests."""

    max_accept = 1


ggevent.StreamServer = FairServer  # gunicorn's worker offers no other way to choose it


class Worker(ggevent.GeventWorker):  # type: ignore[misc]
    """Speaks JSON where gunicorn would write a page, and drains the engine when it is told to go."""

    _drained = False

    def load_wsgi(self) -> None:
        """Load the application; what lives as long as the process is then left out of every collection."""
        try:
            super().load_wsgi()
        except ConfigurationError as error:  # one line for the operator, where gunicorn would write fifty
            self.log.error("freshet: %s", error)
            raise SystemExit(_BOOT_ERROR) from None
        services = self._services()
        if services is not None:
            services.store.open()
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GC_THRESHOLDS)

    def run(self) -> None:
        """Serve until told to go; what waits to be stored is stored then."""
        try:
            super().run()
        finally:
            services = self._services()
            if services is not None:
                services.store.close(_STORE_S)

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Serve a connection."""
        if type(client) is socket.socket:
            client = QuickSocket(client.family, client.type, client.proto, fileno=client.detach())
        super().handle(listener, client, addr)

    def notify(self) -> None:
        """Tell the master that we live, and the engine, once, that we shall go."""
        super().notify()
        if not self.alive and not self._drained:
            self._drained = True
            services = self._services()
            if services is not None:
                services.runs.drain(max(1.0, self.cfg.graceful_timeout - _SPARE_S))

    def _services(self) -> Any:
        """Find what the application works with; None before it is there."""
        return getattr(self.wsgi, "extensions", {}).get("freshet")

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Serve a request; who takes or gives nothing for too long is one that has left, not an error."""
        services = self._services()
        if services is not None:
            sock.settimeout(services.write_s)
        try:
            super().handle_request(listener_name, req, sock, addr)
        except TimeoutError as error:
            raise ConnectionResetError(errno.ECONNRESET, "the reader was dropped") from error

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what could not be parsed; everything else is logged, without its query, as a 500."""
        if isinstance(exc, LimitRequestLine):
            status, reason, message = 414, "URI Too Long", "The address is longer than this server takes."
        elif isinstance(exc, LimitRequestHeaders):
            status, reason, message = 431, "Request Header Fields Too Large", "The headers are too large."
        elif type(exc).__module__ == "gunicorn.http.errors":
            status, reason, message = (
                400,
                "Bad Request",
                "The request is not HTTP that this server understands.",
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
            self.log.debug("an error could not be told")
