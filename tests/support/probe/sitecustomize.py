"""Let a test ask a running server what it holds: SIGRTMIN writes a count of its objects to a file.

Loaded only where a test puts this folder on PYTHONPATH and names the file in PROBE_FILE.
"""

import os
import signal


def _write(_signum: int, _frame: object) -> None:
    import gc  # noqa: PLC0415 - nothing may be imported before gunicorn patches
    import json  # noqa: PLC0415

    counts = {"greenlets": 0}
    for thing in gc.get_objects():
        kind = type(thing)
        if any(base.__name__ == "greenlet" for base in kind.__mro__):
            counts["greenlets"] += bool(thing) and not thing.dead
        elif kind.__module__.startswith("webapp."):
            counts[kind.__name__] = counts.get(kind.__name__, 0) + 1
    path = os.environ["PROBE_FILE"]
    with open(f"{path}.new", "w") as file:  # noqa: PTH123
        json.dump(counts, file)
    os.replace(f"{path}.new", path)  # noqa: PTH105


if "PROBE_FILE" in os.environ:
    signal.signal(signal.SIGRTMIN, _write)
