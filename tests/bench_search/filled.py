"""Databases with the texts: filled by `freshet ingest`, which is measured, and searched as a server does."""

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench_search.corpus import HOME, ROOT
from tests.bench_search.finding import DEPTH, Place
from tests.support.postgres import Postgres
from webapp.access.principals import SOLE_USER, owner_of
from webapp.store import documents
from webapp.store.store import Store

COLLECTION = "texts"
_OWNER = owner_of("user", SOLE_USER)
_PROGRAM = "import sys; from webapp.cli import main; sys.exit(main())"
_FILL_S = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What `freshet ingest` took for so many megabytes of text: by the clock, and of the processor, without that of Postgres."""

    megabytes: float
    clock_s: float
    cpu_s: float

    @property
    def per_second(self) -> float:
        """Return the megabytes of text for each second that its user waits."""
        return self.megabytes / self.clock_s


class Filled:
    """A database of one kind. `folder` is the server's data folder, `url` that of Postgres."""

    def __init__(self, kind: str, folder: Path, url: str | None) -> None:
        self.kind, self.folder, self.url = kind, folder, url
        self.env = {"FRESHET_DATA_DIR": str(folder), "FRESHET_PROVIDER": "mock"} | (
            {"DATABASE_URL": url} if url else {}
        )

    def ingest(self, folders: Sequence[Path]) -> Taken:
        """Take folders in by the command, and return what it took."""
        size = sum(path.stat().st_size for folder in folders for path in folder.rglob("*.txt"))
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        self._run("ingest", *map(str, folders), "--collection", COLLECTION, "--for", "everyone")
        after, took = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - began
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Taken(megabytes=size / 1e6, clock_s=took, cpu_s=cpu)

    def prepare(self) -> None:
        """Create the tables of Postgres."""
        if self.url:
            self._run("migrate")

    @contextmanager
    def opened(self) -> Iterator["Opened"]:
        """Open its store."""
        store = Store(self.url, str(self.folder))
        try:
            yield Opened(store)
        finally:
            store.close(5.0)

    def _run(self, *arguments: str) -> None:
        env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.folder), "LANG": "C.UTF-8"}
        subprocess.run(
            [sys.executable, "-c", _PROGRAM, *arguments],
            cwd=ROOT,
            env=env | {"PYTHONPATH": str(ROOT)} | self.env,
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=_FILL_S,
        )


class Opened:
    """A store that is open."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ids = store.read(lambda c: documents.find_collections(c, _OWNER, (), [COLLECTION]), 60.0)

    def search(self, question: str, limit: int = DEPTH) -> Sequence[Place]:
        """Return what Freshet finds."""
        found = self._store.search(
            lambda c: documents.search_documents(
                c, question, collection_ids=self._ids, conversation=None, limit=limit
            )
        )
        return [Place(each.source, each.start, each.start + len(each.text)) for each in found]

    def count(self) -> int:
        """Return how many passages there are."""
        listed = self._store.read(lambda c: documents.list_documents(c, collection=self._ids[0]), 60.0)
        return sum(each.passages for each in listed)


@contextmanager
def databases() -> Iterator[dict[str, Filled]]:
    """Start an empty SQLite and an empty Postgres."""
    folder = HOME / "data"
    shutil.rmtree(folder, ignore_errors=True)
    with Postgres("shared_buffers=128MB") as server:  # its own default, where tests have less
        found = {
            "SQLite": Filled("SQLite", folder / "sqlite", None),
            "Postgres": Filled("Postgres", folder / "postgres", server.new_url()),
        }
        for each in found.values():
            each.folder.mkdir(parents=True)
            each.prepare()
        yield found
    shutil.rmtree(folder, ignore_errors=True)
