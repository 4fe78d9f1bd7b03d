"""Runs Freshet as an operator does: real gunicorn, by the Procfile's line, with few environment variables."""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, Self

from tests.support.cores import starved_s
from tests.support.rawhttp import Address, request
from tests.support.stopwatch import Stopwatch

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / ".cache" / "assets"
PROBE = Path(__file__).parent / "probe"
BAD_LOG = ("Traceback (most recent call last)", "MonkeyPatchWarning", "RecursionError", "never awaited")
START_S, STOP_S = 30.0, 40.0
# The default access of a test's server: visitors, each with a cookie, with the rights of users.
# Local mode would make all of them one user, and would not work behind a test's proxy.
OPEN = {
    "FRESHET_PUBLIC": "true",
    "FRESHET_VISITOR_ANSWERS": "8000",
    "FRESHET_VISITOR_STARTS": "100000",
    "FRESHET_VISITOR_MAX_TOKENS": "1000000",
    "FRESHET_VISITOR_QUESTION_BYTES": str(64 * 1024**2),
    "FRESHET_VISITOR_STORED_BYTES": str(1024**4),
    "FRESHET_VISITOR_MODELS": "all",
    "FRESHET_VISITOR_ORPHAN_S": "86400",
    "FRESHET_ADDRESS_SHARE": "1000",
    "FRESHET_ADDRESS_VISITORS": "100000",
}


