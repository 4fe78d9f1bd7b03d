"""A deployed Freshet: a copy of the checkout, its own virtual environment, real gunicorn."""

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.support.rawhttp import Address, request
from tests.support.server import BAD_LOG, ROOT, free_port, procfile_line, wait_for

INSTALL_S = 280.0
START_S, STOP_S = 30.0, 40.0


def copy_checkout(folder: Path) -> Path:
    """Copy the tracked files, as a host gets them."""
    listed = run(["git", "ls-files", "-z"], cwd=ROOT).split("\0")
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def make_venv(folder: Path, *install: str, cwd: Path) -> Path:
    """Create a virtual environment and install into it; return its `bin`."""
    run([sys.executable, "-m", "venv", str(folder)], cwd=cwd)
    pip(folder / "bin", "install", *install, cwd=cwd)
    return folder / "bin"


def pip(bin_: Path, *arguments: str, cwd: Path) -> str:
    return run([str(bin_ / "python"), "-m", "pip", "--disable-pip-version-check", *arguments], cwd=cwd)


def run(command: list[str], *, cwd: Path) -> str:
    """Run a command that must succeed; return its output."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=INSTALL_S)
    assert done.returncode == 0, f"{shlex.join(command)}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


class Hosted:
    """Runs the Procfile's line in a virtual environment, without this process's environment variables."""

    def __init__(self, bin_: Path, cwd: Path, folder: Path, env: Mapping[str, str] | None = None) -> None:
        self._bin, self._cwd, self._folder = bin_, cwd, folder
        self._env = dict(env or {})
        self.port = free_port()

    @property
    def address(self) -> Address:
        return ("127.0.0.1", self.port)

    @property
    def log(self) -> str:
        """Return the output to stdout and stderr."""
        return (self._folder / "log").read_text(errors="replace")

    @property
    def workers(self) -> list[str]:
        """Return the process ids of the workers."""
        pid = self._process.pid
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()

    def wait_log(self, *texts: str) -> str:
        """Wait until the log contains all of these: a request's line is written after its response."""
        wait_for(lambda: all(text in self.log for text in texts), 10.0, f"{texts} in the log")
        return self.log

    def request(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, bytes]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        status, _, content = request(self.address, method, path, body, named, timeout_s=20)
        return status, content

    def __enter__(self) -> Self:
        line = procfile_line("web")
        env = {
            "PATH": f"{self._bin}{os.pathsep}{os.defpath}",
            "HOME": str(self._folder),
            "LANG": "C.UTF-8",
            "PORT": str(self.port),
        } | self._env
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {line}"],
                cwd=self._cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            self._wait_ready()
        except BaseException:
            self._process.kill()
            self._process.wait(5)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
            raise AssertionError(f"killed after {STOP_S} s:\n{self.log[-2000:]}") from None
        for sign in BAD_LOG:
            assert sign not in self.log, f"{sign}:\n{self.log[-4000:]}"

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if self.request("GET", "/healthz")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"it did not start:\n{self.log[-4000:]}")
