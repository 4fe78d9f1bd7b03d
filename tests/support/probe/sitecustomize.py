"""Counts the objects of a running server: SIGRTMIN writes the count to a file. Loads `killing` where KILL_FILE is set.

Loaded only where a test puts this folder on PYTHONPATH and names the file in PROBE_FILE. It must be quick:
the server stands still while it counts. The next signal, SIGRTMIN + 1, first frees what the garbage collector and malloc
still hold, so that a test can measure the memory that is in use. Where PROBE_CACHE_BYTES is set, each signal limits the copy of
recent conversations to so many bytes.
"""

import os
import signal
import sys
from typing import Any


def _root(let: Any) -> Any:
    while let.parent is not None:
        let = let.parent
    return let


def _write(_signum: int, _frame: object) -> None:
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
    path = os.environ["PROBE_FILE"]
    with open(f"{path}.new", "w") as file:  # noqa: PTH123
        json.dump(counts, file)
    os.replace(f"{path}.new", path)  # noqa: PTH105


def _free_and_write(signum: int, frame: object) -> None:
    import ctypes  # noqa: PLC0415
    import gc  # noqa: PLC0415

    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's alone
    if trim is not None:
        trim(0)
    _write(signum, frame)


if "PROBE_FILE" in os.environ:
    signal.signal(signal.SIGRTMIN, _write)
    signal.signal(signal.SIGRTMIN + 1, _free_and_write)

if "KILL_FILE" in os.environ:
    import killing

    killing.install(os.environ["KILL_FILE"])
