"""Packages of Debian, installed by the tests themselves when root."""

import os
import shutil
import subprocess
from pathlib import Path


def install(package: str) -> bool:
    """Install a package; False where that is not ours to do, or did not work."""
    if not _is_ours():
        return False
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    commands = ("apt-get update -q", f"apt-get install -q -y --no-install-recommends {package}")
    return all(succeeds(command.split(), environment) for command in commands)


def succeeds(command: list[str], environment: dict[str, str]) -> bool:
    """Run a command, said aloud, and tell whether it worked."""
    print("$", " ".join(command), flush=True)
    return subprocess.run(command, env=environment, timeout=900).returncode == 0


def _is_ours() -> bool:
    return os.geteuid() == 0 and Path("/etc/debian_version").is_file() and shutil.which("apt-get") is not None
