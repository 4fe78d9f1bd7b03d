"""One connection to a provider, plain or TLS: reads that wait or do not, writes, and a deadline that shuts it.

Nothing here knows HTTP. TLS runs over memory buffers, so that one read of the socket takes all records that have come:
a provider sends one record for each delta.
"""

from __future__ import annotations

import math
import socket
import ssl
from collections.abc import Hashable

from webapp.offload import SocketReader

READ_BYTES = 64 * 1024
# Below this size a read took all that had come. Of a larger backlog the sender may hold a rest until there is space.
_SMALL_BYTES = 4 * 1024


class NothingSent(OSError):
    """The connection was closed before it took a byte of what was to be sent."""


class Connection:
    """A connected socket. One thread reads and writes it; `shut` may be called from any other.

    Whoever waits for it sets `deadline` (of `time.monotonic`) before; the pool's watchdog then shuts the connection
    and sets `expired`.
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

    def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Do the TLS handshake. Raises `ssl.SSLError`, and `OSError` where the connection breaks."""
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
                self._flush_tls()  # the alert tells the other side why
                raise
            else:
                break
        self._flush_tls()
        self._tls = tls

    def send(self, content: bytes) -> None:
        """Write all of it. Raises `NothingSent` where the connection took not one byte, else `OSError`."""
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
        """Wait for bytes and return all that have come, at most about `READ_BYTES`; b"" at the end.

        Raises `OSError`.
        """
        raw = self._reader.receive(READ_BYTES)
        if self._tls is None:
            return raw
        while (content := self._decrypt(raw)) is None:
            raw = self._reader.receive(READ_BYTES)
        return content

    def receive_now(self) -> bytes | None:
        """Return all that has come, at most about `READ_BYTES`; None where nothing has, b"" at the end.

        Raises `OSError`.
        """
        raw = self._reader.receive_now(READ_BYTES)
        if self._tls is None or raw is None:
            return raw
        while (content := self._decrypt(raw)) is None:
            raw = self._reader.receive_now(READ_BYTES)
            if raw is None:
                return None
        return content

    def has_news(self) -> bool:
        """Return whether an idle connection was closed, or holds bytes that nobody asked for."""
        return self._reader.has_news()

    def shut(self) -> None:
        """End the connection under whoever reads it, from any thread or greenlet."""
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is closed already

    def close(self) -> None:
        """Close the socket; only its reader may do that, or the pool while it is idle."""
        self._reader.close()
        self._sock.close()

    def _decrypt(self, raw: bytes) -> bytes | None:
        """Return the content of all TLS records that are complete; None where none is, b"" at the end."""
        assert self._tls is not None  # noqa: S101  (asked by the callers)
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
            pass  # closed, politely or not
        self._flush_tls()  # an answer to a change of keys
        return b"".join(pieces)

    def _flush_tls(self) -> None:
        if self._outgoing.pending:
            self._sock.sendall(self._outgoing.read())


def may_hold_more(received: bytes) -> bool:
    """Return whether more may have come than one read took."""
    return len(received) >= _SMALL_BYTES
