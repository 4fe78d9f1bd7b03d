"""Rankings of several ways to search are joined."""

from collections.abc import Sequence
from typing import Any

from webapp.access.principals import Principal, grantees_of
from webapp.api.retrieval import Retrieval
from webapp.found_passage import FoundPassage, SearchScope

CALLER = Principal(kind="user", name="anna", address="127.0.0.1")


class Ranking:
    """A search that finds these documents in this order, whatever is asked."""

    def __init__(self, *names: str) -> None:
        self._names = names
        self.scopes: list[SearchScope] = []

    def rank(self, queries: Sequence[str], scope: SearchScope, limit: int) -> list[list[FoundPassage]]:
        self.scopes.append(scope)
        found = [
            FoundPassage(
                document=name, source=name, title=name, text=name, heading="", start=0, page=None, score=0.5
            )
            for name in self._names[:limit]
        ]
        return [found for _ in queries]


def search(*searches: Ranking) -> list[tuple[str, float]]:
    nothing: Any = None
    found = Retrieval(store=nothing, searches=searches).search(CALLER, "Well?", ["notes"], 5)
    return [(passage.document, passage.score) for passage in found]


def test_the_passage_that_several_searches_find_is_the_best() -> None:
    words, meanings = Ranking("a", "b"), Ranking("c", "b")
    found = search(words, meanings)
    assert [name for name, _ in found] == ["b", "a", "c"]
    assert 0 < found[2][1] <= found[1][1] < found[0][1] <= 1
    scope = SearchScope(owner=CALLER.owner or "", grantees=grantees_of(CALLER), collections=["notes"])
    assert words.scopes == meanings.scopes == [scope]


def test_one_search_keeps_its_own_scores() -> None:
    assert search(Ranking("a", "b")) == [("a", 0.5), ("b", 0.5)]
