"""Threads, wake-ups and worker pools, with and without gevent. Besides this module only `worker.py` imports gevent.

Under gevent a blocking call stops every stream of the process. A `WorkerPool` runs such calls from a bounded queue, and
its callers wait for a bounded time.
"""

from __future__ import annotations

import contextvars
import os
import queue
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

from webapp.errors import Unavailable

T = TypeVar("T")

# All timers of a process that stood still fire at once, before the results that have come meanwhile are read.
_LATE_S = 0.1
_RETRY_AFTER_S = 1
_native_threads: set[int] = (
    set()
)  # identifiers of the operating system's threads that run next to gevent's hub


def is_patched() -> bool:
    """Return whether gevent has replaced the standard library's threads."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))


def yield_control() -> None:
    """Yield to other greenlets during a long computation. Does nothing in a thread of the operating system."""
    if is_patched():
        from gevent import monkey, sleep  # noqa: PLC0415  (only where it is imported already)

        if monkey.get_original("_thread", "get_ident")() not in _native_threads:
            sleep(0)


def short_lock() -> Any:
    """Return a lock for critical sections that never block.

    Under gevent it is an unpatched lock: no other greenlet can run during such a section, and a patched lock costs as
    much as the section itself.
    """
    if is_patched():
        from gevent import monkey  # noqa: PLC0415  (only where it is imported already)

        return monkey.get_original("_thread", "allocate_lock")()
    return threading.Lock()


def start_thread(work: Callable[[], None], name: str) -> None:
    """Run `work` in a daemon thread. Raises `RuntimeError` if the system allows no more threads.

    Under gevent it is a greenlet, which starts at once and runs until it first waits; the caller resumes after the
    greenlets that are ready by then. So callers that start work at the same moment are served in order. `work` gets a copy of
    the caller's context variables.
    """
    context = contextvars.copy_context()
    if not is_patched():
        threading.Thread(target=context.run, args=(work,), name=name, daemon=True).start()
        return
    from gevent import get_hub, getcurrent  # noqa: PLC0415  (only where it is imported already)
    from greenlet import greenlet  # noqa: PLC0415

    hub, caller = get_hub(), getcurrent()
    if caller is hub:
        hub.loop.run_callback(greenlet(context.run, hub).switch, work)
        return
    hub.loop.run_callback(caller.switch)
    greenlet(context.run, hub).switch(work)


def start_native_thread(work: Callable[[], None], name: str) -> None:
    """Run `work` in a daemon thread of the operating system, which goes on whatever gevent's event loop does.

    There `work` may use neither the standard library's locks and events nor its logging, which belong to the event loop.
    """
    if not is_patched():
        threading.Thread(target=work, name=name, daemon=True).start()
        return
    from gevent import monkey  # noqa: PLC0415  (only where it is imported already)

    get_ident = monkey.get_original("_thread", "get_ident")

    def run() -> None:
        _native_threads.add(get_ident())
        try:
            work()
        finally:
            _native_threads.discard(get_ident())

    monkey.get_original("_thread", "start_new_thread")(run, ())


def from_native_thread(work: Callable[[], None], name: str) -> Callable[[], None]:
    """Return a function with which a native thread makes the event loop run `work`, in a thread of the loop's own."""
    if not is_patched():
        return lambda: start_thread(work, name)
    from gevent import get_hub  # noqa: PLC0415  (only where it is imported already)

    loop = get_hub().loop

    def run() -> None:
        loop.run_callback_threadsafe(start_thread, work, name)

    return run


