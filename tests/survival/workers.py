"""Two servers on one data folder, or on one Postgres: each is a worker of its own, and a test says which one it asks."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from tests.faults.answers import cookie_of
from tests.support.fake_provider import FakeProvider
from tests.support.server import Server
from webapp.store.database import Database

KEY = "sk-canary-1d4f0b7a"


class Workers:
    """Servers that share a journal and a store, and the scripted provider behind them."""

    def __init__(
        self,
        env: Mapping[str, str] | None = None,
        *,
        database_url: str | None = None,
        dirty_log: bool = False,
    ) -> None:
        if database_url is not None:
            migrate(database_url)
        self.folder = Path(tempfile.mkdtemp(prefix="freshet-workers-"))
        self.provider = FakeProvider()
        self.database_url = database_url
        self._dirty_log = dirty_log
        self._env = {
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": f"{self.provider.url}/v1",
            "FRESHET_PROVIDER": "openai",
            "SECRET_KEY": "shared",
            "FRESHET_DATA_DIR": str(self.folder),
            "FRESHET_FRAME_MS": "5",
            **({} if database_url is None else {"DATABASE_URL": database_url}),
            **(env or {}),
        }
        self.first, self.second = self.server(), self.server()
        self._stack = ExitStack()

    def server(self, env: Mapping[str, str] | None = None) -> Server:
        """Return one more server, which the caller starts and stops."""
        return Server(self._env | dict(env or {}), secrets=(KEY,), dirty_log=self._dirty_log)

    def cookie(self) -> dict[str, str]:
        """Return the headers of a new visitor, whom both servers know."""
        return {"Cookie": cookie_of(self.first)}

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            for part in (self.provider, self.first, self.second):
                stack.enter_context(part)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def migrate(url: str) -> None:
    """Create the store's tables, as `freshet migrate` does."""
    database = Database(url, "unused")
    database.migrate()
    database.close()
