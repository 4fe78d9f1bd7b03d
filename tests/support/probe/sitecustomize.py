"""Counts the objects of a running server: SIGRTMIN writes the count to a file. Loads `killing` where KILL_FILE is set.

Loaded only where a test puts this folder on PYTHONPATH and names the file in PROBE_FILE. It must be quick:
the server stands still while it counts. The next signal, SIGRTMIN + 1, first frees what the garbage collector and malloc
still hold, and also writes how many bytes are allocated: with PYTHONMALLOC=malloc and MALLOC_ARENA_MAX=1 these are all. Where PROBE_CACHE_BYTES is set, each signal limits the copy of
recent conversations to so many bytes.
"""

import os
import signal
import sys
from typing import Any

# The members of `struct mallinfo2`. Allocated are `hblkhd`, large blocks, and `uordblks`, all others.
_MALLINFO = [
    "arena",
    "ordblks",
    "smblks",
    "hblks",
    "hblkhd",
    "usmblks",
    "fsmblks",
    "uordblks",
    "fordblks",
    "keepcost",
]


def _root(let: Any) -> Any:
    while let.parent is not None:
        let = let.parent
    return let


def _write(_signum: int, _frame: object) -> None:
    _write_counts({})


def _write_counts(more: dict[str, int]) -> None:
    import collections  # noqa: PLC0415 - nothing may be imported before gunicorn patches
    import gc  # noqa: PLC0415
    import json  # noqa: PLC0415

    import greenlet  # noqa: PLC0415

    things = gc.get_objects()
    kinds = collections.Counter(map(type, things))
    if "PROBE_CACHE_BYTES" in os.environ:
        limit = int(os.environ["PROBE_CACHE_BYTES"])
        module = sys.modules["webapp.store.conversation_cache"]
        module.ConversationCache._max_bytes = property(
            lambda _: limit
        )  # stands before what the object itself has
    ours = {kind for kind in kinds if str(vars(kind).get("__module__")).startswith("webapp.")}
    counts = {kind.__name__: kinds[kind] for kind in ours}
    lets = {kind for kind in kinds if issubclass(kind, greenlet.greenlet)}
    here = _root(greenlet.getcurrent())  # those of a thread pool's own threads come and go as they like
    living = [thing for thing in things if type(thing) in lets and not thing.dead]
    counts["greenlets"] = sum(_root(thing) is here for thing in living)
    counts |= more
    path = os.environ["PROBE_FILE"]
    with open(f"{path}.new", "w") as file:  # noqa: PTH123
        json.dump(counts, file)
    os.replace(f"{path}.new", path)  # noqa: PTH105


def _free_and_write(_signum: int, _frame: object) -> None:
    import ctypes  # noqa: PLC0415
    import gc  # noqa: PLC0415

    gc.collect()
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallinfo2"):  # glibc's alone
        _write_counts({})
        return
    library.malloc_trim(0)
    kind = type(
        "mallinfo2", (ctypes.Structure,), {"_fields_": [(name, ctypes.c_size_t) for name in _MALLINFO]}
    )
    library.mallinfo2.restype = kind
    found: Any = library.mallinfo2()
    _write_counts({"allocated": found.hblkhd + found.uordblks, "sqlite": _used_by_sqlite()})


def _used_by_sqlite() -> int:
    """Return the bytes that SQLite has allocated: its copies of pages, which it drops when another process writes."""
    import ctypes  # noqa: PLC0415

    driver = sys.modules.get("_sqlite3")
    count = None if driver is None else getattr(ctypes.CDLL(driver.__file__), "sqlite3_memory_used", None)
    if count is None:  # a driver that keeps the names of its SQLite to itself
        return 0
    count.restype = ctypes.c_int64
    return int(count())


if "PROBE_FILE" in os.environ:
    signal.signal(signal.SIGRTMIN, _write)
    signal.signal(signal.SIGRTMIN + 1, _free_and_write)

if "KILL_FILE" in os.environ:
    import killing

    killing.install(os.environ["KILL_FILE"])