class SocketReader:
    """Reads a connected socket, blocking or not.

    Under gevent a blocking read waits for the event loop first, because a first attempt would usually fail, and then
    reads the file descriptor directly. The reader owns a watcher of the event loop: close it before the socket.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._is_blocking = True
        self._watcher: Any = None
        sock.settimeout(None)
        if is_patched():
            from gevent import get_hub  # noqa: PLC0415  (only where it is imported already)

            hub, self._fd = get_hub(), sock.fileno()
            self._wait, self._watcher = hub.wait, hub.loop.io(self._fd, 1)

    def receive(self, size: int) -> bytes:
        """Wait for data and return at most `size` bytes; b"" at the end. Raises `OSError`."""
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
        """Return at most `size` bytes that have arrived; None if there are none, b"" at the end. Raises `OSError`."""
        try:
            if self._watcher is None:
                self._set_blocking(False)
                return self._sock.recv(size)
            return os.read(self._fd, size)
        except BlockingIOError:
            return None

    def is_readable(self) -> bool:
        """Return whether data has arrived or the connection was closed."""
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
    """An auto-resetting event for one waiting thread or greenlet: `wait` clears what `set` has set.

    Under gevent it switches greenlets directly, which costs a fraction of a patched lock. Create it in the thread that
    waits.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._waiting: Any = None
        self._hub: Any = None
        if is_patched():
            from gevent import get_hub, getcurrent  # noqa: PLC0415  (only where it is imported already)

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
                pass  # already set
        elif not self._is_set:
            self._is_set = True
            if self._waiting is not None:
                self._hub.loop.run_callback(self._wake)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until set; return False if `timeout_s` passes first. For one waiter at a time."""
        if self._hub is None:
            return self._lock.acquire(timeout=-1 if timeout_s is None else max(0.0, timeout_s))
        if not self._is_set:
            self._sleep(timeout_s)
        woken, self._is_set = self._is_set, False
        return woken

    def _sleep(self, timeout_s: float | None) -> None:
        timer = None
        timed_out = False

        def on_timeout() -> None:
            nonlocal timed_out
            timed_out = True
            self._wake()

        if timeout_s is not None:
            timer = self._hub.loop.timer(max(0.0, timeout_s))
            timer.start(on_timeout)
        self._waiting = self._current()
        try:
            while not (self._is_set or timed_out):
                self._hub.switch()
        finally:
            self._waiting = None
            if timer is not None:
                timer.close()

    def _wake(self) -> None:
        """Switch to the waiter, if it still waits; called by the event loop."""
        if self._waiting is not None:
            self._waiting.switch()


class _Job(Generic[T]):
    """A call in the queue, with its result."""

    def __init__(self, work: Callable[[], T]) -> None:
        self.work = work
        self.done = threading.Event()
        self.abandoned = False  # the caller waits no longer: skip the work if it has not started
        self.result: T | None = None
        self.error: BaseException | None = None

    def run(self) -> None:
        """Do the work and store its result or exception."""
        if self.abandoned:
            return
        try:
            self.result = self.work()
        except BaseException as error:  # noqa: BLE001  (raised again in the caller)
            if (
                not self.abandoned
            ):  # else nobody would break the cycle of the error, its traceback and this job
                self.error = error


class WorkerPool:
    """A number of daemon threads that serve one bounded queue. The threads start with the first call.

    `native` selects threads of the operating system even under gevent, for work that blocks without yielding (SQLite,
    files). Otherwise they are the standard library's threads, which under gevent are greenlets, for work that waits on
    sockets.
    """

    def __init__(self, name: str, *, workers: int = 1, max_waiting: int = 64, native: bool = False) -> None:
        self._name = name
        self._workers = workers
        self._max_waiting = max_waiting
        self._native = native
        self._lock = threading.Lock()
        self._jobs: Any = None  # a queue, of gevent's or of the interpreter's own
        self._notify: Callable[[_Job[Any]], object] = _notify

    def call(self, work: Callable[[], T], timeout_s: float) -> T:
        """Run `work` in the pool and return or raise its outcome.

        Raises `Unavailable` when the queue is full, or after `timeout_s`; work that has started then continues.
        """
        jobs = self._start()
        if jobs.qsize() >= self._max_waiting:
            raise Unavailable(
                "The database is busy. Try again in a moment.",
                code="store_busy",
                retry_after_s=_RETRY_AFTER_S,
            )
        job = _Job(work)
        try:
            jobs.put(job)
            if not (job.done.wait(timeout_s) or job.done.wait(_LATE_S)):
                raise Unavailable(
                    "The database does not respond in time. Try again in a moment.",
                    code="store_slow",
                    retry_after_s=_RETRY_AFTER_S,
                )
        finally:
            job.abandoned = True
        if job.error is not None:
            try:
                raise job.error
            finally:
                job.error = None  # its traceback refers to this frame: a reference cycle
        return cast(T, job.result)

    def close(self) -> None:
        """Stop the threads once the queue is empty."""
        with self._lock:
            jobs, self._jobs = self._jobs, None
        if jobs is not None:
            for _ in range(self._workers):
                jobs.put(None)

    def _start(self) -> Any:
        """Start the threads, unless they run, and return their queue."""
        with self._lock:
            if self._jobs is None:
                if self._native and is_patched():
                    self._jobs = self._start_native()
                else:
                    self._jobs = queue.SimpleQueue()
                    for _ in range(self._workers):
                        threading.Thread(
                            target=self._serve, args=(self._jobs,), name=self._name, daemon=True
                        ).start()
            return self._jobs

    def _start_native(self) -> Any:
        """Start unpatched threads, which report through gevent's event loop, and return their queue."""
        from _queue import SimpleQueue  # noqa: PLC0415  (the interpreter's own, which gevent does not replace)

        from gevent import get_hub  # noqa: PLC0415  (only where it is imported already)

        loop = get_hub().loop

        def notify(job: _Job[Any]) -> None:
            loop.run_callback_threadsafe(job.done.set)

        self._notify = notify
        jobs: Any = SimpleQueue()
        for _ in range(self._workers):
            start_native_thread(lambda: self._serve(jobs), self._name)
        return jobs

    def _serve(self, jobs: Any) -> None:
        while True:
            job = jobs.get()
            if job is None:
                return
            job.run()
            self._notify(job)
            del job  # an idle thread must not keep the result alive


def _notify(job: _Job[Any]) -> None:
    job.done.set()
