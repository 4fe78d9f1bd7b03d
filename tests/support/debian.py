"""Debian packages that the tests install by themselves when they run as root, or unpack."""

import os
import shutil
import subprocess
from pathlib import Path

from webapp.sql import file_lock


def install(package: str) -> bool:
    """Install a package; return False without the rights, or when it fails."""
    if not _is_ours():
        return False
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    commands = ("apt-get update -q", f"apt-get install -q -y --no-install-recommends {package}")
    return all(succeeds(command.split(), environment) for command in commands)


def unpack(folder: Path, wanted: Path, *packages: str) -> None:
    """Unpack packages into a folder that has no `wanted` yet, a file of the first. Does nothing where there is no apt-get."""
    if wanted.exists() or not (shutil.which("apt-get") and shutil.which("dpkg")):
        return
    folder.mkdir(parents=True, exist_ok=True)
    with file_lock(folder / "lock"):  # tests run in several processes
        if wanted.exists():
            return
        if os.geteuid() == 0:
            subprocess.run(["apt-get", "-qq", "update"], capture_output=True)
        subprocess.run(["apt-get", "-qq", "download", *packages], cwd=folder, capture_output=True)
        for package in reversed(packages):
            for file in folder.glob(f"{package}_*.deb"):
                subprocess.run(["dpkg", "-x", file.name, "."], cwd=folder, capture_output=True)


class ProgramMissing(RuntimeError):
    """A program is not installed, and could not be unpacked."""


def find_program(name: str, folder: Path, place: str, *packages: str) -> tuple[Path, dict[str, str]]:
    """Return the system's program, else the one at `place` in packages unpacked into `folder`; and the environment for it.

    Installing the packages would start services. Raises `ProgramMissing`.
    """
    system = shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin")))
    if system:
        return Path(system), dict(os.environ)
    program = folder / place
    unpack(folder, program, *packages)
    if not program.exists():
        raise ProgramMissing(f"no {name} on the PATH, and none could be unpacked with apt-get and dpkg")
    libraries = {str(path.parent) for path in folder.glob("usr/lib/**/*.so*")}
    return program, os.environ | {"LD_LIBRARY_PATH": os.pathsep.join(sorted(libraries))}


def succeeds(command: list[str], environment: dict[str, str]) -> bool:
    """Print and run a command; return whether it succeeded."""
    print("$", " ".join(command), flush=True)
    return subprocess.run(command, env=environment, timeout=900).returncode == 0


def _is_ours() -> bool:
    return os.geteuid() == 0 and Path("/etc/debian_version").is_file() and shutil.which("apt-get") is not None
