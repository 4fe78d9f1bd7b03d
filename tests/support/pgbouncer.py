"""A real PgBouncer in front of a Postgres, which gives each transaction another session: the system's, or Debian's unpacked.

Root may not run it, so root runs it as `nobody`.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Self

import psycopg

from tests.support.debian import find_program
from tests.support.postgres import Postgres
from tests.support.server import ROOT, free_port, wait_for

UNPACKED = ROOT / ".cache" / "pgbouncer"
_CONF = """
[databases]
* = host=127.0.0.1 port={target}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {sessions}
server_tls_sslmode = prefer
"""


class PgBouncer:
    """One pooler with so many sessions for each database of a server, until the `with` ends."""

    def __init__(self, server: Postgres, sessions: int = 2) -> None:
        self._server = server
        self._sessions = sessions
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="freshet-pgbouncer-"))
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, url: str) -> str:
        """Return the URL of a database of the server, through the pooler."""
        return url.replace(f":{self._server.port}/", f":{self.port}/")

    def __enter__(self) -> Self:
        # Its other libraries are those of every Debian.
        packages = ("pgbouncer", "libc-ares2", "libevent-2.1-7")
        program, environment = find_program("pgbouncer", UNPACKED, "usr/sbin/pgbouncer", *packages)
        (self._folder / "users").write_text('"postgres" ""\n')
        conf = self._folder / "pgbouncer.ini"
        conf.write_text(
            _CONF.format(
                target=self._server.port, port=self.port, folder=self._folder, sessions=self._sessions
            )
        )
        user: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            for path in (self._folder, conf, self._folder / "users"):
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [program, conf], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, **user
            )
        wait_for(self._ready, 10.0, "PgBouncer")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(5)
        shutil.rmtree(self._folder)

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "log").read_text()
        try:
            self._server.execute("SELECT 1", self.url(self._server.url()))
        except psycopg.OperationalError:
            return False
        return True
