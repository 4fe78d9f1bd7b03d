"""Blocking work, done where it blocks nobody: the one module besides the server's own that names gevent.

Under gevent one blocked call stops every stream of the process. A `WorkerPool` takes such calls in order, from a
bounded queue, and whoever asks waits for a bounded time. Without gevent its threads are plain ones.
"""

from __future__ import annotations

import os
import queue
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

from webapp.errors import Unavailable

T = TypeVar("T")

_RETRY_AFTER_S = 1
_native: set[int] = set()  # the threads beneath gevent, by the system's own names for them


def patched() -> bool:
    """Tell whether gevent has taken the place of the standard library's threads."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))


def breathe() -> None:
    """Let others work, in the middle of a long computation; nothing where the threads are the system's."""
    if patched():
        from gevent import monkey, sleep  # noqa: PLC0415  (only where it is there already)

        if monkey.get_original("_thread", "get_ident")() not in _native:
            sleep(0)


def short_lock() -> Any:
    """Return a lock for sections that never wait for anything.

    It is the interpreter's own also under gevent, where nobody else can run in such a section; a patched lock costs
    as much as the section.
    """
    if patched():
        from gevent import monkey  # noqa: PLC0415  (only where it is there already)

        return monkey.get_original("_thread", "allocate_lock")()
    return threading.Lock()


def start_thread(work: Callable[[], None], name: str) -> None:
    """Run `work` in a thread of its own, which ends with the process. Raises `RuntimeError` where none can be had.

    Under gevent that is a greenlet, which runs at once, up to where it waits for something; then others get their
    turn, and the caller goes on after them. So of many callers at the same moment the first is served first.
    """
    if not patched():
        threading.Thread(target=work, name=name, daemon=True).start()
        return
    from gevent import get_hub, getcurrent  # noqa: PLC0415  (only where it is there already)
    from greenlet import greenlet  # noqa: PLC0415

    hub, caller = get_hub(), getcurrent()
    if caller is hub:
        hub.loop.run_callback(greenlet(work, hub).switch)
        return
    hub.loop.run_callback(caller.switch)
    greenlet(work, hub).switch()


