"""One connection to a provider, plain or TLS, with blocking and non-blocking reads.

TLS runs over memory buffers, so that one read of the socket receives many TLS records: a provider sends one record for
each delta.
"""

from __future__ import annotations

import math
import socket
import ssl
from collections.abc import Hashable

from webapp.errors import release_frames
from webapp.offload import SocketReader

READ_BYTES = 64 * 1024
EMPTYING_READ_BYTES = 4 * 1024
"""A smaller read has emptied the socket. After a larger one the sender may have more data waiting for buffer space."""


class NothingSent(OSError):
    """The connection was closed before any byte of the request was sent."""


class Connection:
    """A connected socket. One thread reads and writes; any thread may call `shut`.

    Set `deadline` (of `time.monotonic`) before waiting: when it has passed, the pool's watchdog sets `expired` and shuts
    the connection.
    """

    def __init__(self, sock: socket.socket, key: Hashable) -> None:
        self.key = key
        self.deadline = math.inf
        self.expired = False
        self.idle_since = 0.0
        self.is_reused = False
        self._sock = sock
        self._reader = SocketReader(sock)
        self._tls: ssl.SSLObject | None = None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._failure: OSError | None = None  # raised by the next read, after what was decrypted before it

    def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Do the TLS handshake. Raises `ssl.SSLError`, or `OSError` if the connection breaks."""
        tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush_tls()
                raw = self._reader.receive(READ_BYTES)
                if not raw:
                    raise ConnectionResetError("the connection was closed in the TLS handshake") from None
                self._incoming.write(raw)
            except ssl.SSLError:
                self._flush_tls()  # sends the TLS alert
                raise
            else:
                break
        self._flush_tls()
        self._tls = tls

    def send(self, content: bytes) -> None:
        """Send all of `content`. Raises `NothingSent` if no byte was sent, else `OSError`."""
        if self._tls is not None:
            self._tls.write(content)
            content = self._outgoing.read()
        try:
            sent = self._sock.send(content)
        except OSError as error:
            raise NothingSent(str(error)) from error
        if sent < len(content):
            self._sock.sendall(content[sent:])

    def receive(self) -> bytes:
        """Wait for data and return it, at most about `READ_BYTES`; b"" at the end. Raises `OSError`."""
        raw = self._reader.receive(READ_BYTES) if self._failure is None else b""
        if self._tls is None:
            return raw
        while (content := self._decrypt(raw)) is None:
            raw = self._reader.receive(READ_BYTES)
        return content

    def receive_now(self) -> bytes | None:
        """Return the data that has arrived, at most about `READ_BYTES`; None if there is none, b"" at the end.

        Raises `OSError`.
        """
        raw = self._reader.receive_now(READ_BYTES) if self._failure is None else b""
        if self._tls is None or raw is None:
            return raw
        while (content := self._decrypt(raw)) is None:
            raw = self._reader.receive_now(READ_BYTES)
            if raw is None:
                return None
        return content

    def is_readable(self) -> bool:
        """Return whether data has arrived or the connection was closed; an idle connection is then unusable."""
        return self._reader.is_readable()

    def shut(self) -> None:
        """Shut the socket down, which ends a blocking read in another thread or greenlet."""
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # already closed

    def close(self) -> None:
        """Close the socket. Call it only in the reading thread, or in the pool while the connection is idle."""
        self._reader.close()
        self._sock.close()

    def _decrypt(self, raw: bytes) -> bytes | None:
        """Return the content of all complete TLS records; None if there is none, b"" at the end."""
        assert self._tls is not None  # noqa: S101  (checked by the callers)
        if self._failure is not None:
            raise self._failure
        if raw:
            self._incoming.write(raw)
        else:
            self._incoming.write_eof()
        pieces = []
        try:
            while piece := self._tls.read(READ_BYTES):
                pieces.append(piece)
        except ssl.SSLWantReadError:
            if not pieces:
                return None
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            pass  # closed, with or without close_notify
        except ssl.SSLError as error:
            self._keep_failure(error, pieces)
        try:
            self._flush_tls()  # a key update needs a response
        except OSError as error:
            self._keep_failure(error, pieces)
        return b"".join(pieces)

    def _keep_failure(self, error: OSError, pieces: list[bytes]) -> None:
        """Keep an error for the next read; raise it if nothing was decrypted before it."""
        if not pieces:
            raise error
        release_frames(error)
        self._failure = error

    def _flush_tls(self) -> None:
        if self._outgoing.pending:
            self._sock.sendall(self._outgoing.read())
