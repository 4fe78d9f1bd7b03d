"""The copy of recent conversations, from which a turn is planned while the database is late."""

import msgspec
import pytest

from webapp.chat import TextPart
from webapp.conversation import Message
from webapp.store.conversation_cache import ConversationCache
from webapp.store.database import DatabaseUnavailable

ANSWER = Message(id="answer", parent="question", role="assistant", content=(TextPart("Hello"),), created_at=2)
QUESTION = Message(id="question", parent=None, role="user", content=(TextPart("Well?"),), created_at=1)


def test_a_conversation_whose_leaf_is_not_known_is_not_taken_for_an_empty_one() -> None:
    """A worker that has ended the answer of a dead one has stored the answer alone."""
    cache = ConversationCache()
    cache.store("anna", "c", None, [ANSWER], {})
    with pytest.raises(DatabaseUnavailable):
        cache.load_branch("anna", "c", msgspec.UNSET, "run")


def test_the_branch_down_to_the_leaf() -> None:
    cache = ConversationCache()
    cache.store("anna", "c", None, [QUESTION, ANSWER], {}, leaf="answer")
    branch = cache.load_branch("anna", "c", msgspec.UNSET, "run")
    assert branch is not None
    assert list(branch.messages) == [QUESTION, ANSWER]


def test_that_a_conversation_has_documents_is_remembered() -> None:
    """So that a question is not answered without them: it waits for the database, as a search of theirs does."""
    cache = ConversationCache()
    cache.store("anna", "c", None, [QUESTION], {}, leaf="question", has_documents=True)
    cache.store("anna", "c", None, [ANSWER], {}, leaf="answer")
    branch = cache.load_branch("anna", "c", msgspec.UNSET, "run")
    assert branch is not None
    assert branch.has_documents
    cache.store("anna", "c", None, [], {}, has_documents=False)
    branch = cache.load_branch("anna", "c", msgspec.UNSET, "run")
    assert branch is not None
    assert not branch.has_documents