class SocketReader:
    """Reads a connected socket: what has come, or waiting for it.

    Under gevent it waits before it reads, because nothing has come yet when a reader waits, and reads the descriptor
    itself; it holds a watcher of the event loop, which must be closed before the socket.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._is_blocking = True
        self._watcher: Any = None
        sock.settimeout(None)
        if patched():
            from gevent import get_hub  # noqa: PLC0415  (only where it is there already)

            hub, self._fd = get_hub(), sock.fileno()
            self._wait, self._watcher = hub.wait, hub.loop.io(self._fd, 1)

    def receive(self, size: int) -> bytes:
        """Wait for bytes and return at most `size`; b"" at the end. Raises `OSError`."""
        if self._watcher is None:
            self._set_blocking(True)
            return self._sock.recv(size)
        while True:
            self._wait(self._watcher)
            try:
                return os.read(self._fd, size)
            except BlockingIOError:
                continue

    def receive_now(self, size: int) -> bytes | None:
        """Return at most `size` bytes that have come; None where none has, b"" at the end. Raises `OSError`."""
        try:
            if self._watcher is None:
                self._set_blocking(False)
                return self._sock.recv(size)
            return os.read(self._fd, size)
        except BlockingIOError:
            return None

    def has_news(self) -> bool:
        """Return whether bytes have come, or the connection was closed."""
        self._set_blocking(False)
        try:
            self._sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            pass
        finally:
            self._set_blocking(True)
        return True

    def close(self) -> None:
        """Release the watcher. The socket stays open."""
        if self._watcher is not None:
            self._watcher.close()

    def _set_blocking(self, is_blocking: bool) -> None:
        if is_blocking != self._is_blocking:
            self._is_blocking = is_blocking
            self._sock.settimeout(None if is_blocking else 0)


class Wake:
    """Wakes one waiting thread or greenlet: a flag that `set` raises, any number of times, and `wait` lowers.

    Under gevent it switches greenlets directly; a lock of the standard library costs several times as much there.
    Create it where it is waited for.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._waiting: Any = None
        self._hub: Any = None
        if patched():
            from gevent import get_hub, getcurrent  # noqa: PLC0415  (only where it is there already)

            self._hub, self._current = get_hub(), getcurrent
        else:
            self._lock = threading.Lock()
            self._lock.acquire()

    def set(self) -> None:
        """Wake the waiter, now or when it next waits."""
        if self._hub is None:
            try:
                self._lock.release()
            except RuntimeError:
                pass  # it is set already
        elif not self._is_set:
            self._is_set = True
            if self._waiting is not None:
                self._hub.loop.run_callback(self._wake)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Sleep until set; return False when `timeout_s` passed first. For one waiter at a time."""
        if self._hub is None:
            return self._lock.acquire(timeout=-1 if timeout_s is None else max(0.0, timeout_s))
        if not self._is_set:
            self._sleep(timeout_s)
        woken, self._is_set = self._is_set, False
        return woken

    def _sleep(self, timeout_s: float | None) -> None:
        timer = None
        late = False

        def end() -> None:
            nonlocal late
            late = True
            self._wake()

        if timeout_s is not None:
            timer = self._hub.loop.timer(max(0.0, timeout_s))
            timer.start(end)
        self._waiting = self._current()
        try:
            while not (self._is_set or late):
                self._hub.switch()
        finally:
            self._waiting = None
            if timer is not None:
                timer.close()

    def _wake(self) -> None:
        """Switch to the waiter, if there still is one; called by the event loop."""
        if self._waiting is not None:
            self._waiting.switch()


class _Job(Generic[T]):
    """One piece of work, and whoever waits for it."""

    def __init__(self, work: Callable[[], T]) -> None:
        self.work = work
        self.done = threading.Event()
        self.given_up = False  # nobody waits any more: work that has not begun is not begun
        self.result: T | None = None
        self.error: BaseException | None = None

    def do(self) -> None:
        """Do it, keeping what comes of it."""
        if self.given_up:
            return
        try:
            self.result = self.work()
        except BaseException as error:  # noqa: BLE001  (it belongs to whoever waits)
            self.error = error


class WorkerPool:
    """So many threads and one bounded queue.

    `native` asks for threads of the operating system also under gevent, for what never gives way (SQLite,
    files). Otherwise the threads are the standard library's, which under gevent are greenlets: right for
    what waits on sockets. Threads begin with the first call and are daemons.
    """

    def __init__(self, name: str, *, workers: int = 1, most_waiting: int = 64, native: bool = False) -> None:
        self._name = name
        self._workers = workers
        self._most_waiting = most_waiting
        self._native = native
        self._lock = threading.Lock()
        self._jobs: Any = None  # a queue, of gevent's or of the interpreter's own
        self._tell: Callable[[_Job[Any]], object] = _tell

    def call(self, work: Callable[[], T], patience_s: float) -> T:
        """Do `work` in the lane and give what it returns or raises.

        Raises `Unavailable` when too much is waiting, or after `patience_s`; work that has begun goes on then.
        """
        jobs = self._started()
        if jobs.qsize() >= self._most_waiting:
            raise Unavailable(
                "Too much is waiting to be stored or read.", code="store_busy", retry_after_s=_RETRY_AFTER_S
            )
        job = _Job(work)
        try:
            jobs.put(job)
            if not job.done.wait(patience_s):
                raise Unavailable(
                    "The conversations take too long to answer.",
                    code="store_slow",
                    retry_after_s=_RETRY_AFTER_S,
                )
        finally:
            job.given_up = True
        if job.error is not None:
            try:
                raise job.error
            finally:
                job.error = None  # the traceback would keep all of this alive
        return cast(T, job.result)

    def close(self) -> None:
        """Let the threads go once they have done what is waiting."""
        with self._lock:
            jobs, self._jobs = self._jobs, None
        if jobs is not None:
            for _ in range(self._workers):
                jobs.put(None)

    def _started(self) -> Any:
        with self._lock:
            if self._jobs is None:
                if self._native and patched():
                    self._jobs = self._start_native()
                else:
                    self._jobs = queue.SimpleQueue()
                    for _ in range(self._workers):
                        threading.Thread(
                            target=self._serve, args=(self._jobs,), name=self._name, daemon=True
                        ).start()
            return self._jobs

    def _start_native(self) -> Any:
        """Start threads beneath gevent; what they have done is told through its loop."""
        from _queue import SimpleQueue  # noqa: PLC0415  (the interpreter's own, which gevent does not replace)

        from gevent import get_hub, monkey  # noqa: PLC0415  (only where it is there already)

        loop = get_hub().loop

        def tell(job: _Job[Any]) -> None:
            loop.run_callback_threadsafe(job.done.set)

        self._tell = tell
        jobs: Any = SimpleQueue()
        start = monkey.get_original("_thread", "start_new_thread")
        name = monkey.get_original("_thread", "get_ident")

        def serve() -> None:
            _native.add(name())
            try:
                self._serve(jobs)
            finally:
                _native.discard(name())

        for _ in range(self._workers):
            start(serve, ())
        return jobs

    def _serve(self, jobs: Any) -> None:
        while True:
            job = jobs.get()
            if job is None:
                return
            job.do()
            self._tell(job)
            del job


def _tell(job: _Job[Any]) -> None:
    job.done.set()
