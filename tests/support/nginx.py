"""A real nginx in front of a server: the system's, or Debian's package unpacked into the cache."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from tests.support.debian import unpack
from tests.support.rawhttp import Address, request
from tests.support.server import ROOT, free_port, wait_for

UNPACKED = ROOT / ".cache" / "nginx"
_CONF = """
daemon off; worker_processes 1; pid nginx.pid; error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy;
    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    server {{ listen 127.0.0.1:{port}; {server} }}
}}
"""


class NginxMissing(RuntimeError):
    """No nginx is installed, and none could be unpacked."""


class Nginx:
    """One nginx with the given lines in its `server` block, until the `with` ends."""

    def __init__(self, server: str) -> None:
        self.port = free_port()
        self._server = server
        self._folder = Path(tempfile.mkdtemp(prefix="freshet-nginx-"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> Address:
        return ("127.0.0.1", self.port)

    def __enter__(self) -> Self:
        program = find(UNPACKED)
        if program is None:
            raise NginxMissing("no nginx on the PATH, and none could be unpacked with apt-get and dpkg")
        conf = self._folder / "nginx.conf"
        conf.write_text(_CONF.format(port=self.port, server=self._server))
        command = [str(program), "-e", "stderr", "-p", str(self._folder), "-c", str(conf)]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for(self._answers, 10.0, "nginx")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        shutil.rmtree(self._folder)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "log").read_text()
        try:
            request(self.address, "GET", "/healthz")
        except OSError:
            return False
        return True


def find(folder: Path) -> Path | None:
    """Return the system's nginx, else Debian's, unpacked into `folder`: installing it would start a service."""
    search = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    system = shutil.which("nginx", path=search)
    if system:
        return Path(system)
    unpacked = folder / "usr" / "sbin" / "nginx"
    unpack(folder, unpacked, "nginx")
    return unpacked if unpacked.exists() and "nginx/" in said([str(unpacked), "-v"]) else None


def said(command: list[str]) -> str:
    """Run a command and return what it prints; "" where it cannot be run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except OSError:
        return ""
    return (done.stdout + done.stderr).strip()
