"""Runs the child's program, which does what the file's name says instead of reading the file."""

import errno
import json
import os
import resource
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from webapp.documents import child
from webapp.documents.jobs import Job, ParseLimits
from webapp.parsed_document import ParsedDocument


def attempt(work: Callable[[], object]) -> str:
    try:
        work()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "done"


def open_descriptors() -> list[int]:
    found = []
    for descriptor in range(1000):
        try:
            os.fstat(descriptor)
        except OSError:
            continue
        found.append(descriptor)
    return found


def freedoms() -> str:
    """Return what the child has and can do."""
    return json.dumps(
        {
            "environment": sorted(os.environ),
            "descriptors": open_descriptors(),
            "connect": attempt(lambda: socket.socket(socket.AF_INET)),
            "open": attempt(lambda: Path("/etc/passwd").read_text()),
            "folder": str(Path.cwd()),
            "group": os.getpgrp() == os.getpid(),
            "priority": os.nice(0),
            "memory": resource.getrlimit(resource.RLIMIT_AS)[0],
            "arguments": sys.argv[1:],
        }
    )


def loop() -> str:
    while True:
        pass


def fork() -> str:
    if os.fork() == 0:
        time.sleep(60)
    return "parent"


def work(name: str, data: bytes) -> str:
    argument = data.strip(b"\0").decode()
    tasks: dict[str, Callable[[], object]] = {
        "freedoms": freedoms,
        "busy": loop,
        "sleep": lambda: time.sleep(float(argument)) or "slept",
        "memory": lambda: len(bytearray(int(argument))),
        "crash": os.abort,
        "silent": lambda: os._exit(0),
        "much": lambda: "x" * int(argument),
        "grandchild": fork,
    }
    return str(tasks.get(name, lambda: name)())


def choose(job: Job, limits: ParseLimits) -> Callable[[], ParsedDocument]:
    return lambda: ParsedDocument(title="", text=work(job.name, job.data), media_type="text/plain")


child._choose = choose
child.main()
