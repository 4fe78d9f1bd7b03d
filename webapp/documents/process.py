"""Starts the child process that reads a file, and ends it at its deadline.

The two talk over a pair of sockets, which are cooperative under gevent, so that the event loop goes on. The child is started with
`posix_spawn`, which copies nothing of this process and runs no code of Python's or gevent's between fork and exec.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import msgspec

from webapp.documents.formats import Format
from webapp.documents.jobs import Job, Outcome, ParseLimits, encode_header
from webapp.errors import DocumentRefused, Unavailable
from webapp.search.prepare import IndexedDocument

log_ = logging.getLogger("freshet")

_CHILD = str(Path(__file__).with_name("child.py"))
_READ_BYTES = 262_144
_END_S = 5.0  # within which a process that was killed is gone
_MAX_RESULT_BYTES_PER_CHAR = 16  # of a text: four of UTF-8, and its words beside it
_OVERHEAD_BYTES = 1_000_000  # of a result, beside these: the pages and the title
# What no word contains: scopes begin with the first (see `scope_of`), the others have a meaning in a `tsvector`.
_NOT_IN_WORDS = re.compile(r"[§'\\\0]")


def read_in_child(job: Job, limits: ParseLimits) -> IndexedDocument:
    """Return the text of a job's file with its passages. Raises `DocumentRefused`, and `Unavailable` where no process can be started."""
    deadline = time.monotonic() + limits.time_s
    with _child(limits) as sock:
        try:
            _send(sock, job, deadline)
            result = _receive(
                sock, deadline, limits.text_chars * _MAX_RESULT_BYTES_PER_CHAR + _OVERHEAD_BYTES
            )
        except TimeoutError as error:
            raise DocumentRefused("document_timeout") from error
    return _decode(result, limits)


@contextmanager
def _child(limits: ParseLimits) -> Iterator[socket.socket]:
    """Start the child and yield the socket to it; at the end kill it with its process group."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            os.set_blocking(theirs.fileno(), True)  # gevent's are not
            pid = _spawn(theirs.fileno(), limits)
        try:
            yield ours
        finally:
            _end(pid, ours)


def _spawn(descriptor: int, limits: ParseLimits) -> int:
    """Start the program with the descriptor as its input and output, in a process group of its own, without environment.

    `-I` also keeps this folder from Python's path, where `html.py` would hide the standard library's.
    """
    arguments = [sys.executable or "python3", "-I", _CHILD, msgspec.json.encode(limits).decode()]
    actions = [
        (os.POSIX_SPAWN_DUP2, descriptor, 0),
        (os.POSIX_SPAWN_DUP2, descriptor, 1),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    try:
        return os.posix_spawn(
            arguments[0], arguments, _environment(), file_actions=actions, setpgroup=0, setsigmask=()
        )
    except OSError as error:
        raise Unavailable(
            "No further file can be read at the moment. Try again in a moment.",
            code="documents_busy",
            retry_after_s=2,
        ) from error


def _environment() -> dict[str, str]:
    """Return what the interpreter itself needs: some hosts have its shared library where the system does not look."""
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):
        return {"LD_LIBRARY_PATH": str(sysconfig.get_config_var("LIBDIR"))}
    return {}


def _end(pid: int, sock: socket.socket) -> None:
    """Kill what is left of the child and collect its exit status."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass  # it has ended
    ended = False
    try:
        _receive(sock, time.monotonic() + _END_S, sys.maxsize)  # the memory is free once its socket is closed
        ended = True
    except TimeoutError:
        log_.warning("the process %d, which read a document, does not end", pid)
    try:
        os.waitpid(pid, 0 if ended else os.WNOHANG)
    except ChildProcessError:
        pass  # gevent's event loop was first


def _send(sock: socket.socket, job: Job, deadline: float) -> None:
    _limit_wait(sock, deadline)
    try:
        sock.sendall(encode_header(job))
        sock.sendall(job.data)
        sock.shutdown(socket.SHUT_WR)
    except (BrokenPipeError, ConnectionResetError):
        pass  # it has ended, and may have said why


def _receive(sock: socket.socket, deadline: float, max_bytes: int) -> bytearray:
    """Return all that the child sends, but not more than one read above `max_bytes`. Raises `TimeoutError`."""
    received = bytearray()
    while len(received) <= max_bytes:
        _limit_wait(sock, deadline)
        try:
            chunk = sock.recv(_READ_BYTES)
        except ConnectionResetError:
            break
        if not chunk:
            break
        received += chunk
    return received


def _limit_wait(sock: socket.socket, deadline: float) -> None:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    sock.settimeout(left)


def _decode(result: bytearray, limits: ParseLimits) -> IndexedDocument:
    """Return the child's document, which is checked like any input: the child has read what a stranger made."""
    try:
        outcome = msgspec.msgpack.decode(result, type=Outcome)
    except msgspec.MsgspecError as error:
        log_.warning("a process that read a document ended without an outcome")
        raise DocumentRefused("document_unreadable") from error
    if outcome.document is None:
        raise DocumentRefused(outcome.refused or "document_unreadable")
    if not _is_sound(outcome.document, limits):
        log_.warning("a process that read a document returned one that cannot be")
        raise DocumentRefused("document_unreadable")
    return outcome.document


def _is_sound(document: IndexedDocument, limits: ParseLimits) -> bool:
    parsed, passages = document.parsed, document.passages
    pages, length = parsed.pages, len(parsed.text)
    return (
        length <= limits.text_chars
        and parsed.media_type in set(Format)
        and all(first <= second for first, second in pairwise(pages))
        and (not pages or (pages[0] == 0 and pages[-1] <= length))
        and len(document.words) == len(passages)
        and all(
            each.number == number
            and 0 <= each.start < each.end <= length
            and (each.page is None or 1 <= each.page <= len(pages))
            for number, each in enumerate(passages)
        )
        and not any(map(_NOT_IN_WORDS.search, document.words))
    )
