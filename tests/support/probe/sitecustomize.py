"""Let a test ask a running server what it holds: SIGRTMIN writes a count of its objects to a file.

Loaded only where a test puts this folder on PYTHONPATH and names the file in PROBE_FILE. It must be quick:
the server stands still while it counts.
"""

import os
import signal


def _write(_signum: int, _frame: object) -> None:
    import collections  # noqa: PLC0415 - nothing may be imported before gunicorn patches
    import gc  # noqa: PLC0415
    import json  # noqa: PLC0415

    things = gc.get_objects()
    kinds = collections.Counter(map(type, things))
    ours = {kind for kind in kinds if str(vars(kind).get("__module__")).startswith("webapp.")}
    counts = {kind.__name__: kinds[kind] for kind in ours}
    lets = {kind for kind in kinds if any(base.__name__ == "greenlet" for base in kind.__mro__)}
    counts["greenlets"] = sum(not thing.dead for thing in things if type(thing) in lets)
    path = os.environ["PROBE_FILE"]
    with open(f"{path}.new", "w") as file:  # noqa: PTH123
        json.dump(counts, file)
    os.replace(f"{path}.new", path)  # noqa: PTH105


if "PROBE_FILE" in os.environ:
    signal.signal(signal.SIGRTMIN, _write)
