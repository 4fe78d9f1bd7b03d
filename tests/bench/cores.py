"""Cores and processes: pinning, and the CPU time and memory of a process tree. Linux only."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PROC = Path("/proc")
_AHEAD = "-12"
_MOMENT_S = 0.15
_CPUCLOCK_SCHED = 2  # clock_getcpuclockid(3): a process's clock, all its threads, the ended ones too


@dataclass(frozen=True, slots=True, kw_only=True)
class Cores:
    """The server's core and the other one, for load and provider; both `None` on a machine with one core.

    `ahead` lets what runs on them go before other work of the machine.
    """

    server: int | None
    load: int | None
    ahead: bool = False


def choose(*, ahead: bool) -> Cores:
    """Return the first two cores that this process may use."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        return Cores(server=None, load=None, ahead=ahead)
    return Cores(server=allowed[0], load=allowed[1], ahead=ahead)


@contextmanager
def pinned(core: int | None) -> Iterator[None]:
    """Pin processes that are started within this context to one core; `None` pins nothing."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def launch(command: list[str], core: int | None, *, ahead: bool, **options: Any) -> subprocess.Popen[bytes]:
    """Start a process tree on a core, in a session of its own, so that it can be ended as one group.

    With `ahead` it goes before other work of the machine, which needs root: the kernel shares a core among
    sessions first (sched_autogroup), so a process's own priority would not be enough.
    """
    with pinned(core):
        process = subprocess.Popen(command, start_new_session=True, **options)
    if ahead:
        with suppress(OSError):
            (_PROC / str(process.pid) / "autogroup").write_text(_AHEAD)
    return process


def tree(root: int) -> list[int]:
    """Return the ids of a process and of all its living descendants."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [root]
    for pid in found:
        found.extend(children.get(pid, ()))
    return found


def cpu_ns(pids: list[int]) -> int:
    """Return the user and system time of processes, in nanoseconds; ended processes count 0."""
    total = 0
    for pid in pids:
        try:
            total += time.clock_gettime_ns((~pid << 3) | _CPUCLOCK_SCHED)
        except OSError:
            continue
    return total


def await_quiet(roots: list[int], patience_s: float = 8.0) -> None:
    """Wait until process trees are idle: under 5 % of a core for a moment."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        pids = [pid for root in roots for pid in tree(root)]
        before = cpu_ns(pids)
        time.sleep(_MOMENT_S)
        if cpu_ns(pids) - before < _MOMENT_S * 0.05 * 1e9:
            return


def pss_bytes(pids: list[int]) -> int:
    """Return the proportional set size of processes, in bytes."""
    total = 0
    for pid in pids:
        try:
            rollup = (_PROC / str(pid) / "smaps_rollup").read_text()
        except OSError:
            continue
        line = next(line for line in rollup.splitlines() if line.startswith("Pss:"))
        total += int(line.split()[1]) * 1024
    return total


def busy_ns(core: int | None) -> int:
    """Return the busy time of a core since boot, in nanoseconds; 0 without a core."""
    if core is None:
        return 0
    for line in (_PROC / "stat").read_text().splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, ticks[:8])
            spent = user + nice + system + irq + softirq + steal
            return spent * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    return 0


def describe() -> dict[str, str]:
    """Return a description of this machine for the report."""
    model = "unknown"
    for line in (_PROC / "cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    kernel = os.uname()
    return {"cpu": model, "cores": str(os.cpu_count()), "kernel": f"{kernel.sysname} {kernel.release}"}
