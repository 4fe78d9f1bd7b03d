"""The search by words as `seams.PassageSearch`: in the store's worker pool for searches."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from webapp.found_passage import FoundPassage, SearchScope
from webapp.store.documents import find_collections, search_documents
from webapp.store.store import Store


class WordSearch:
    """Ranks passages by the words that they have in common with a query."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def rank(self, queries: Sequence[str], scope: SearchScope, limit: int) -> list[list[FoundPassage]]:
        """See `seams.PassageSearch`."""

        def work(connection: Connection) -> list[list[FoundPassage]]:
            names, ids = scope.collections, []
            if names is None or names:
                ids = find_collections(connection, scope.owner, scope.grantees, names)
            return [
                search_documents(
                    connection, query, collection_ids=ids, conversation=scope.conversation, limit=limit
                )
                for query in queries
            ]

        return self._store.search(work)
