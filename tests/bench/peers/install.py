"""Bring the peers into the benchmark's own folder. Freshet's environment and the system stay as they are."""

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.nginx import find, said

PACKAGES = ("starlette", "httpx", "uvicorn[standard]", "flask", "gunicorn[gevent]", "requests")
STARLETTE_PARTS = ("starlette", "httpx", "uvicorn", "uvloop", "httptools")
PLAIN_PARTS = ("flask", "gunicorn", "gevent", "requests")


@dataclass(frozen=True, slots=True, kw_only=True)
class Peers:
    """Where the peers are. `missing` says, by the peer's name, why it could not be had."""

    python: Path
    nginx: Path | None
    versions: dict[str, str]
    missing: dict[str, str]


def install(folder: Path) -> Peers:
    """Make `folder/venv` and find or unpack nginx; one that can't be had is named, the rest goes on."""
    folder.mkdir(parents=True, exist_ok=True)
    missing: dict[str, str] = {}
    python, reason = _make_venv(folder / "venv")
    versions = _versions(python) if not reason else {}
    for peer, parts in (("starlette", STARLETTE_PARTS), ("plain", PLAIN_PARTS)):
        absent = [part for part in parts if part not in versions]
        if absent:
            missing[peer] = reason or f"not installed: {', '.join(absent)}"
    nginx = find(folder / "nginx")
    if nginx is None:
        missing["nginx"] = "no nginx on the PATH, and none could be unpacked with apt-get and dpkg"
    else:
        versions["nginx"] = said([str(nginx), "-v"]).rpartition("/")[2]
    return Peers(python=python, nginx=nginx, versions=versions, missing=missing)


def _make_venv(folder: Path) -> tuple[Path, str]:
    """Install `PACKAGES` once; return the interpreter and, when pip failed, what it said last."""
    python = folder / "bin" / "python"
    stamp = folder / "installed"
    wanted = hashlib.sha256(f"{PACKAGES} {sys.version}".encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return python, ""
    print("bench: installing Starlette and the plain loop", flush=True)
    steps = (
        [sys.executable, "-m", "venv", "--clear", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES],
    )
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True)
        if done.returncode:
            last_words = (done.stderr or done.stdout).strip().splitlines()[-1:]
            return python, f"pip failed: {' '.join(last_words)}"
    stamp.write_text(wanted)
    return python, ""


def _versions(python: Path) -> dict[str, str]:
    names = (*STARLETTE_PARTS, *PLAIN_PARTS)
    script = "import importlib.metadata as m, sys\nfor n in sys.argv[1:]:\n  print(n, m.version(n))"
    done = subprocess.run([str(python), "-c", script, *names], capture_output=True, text=True)
    return dict(line.split() for line in done.stdout.splitlines())
