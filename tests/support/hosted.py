"""Postgres and Redis as hosts offer them: with a password and small limits, and where they are Debian's, with TLS alone.

Their certificate is self-signed, as Heroku's is.
"""

from __future__ import annotations

import os
import pwd
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import psycopg
import trustme

from tests.support.debian import ProgramMissing, find_program, unpack
from tests.support.postgres import START_S, Postgres
from tests.support.redis import Redis
from tests.support.server import ROOT, wait_for

PASSWORD = "canary-of-the-database"
CONNECTIONS = 20
_CACHE = ROOT / ".cache"
_HBA = """
{kind} all postgres 127.0.0.1/32 trust
{kind} all all 127.0.0.1/32 scram-sha-256
"""


class HostedPostgres(Postgres):
    """A Postgres with a user who may have twenty connections. `debian`: Debian's, which refuses connections without TLS."""

    def __init__(self, *options: str, debian: bool) -> None:
        self.has_tls = debian
        tls = ("ssl=on", "ssl_cert_file=tls.crt", "ssl_key_file=tls.key", "hot_standby=off") if debian else ()
        super().__init__(*tls, *options, programs=_find_postgres() if debian else None)

    def __enter__(self) -> Self:
        super().__enter__()
        self.execute(f"CREATE ROLE app LOGIN PASSWORD '{PASSWORD}' CONNECTION LIMIT {CONNECTIONS}")
        return self

    def new_url(self) -> str:
        """Create an empty database of the user and return its URL."""
        name = f"test{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} OWNER app")
        return f"postgres://app:{PASSWORD}@localhost:{self.port}/{name}"

    def sessions(self) -> list[tuple[Any, ...]]:
        """Return the process and whether it has TLS, for each session of the user."""
        return self.execute(
            "SELECT pid, ssl FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE usename = 'app'"
        )

    def close_sessions(self, program: str) -> None:
        """Close the sessions of a program from the server's side."""
        self.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{program}'"
        )

    def start_as_standby(self) -> None:
        """Start it as a standby that has not taken over yet, and refuses every connection."""
        self._write("data/standby.signal", b"")
        self._spawn()
        wait_for(lambda: "database system is" in self._refusal(), START_S, "a standby")

    def promote(self) -> None:
        """Let the standby take over, and wait until it accepts connections."""
        assert self._process is not None
        done = subprocess.run(
            [self._bin / "pg_ctl", "promote", "-D", self._data], capture_output=True, timeout=60, **self._as
        )
        assert done.returncode == 0, done.stderr
        wait_for(self._ready, START_S, "the new primary")

    def _refusal(self) -> str:
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError as error:
            return str(error)
        return ""

    def _initialize(self) -> None:
        super()._initialize()
        self._write("data/pg_hba.conf", _HBA.format(kind="hostssl" if self.has_tls else "host").encode())
        certificate, key = _make_certificate()
        self._write("data/tls.crt", certificate)
        self._write("data/tls.key", key)

    def _write(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.write_bytes(content)
        path.chmod(0o600)
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(path, nobody.pw_uid, nobody.pw_gid)


class HostedRedis(Redis):
    """A Redis with a password. `debian`: Debian's, which accepts only TLS."""

    def __init__(self, *options: str, debian: bool) -> None:
        self.has_tls = debian
        program = None
        if debian:
            packages = ("redis-server", "redis-tools", "libatomic1", "libjemalloc2", "liblzf1")
            program = find_program("redis-server", _CACHE / "redis", "usr/bin/redis-server", *packages)
        super().__init__("--requirepass", PASSWORD, *options, program=program)
        if debian:
            self._options = (*self._options, *self._tls_options())

    def url(self, database: int = 0) -> str:
        """Return the URL of a database, as a host sets it."""
        return f"redis{'s' * self.has_tls}://:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def execute(self, *command: str | bytes | float, url: str | None = None) -> Any:
        """Run a command and return its result."""
        return super().execute(*command, url=accept_any(url or self.url()))

    def _tls_options(self) -> Iterable[str]:
        for name, content in zip(("tls.crt", "tls.key"), _make_certificate(), strict=True):
            (self.folder / name).write_bytes(content)
        files = (
            "--tls-cert-file",
            str(self.folder / "tls.crt"),
            "--tls-key-file",
            str(self.folder / "tls.key"),
        )
        return ("--port", "0", "--tls-port", str(self.port), *files, "--tls-auth-clients", "no")


def accept_any(url: str) -> str:
    """Return a Redis URL with which any certificate is accepted."""
    return f"{url}?ssl_cert_reqs=none" if url.startswith("rediss:") else url


def _make_certificate() -> tuple[bytes, bytes]:
    """Return a self-signed certificate and its key."""
    authority = trustme.CA()
    return authority.cert_pem.bytes(), authority.private_key_pem.bytes()


def _find_postgres() -> Path:
    """Return the folder of the programs of Debian's Postgres: the system's, or unpacked. Raises `ProgramMissing`."""
    folder = _CACHE / "postgresql"
    found = _programs_in(Path("/")) or _programs_in(folder)
    if found is None:
        listed = subprocess.run(["apt-cache", "depends", "postgresql"], capture_output=True, text=True)
        version = re.search(r"postgresql-(\d+)", listed.stdout)
        if version is not None:
            packages = (f"postgresql-{version[1]}", "libpq5")
            unpack(folder, folder / f"usr/lib/postgresql/{version[1]}/bin/postgres", *packages)
        found = _programs_in(folder)
    if found is None:
        raise ProgramMissing("no Postgres of Debian, and none could be unpacked with apt-get and dpkg")
    return found


def _programs_in(root: Path) -> Path | None:
    return max((path.parent for path in root.glob("usr/lib/postgresql/*/bin/initdb")), default=None)
