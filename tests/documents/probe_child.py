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

from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from webapp.documents import child
from webapp.documents.jobs import Job, ParseLimits
from webapp.parsed_document import ParsedDocument
from webapp.search.prepare import IndexedDocument, index_document


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


# What a child that a file has taken over might return, by the file's name.
UNSOUND: dict[str, Callable[[IndexedDocument], IndexedDocument]] = {
    "a word that names a scope": lambda good: replace(good, words=["§stolen"]),
    "a word with quotes": lambda good: replace(good, words=["x':1 'y"]),
    "fewer words than passages": lambda good: replace(good, words=[]),
    "a passage beyond the text": lambda good: replace(good, passages=[replace(good.passages[0], end=10_000)]),
    "a page that is not": lambda good: replace(good, passages=[replace(good.passages[0], page=7)]),
    "two passages with one number": lambda good: replace(
        good, passages=good.passages * 2, words=good.words * 2
    ),
}


def choose(job: Job, limits: ParseLimits) -> Callable[[], ParsedDocument]:
    if job.name in UNSOUND:
        child.index_document = lambda parsed: UNSOUND[job.name](index_document(parsed))
    return lambda: ParsedDocument(title="", text=work(job.name, job.data), media_type="text/plain")


child._choose = choose
child.main()