class Server:
    """One server with its log, until the `with` ends.

    `env` is added to an environment of a few variables, and to `OPEN` where it does not say who may come in. At the end the log must hold no traceback and no
    warning, unless `dirty_log`, and none of `secrets` in any case. `root` holds its code: another copy is another version.
    """

    common_env: ClassVar[Callable[[], Mapping[str, str]]] = dict
    """Returns the variables of each new server that `env` does not name; see `combination`."""

    @property
    def has_several_workers(self) -> bool:
        """Whether it is told to have more than one worker."""
        return self._env.get("WEB_CONCURRENCY", "1") != "1"

    def __init__(
        self,
        env: Mapping[str, str] | None = None,
        *,
        secrets: tuple[str, ...] = (),
        dirty_log: bool = False,
        expect_status: int = 200,
        root: Path = ROOT,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="freshet-test-"))
        self.secrets = secrets
        self._root = root
        self._dirty_log, self._expect_status = dirty_log, expect_status
        self._env = {**type(self).common_env(), **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def address(self) -> Address:
        """Return the listening address."""
        return ("127.0.0.1", self.port)

    @property
    def url(self) -> str:
        """Return the address as a URL, without a path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """Return its output so far, to stdout and stderr."""
        return (self.folder / "log").read_text(errors="replace")

    @property
    def pid(self) -> int:
        """Return the master's process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def workers(self) -> list[int]:
        """Return the process ids of the workers."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [int(child) for child in children]

    @property
    def worker(self) -> int:
        """Return the process id of the one worker."""
        workers = self.workers
        assert len(workers) == 1, f"workers: {workers}"
        return workers[0]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def start(self) -> None:
        """Start it and wait until `/healthz` responds."""
        for _ in range(3):  # another process may take the port between the check and the start
            self.port = free_port()
            self._spawn()
            if self._wait_ready():
                return
            self._end()
            if "Address already in use" not in self.log:
                break
        raise AssertionError(f"the server did not start:\n{self.log[-4000:]}")

    def stop(self) -> None:
        """End it by SIGTERM, kill it if that fails, and check its log."""
        rest = self._end()
        log = self.log
        assert not rest, f"killed after {STOP_S} s:\n{log[-2000:]}"
        for secret in self.secrets:
            assert secret not in log, f"a secret is in the log: {_around(log, secret)}"
        for sign in () if self._dirty_log else BAD_LOG:
            assert sign not in log, f"{sign}: {_around(log, sign)}"

    def request(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Make one request; a header's underscores become hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return request(self.address, method, path, body, named)

    def descriptors(self) -> int:
        """Return how many files and sockets the workers have open."""
        return sum(1 for worker in self.workers for _ in Path(f"/proc/{worker}/fd").iterdir())

    def holds(self, port: int) -> bool:
        """Return whether the server still has the connection from this port open (Linux)."""
        ends = f":{self.port:04X}", f":{port:04X}"
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            _, local, remote, *_, inode = line.split()[:10]
            if local.endswith(ends[0]) and remote.endswith(ends[1]) and inode != "0":
                return True
        return False

    def wait_closed_from(self, port: int, timeout_s: float) -> float:
        """Wait until the server has closed the connection from this port; return the seconds it took."""
        return wait_for(lambda: not self.holds(port), timeout_s, f"the connection from port {port}, closed")

    def memory_bytes(self) -> int:
        """Return the workers' resident memory, in bytes."""
        pages = [int(Path(f"/proc/{worker}/statm").read_text().split()[1]) for worker in self.workers]
        return sum(pages) * os.sysconf("SC_PAGE_SIZE")

    def starved_s(self) -> float:
        """Return how long the worker that did so the longest has waited for a core, because of other processes or the hypervisor."""
        return max(map(starved_s, self.workers))

    def stopwatch(self) -> Stopwatch:
        """Start to measure what this process and the workers do."""
        return Stopwatch(*self.workers)

    def probe(self, timeout_s: float = 5.0) -> dict[str, int]:
        """Count the workers' live greenlets and the objects of Freshet's own classes, all workers together."""
        counts: Counter[str] = Counter()
        for worker in self.workers:
            counts.update(self.probe_worker(worker, timeout_s))
        return dict(counts)

    def probe_worker(self, worker: int, timeout_s: float = 5.0, *, free: bool = False) -> dict[str, int]:
        """Count one worker's greenlets and objects; with `free`, after it has freed what nothing uses."""
        path = self.folder / "probe.json"
        path.unlink(missing_ok=True)
        os.kill(worker, signal.SIGRTMIN + 1 if free else signal.SIGRTMIN)
        wait_for(path.exists, timeout_s, "the probe's answer")
        counts: dict[str, int] = json.loads(path.read_text())
        return counts

    def wait_log(self, text: str, timeout_s: float = 5.0) -> str:
        """Wait until the log contains `text`; return the log."""
        wait_for(lambda: text in self.log, timeout_s, f"{text!r} in the log")
        return self.log

    def _spawn(self) -> None:
        program, *arguments = shlex.split(procfile_line("web"))
        assert program == "gunicorn"
        env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(PROBE),
            "PROBE_FILE": str(self.folder / "probe.json"),
            "PORT": str(self.port),
            "FRESHET_HOST": "127.0.0.1",
            "FRESHET_DATA_DIR": str(self.folder / "data"),
        } | self._env
        chosen = env.keys() & {"FRESHET_ACCESS_PASSWORD", "FRESHET_PUBLIC", "FRESHET_LOCAL"}
        if not chosen and env["FRESHET_HOST"] == "127.0.0.1":
            env = OPEN | env
        self._share_assets(env)
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", program, *arguments],
                cwd=self._root,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _share_assets(self, env: Mapping[str, str]) -> None:
        """Let the servers of all tests use one build of the page's files: to build them takes a quarter of a start."""
        data = Path(env["FRESHET_DATA_DIR"])
        if self._root == ROOT and data == self.folder / "data" and not data.exists():
            ASSETS.mkdir(parents=True, exist_ok=True)
            data.mkdir()
            (data / "assets").symlink_to(ASSETS)

    def is_ready(self) -> bool:
        """Return whether `/healthz` responds."""
        health = f"{self._env.get('SCRIPT_NAME', '')}/healthz"
        try:
            return request(self.address, "GET", health, timeout_s=5)[0] == self._expect_status
        except OSError:
            return False

    def wait_ended(self, timeout_s: float) -> None:
        """Wait until the master has ended, after a signal; it can then be started again on the same folder."""
        assert self._process is not None
        self._process.wait(timeout_s)

    def _wait_ready(self) -> bool:
        assert self._process is not None
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if self.is_ready():
                return True
            time.sleep(0.05)
        return False

    def _end(self) -> bool:
        process = self._process
        assert process is not None
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
            return True
        return False


def procfile_line(name: str) -> str:
    """Return the command of one of the Procfile's lines."""
    lines = dict(line.split(":", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    return lines[name].strip()


def wait_for(met: Callable[[], bool], timeout_s: float, what: str) -> float:
    """Wait until `met()`, polling every 20 ms; return the seconds it took."""
    began = time.monotonic()
    while not met():
        assert time.monotonic() < began + timeout_s, f"{what}: not within {timeout_s} s"
        time.sleep(0.02)
    return time.monotonic() - began


def free_port() -> int:
    """Return a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _around(log: str, sign: str) -> str:
    at = log.index(sign)
    return log[max(0, at - 500) : at + 2500]
