"""How long work waited for a core, as Linux counts it, so that a busy machine is not taken for a slow server."""

import os
from pathlib import Path


def waited_s(path: Path) -> float:
    """Return how long a thread was ready and had no core, from its `schedstat`; 0 where Linux does not count it."""
    try:
        return int(path.read_text().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0  # another system, or a thread that is gone


def stolen_s() -> float:
    """Return how long the hypervisor took cores away from this machine, all cores together."""
    try:
        ticks = int(Path("/proc/stat").read_text().split("\n", 1)[0].split()[8])
    except (OSError, IndexError):
        return 0.0
    return ticks / os.sysconf("SC_CLK_TCK")


def starved_s(pid: int) -> float:
    """Return how long a process's main thread has waited for a core so far."""
    return waited_s(Path(f"/proc/{pid}/schedstat")) + stolen_s()
