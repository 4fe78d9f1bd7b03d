"""The servers of a storm, and what is done to them. Signals go only to processes that were started here."""

import contextlib
import os
import signal
import threading
import time
from pathlib import Path

from tests.support.rawhttp import Address
from tests.support.server import BAD_LOG, Server, wait_for
from tests.survival.storm_plan import Strike
from tests.survival.workers import Workers

_READY_S = 30.0
_ENDED_S = 45.0


class Node:
    """One of the places where a server runs. Each deploy is a new server there, on a new port."""

    def __init__(self, workers: Workers, server: Server, began: float) -> None:
        self._workers = workers
        self._server = server
        self._servers = [server]
        self._own: list[Server] = []  # those that `workers` does not stop
        self._orphans: list[int] = []  # workers whose master was killed
        self._began = began
        self._lock = threading.Lock()
        self._frozen: int | None = None
        self.happened: list[str] = []
        self._logs: list[str] | None = None

    @property
    def address(self) -> Address:
        """The address of its newest server."""
        return self._server.address

    @property
    def server(self) -> Server:
        """Its newest server."""
        return self._server

    @property
    def logs(self) -> list[str]:
        """The logs of all its servers so far."""
        return self._logs if self._logs is not None else [server.log for server in self._servers]

    @property
    def is_whole(self) -> bool:
        """Whether its newest server has its one worker, and serves."""
        return len(self._children()) == 1 and self._server.is_ready()

    def strike(self, strike: Strike) -> None:
        """Do what the plan says, and wait until the server can be struck again."""
        self._note(f"{strike.blow} {strike.lasts_s:.2f} s")
        match strike.blow:
            case "kill worker":
                self._kill(self._choose(strike.choice))
            case "kill server":
                children = self._children()
                for pid in (self._server.pid, *children):
                    self._kill(pid)
                self._server.wait_ended(5)
                self._start_again(strike.lasts_s)
            case "kill master":
                self._orphans += self._children()
                self._kill(self._server.pid)
                self._server.wait_ended(5)
                self._start_again(strike.lasts_s)
            case "freeze":
                self._freeze(self._choose(strike.choice), strike.lasts_s)
            case "hup":
                os.kill(self._server.pid, signal.SIGHUP)
            case "roll":
                old, new = self._server, self._workers.server()
                self._servers.append(new)
                self._own.append(new)
                os.kill(old.pid, signal.SIGTERM)
                new.start()
                self._server = new
            case "term" | "quit":
                os.kill(self._server.pid, signal.SIGTERM if strike.blow == "term" else signal.SIGQUIT)
                self._server.wait_ended(_ENDED_S)
                self._start_again(strike.lasts_s)
        self._note(f"{strike.blow}: over")

    def calm(self) -> None:
        """Wait until it serves, and until its former servers have ended."""
        for old in self._servers:
            if old is not self._server:
                old.wait_ended(_ENDED_S)
        wait_for(
            lambda: not any(map(_is_running, self._orphans)), _ENDED_S, "workers without a master, ended"
        )
        wait_for(self._server.is_ready, _READY_S, "a server")

    def close(self) -> list[str]:
        """Stop the servers; return what is wrong with their ends and logs. Idempotent."""
        if self._logs is not None:
            return []
        faults = []
        self._logs = self.logs
        for log in self._logs:
            for sign in BAD_LOG:
                if sign in log:
                    at = log.index(sign)
                    faults.append(f"{sign} in a log:\n{log[max(0, at - 1500) : at + 2500]}")
        for pid in filter(_is_running, self._orphans):
            self._kill(pid)
        for server in self._own:
            try:
                server.__exit__(None, None, None)
            except Exception as error:  # noqa: BLE001 - the others must be stopped, too
                faults.append(f"a server did not end well: {error}")
        return faults

    def _note(self, what: str) -> None:
        self.happened.append(f"{time.monotonic() - self._began:6.2f} s  :{self._server.port}  {what}")

    def _children(self) -> list[int]:
        pid = self._server.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def _choose(self, choice: float) -> int | None:
        children = self._children()
        return children[int(choice * len(children))] if children else None

    def _kill(self, pid: int | None) -> None:
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.kill(pid, signal.SIGKILL)

    def _freeze(self, pid: int | None, seconds: float) -> None:
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            try:
                time.sleep(seconds)  # nothing tells that somebody was frozen for long enough
            finally:
                os.kill(pid, signal.SIGCONT)

    def _start_again(self, after_s: float) -> None:
        time.sleep(after_s)  # the time that a machine is away
        self._server.start()


def _is_running(pid: int) -> bool:
    """Return whether a worker that was started here is still running."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z" and b"gunicorn" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return False
