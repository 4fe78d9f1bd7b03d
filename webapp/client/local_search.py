"""Searches the operator's collections for a client in this process. The database is opened by the first search."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from webapp.access.principals import SOLE_USER, owner_of
from webapp.found_passage import SearchScope
from webapp.settings import Settings
from webapp.wiring import make_store

if TYPE_CHECKING:
    from webapp.store.store import Store

_CLOSE_S = 2.0


class LocalSearch:
    """The collections that `freshet ingest` has filled with the same settings. The owner closes it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._store: Store | None = None

    def search(self, query: str, collection: str | None, limit: int) -> list[dict[str, Any]]:
        """Return passages as `QueryClient.retrieve_only` does. Nothing is created where no collection is yet."""
        from webapp.store import documents  # noqa: PLC0415  (only a client that searches needs a database)
        from webapp.store.database import has_sqlite_file  # noqa: PLC0415
        from webapp.store.word_search import WordSearch  # noqa: PLC0415

        if self._settings.database_url is None and not has_sqlite_file(Path(self._settings.data_dir)):
            if collection is not None:
                raise documents.collection_not_found(collection)
            return []
        if self._store is None:
            self._store = make_store(self._settings)
        names = None if collection is None else [collection]
        scope = SearchScope(owner=owner_of("user", SOLE_USER), collections=names)
        (found,) = WordSearch(self._store).rank([query], scope, limit)
        return [passage.as_result() for passage in found]

    def close(self) -> None:
        """Close the database."""
        store, self._store = self._store, None
        if store is not None:
            store.close(_CLOSE_S)
