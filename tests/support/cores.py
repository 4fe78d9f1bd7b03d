"""How long work waited for a core, as Linux counts it: what the machine delayed is no fault of the server."""

import os
from pathlib import Path


def waited_s(path: Path) -> float:
    """Read how long a thread was ready and had no core, from its `schedstat`; 0 where that is not counted."""
    try:
        return int(path.read_text().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0  # another system, or a thread that is gone


def stolen_s() -> float:
    """Read how long all cores together were taken away from this machine by the one beneath it."""
    try:
        ticks = int(Path("/proc/stat").read_text().split("\n", 1)[0].split()[8])
    except (OSError, IndexError):
        return 0.0
    return ticks / os.sysconf("SC_CLK_TCK")


def starved_s(pid: int) -> float:
    """Read how long a process's first thread has been kept from working so far."""
    return waited_s(Path(f"/proc/{pid}/schedstat")) + stolen_s()
